package symbols_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

// model is a table as a plain list: what it returns needs no thought.
type model []symbols.Symbol

func (m model) named(names ...string) map[string][]symbols.Symbol {
	found := map[string][]symbols.Symbol{}
	for _, s := range m {
		if slices.Contains(names, s.Name) {
			found[s.Name] = append(found[s.Name], s)
		}
	}
	return found
}

func (m model) prefixed(prefix string, limit int) (found []symbols.Symbol) {
	for _, s := range m {
		if strings.HasPrefix(s.Name, prefix) && len(found) < limit {
			found = append(found, s)
		}
	}
	return found
}

func (m model) at(addrs []symbols.Addr) map[symbols.Addr][]symbols.Symbol {
	found := map[symbols.Addr][]symbols.Symbol{}
	for _, s := range m {
		if slices.Contains(addrs, s.Addr) {
			found[s.Addr] = append(found[s.Addr], s)
		}
	}
	return found
}

func (m model) within(from, to symbols.Addr) (found []symbols.Symbol) {
	for _, s := range m {
		if s.Addr >= from && s.Addr < to {
			found = append(found, s)
		}
	}
	return found
}

func (m model) before(addrs []symbols.Addr) map[symbols.Addr]symbols.Addr {
	found := map[symbols.Addr]symbols.Addr{}
	for _, a := range addrs {
		for _, s := range m {
			kernelDrops := s.Name[0] == '$' || strings.HasPrefix(s.Name, ".L")
			if strings.ContainsRune("tTwWi", rune(s.Kind)) && !kernelDrops && s.Addr <= a {
				if best, ok := found[a]; !ok || s.Addr > best {
					found[a] = s.Addr
				}
			}
		}
	}
	return found
}

// pair is a random table with its model. Names and addresses are few, so that
// they meet.
type pair struct {
	name  string
	table *symbols.Table
	model model
}

var nameParts = strings.Split("a b __initcall_ __ksymtab_ $x .L init start _ x1", " ")

func randomName(r *rand.Rand) string {
	name := ""
	for range 1 + r.IntN(3) {
		name += nameParts[r.IntN(len(nameParts))]
	}
	return name
}

// randomPair makes a table of either source. Of the symbols of an ELF file the
// model leaves out what nobody asks for: undefined ones, sections and files.
func randomPair(t *testing.T, r *rand.Rand, n int) []pair {
	arch := fixture.Arch{Class64: r.IntN(2) == 0, BigEndian: r.IntN(2) == 0, Machine: 62}
	thumb := !arch.Class64 && r.IntN(2) == 0
	file := fixture.File{Arch: arch, Type: fixture.TypeExec, Sections: []*fixture.Section{
		{Name: ".text", Flags: fixture.Alloc | fixture.Exec, Type: fixture.Progbits},
		{Name: ".data", Flags: fixture.Alloc | fixture.Write, Type: fixture.Progbits},
	}}
	letters := map[string]byte{".text": 't', ".data": 'd', "*ABS*": 'a'}
	var fromELF, fromMap model
	var text strings.Builder
	for range n {
		s := fixture.Symbol{
			Name: randomName(r), Value: 0x1000 + uint64(r.IntN(3*n)), Size: uint64(r.IntN(9)),
			Section: []string{".text", ".data", "*ABS*", ""}[r.IntN(4)],
			Bind:    byte(r.IntN(3)), Type: byte(r.IntN(5)),
		}
		file.Symbols = append(file.Symbols, s)
		if s.Section == "" || s.Type == fixture.SectionSym || s.Type == fixture.FileSy {
			continue
		}
		letter := letters[s.Section]
		switch {
		case s.Bind == fixture.Weak && s.Type == fixture.Object:
			letter = 'V'
		case s.Bind == fixture.Weak:
			letter = 'W'
		case s.Bind == fixture.Global:
			letter -= 0x20
		}
		m := symbols.Symbol{Name: s.Name, Addr: symbols.Addr(s.Value), Kind: symbols.Kind(letter)}
		fmt.Fprintf(&text, "%0*x %c %s\n", 2*arch.WordSize(), s.Value, letter, s.Name)
		fromMap = append(fromMap, m)
		m.Size = s.Size
		m.Section = map[string]int{".text": 1, ".data": 2}[s.Section]
		if thumb && s.Type == fixture.Func {
			m.Addr &^= 1
		}
		fromELF = append(fromELF, m)
	}
	data := file.Bytes()
	symtab := data[file.Offset(".symtab"):]
	row := map[bool]int{false: 16, true: 24}[arch.Class64]
	elf, err := symbols.FromSymtab(symbols.Symtab{
		Rows: symtab[:row*(n+1)], Names: data[file.Offset(".strtab"):file.Offset(".shstrtab")],
		Class64: arch.Class64, BigEndian: arch.BigEndian, Thumb: thumb,
		Sections: []symbols.Kind{0, 't', 'd'},
	})
	require.NoError(t, err)
	pairs := []pair{{fmt.Sprintf("%v thumb=%v", arch, thumb), elf, fromELF}}
	if len(fromMap) > 0 {
		table, err := symbols.ParseMap([]byte(text.String()), 8*arch.WordSize())
		require.NoError(t, err)
		crlf, err := symbols.ParseMap([]byte(strings.ReplaceAll(text.String(), "\n", "\r\n")), 8*arch.WordSize())
		require.NoError(t, err)
		pairs = append(pairs, pair{"map", table, fromMap}, pair{"map with CRLF", crlf, fromMap})
	}
	return pairs
}

// Every question has the answer of the model, on tables of every kind and of
// sizes about those of the chunks in which they are passed over.
func TestTableAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 250 {
		n := []int{0, 1, 5, 40, 300}[i%5]
		if i%50 == 49 {
			n = 1020 + r.IntN(10)
		}
		for _, p := range randomPair(t, r, n) {
			all, err := p.table.All()
			require.NoError(t, err)
			require.Equal(t, []symbols.Symbol(p.model), append([]symbols.Symbol(nil), all...), p.name)
			var names []string
			var addrs []symbols.Addr
			for range 1 + r.IntN(6) {
				names = append(names, randomName(r))
				addrs = append(addrs, symbols.Addr(0xff0+r.IntN(3*n+0x30)))
			}
			named, err := p.table.Named(names...)
			require.NoError(t, err)
			require.Equal(t, p.model.named(names...), named, "%s: %q", p.name, names)
			at, err := p.table.At(addrs)
			require.NoError(t, err)
			require.Equal(t, p.model.at(addrs), at, "%s: %x", p.name, addrs)
			before, err := p.table.Before(addrs)
			require.NoError(t, err)
			require.Equal(t, p.model.before(addrs), before, "%s: %x", p.name, addrs)
			from, to := addrs[0], addrs[len(addrs)-1]
			within, err := p.table.Within(from, to)
			require.NoError(t, err)
			require.Equal(t, p.model.within(from, to), within, "%s: %x to %x", p.name, from, to)
			prefix, limit := names[0][:1+r.IntN(len(names[0]))], r.IntN(5)
			prefixed, err := p.table.Prefixed(prefix, limit)
			require.NoError(t, err)
			require.Equal(t, p.model.prefixed(prefix, limit), prefixed, "%s: %q %d", p.name, prefix, limit)
		}
	}
}

func TestSymtabErrors(t *testing.T) {
	_, err := symbols.FromSymtab(symbols.Symtab{Rows: make([]byte, 25), Class64: true})
	require.ErrorContains(t, err, "entry size")
	_, err = symbols.FromSymtab(symbols.Symtab{Rows: make([]byte, 24)})
	require.ErrorContains(t, err, "entry size")
	_, err = symbols.FromSymtab(symbols.Symtab{Rows: make([]byte, 48), Class64: true, Shndx: make([]byte, 4)})
	require.ErrorContains(t, err, "extended section indices")
}

// Names beyond the string table, unended ones and ones too long to be a
// kernel's are no names.
func TestBadNames(t *testing.T) {
	arch := fixture.Arch{Class64: true}
	row := func(name uint32) []byte {
		b := append(arch.U32(nil, name), fixture.Func, 0)
		return arch.U64(arch.U64(arch.U16(b, 1), 0x1000), 8)
	}
	long := strings.Repeat("n", 5000)
	names := "\x00good\x00" + long + "\x00"
	table, err := symbols.FromSymtab(symbols.Symtab{
		Rows:  slices.Concat(row(0), row(1), row(6), row(uint32(len(names))), row(1<<32-1), row(uint32(len(names)-5))),
		Names: []byte(names), Class64: true, Sections: []symbols.Kind{0, 't'},
	})
	require.NoError(t, err)
	all, err := table.All()
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "good", all[0].Name)
	require.Equal(t, "nnnn", all[1].Name)
	named, err := table.Named(long, "", "good")
	require.NoError(t, err)
	require.Len(t, named, 1)
	s, err := table.Row(3)
	require.NoError(t, err)
	require.Equal(t, "", s.Name)
}

func TestUnshifted(t *testing.T) {
	text := "0000000000000100 a percpu\nffffffff82000000 T _text\nffffffff82001000 t f\nffffffff82002000 B _end\nffffffffc0000000 t beyond\n"
	table, err := symbols.ParseMap([]byte(text), 64)
	require.NoError(t, err)
	all, err := table.Unshifted(0xffffffff82000000, 0xffffffff82002001, 0x1000000).All()
	require.NoError(t, err)
	var got []uint64
	for _, s := range all {
		got = append(got, uint64(s.Addr))
	}
	require.Equal(t, []uint64{0x100, 0xffffffff81000000, 0xffffffff81001000, 0xffffffff81002000, 0xffffffffc0000000}, got)
	before, err := table.All()
	require.NoError(t, err)
	require.Equal(t, symbols.Addr(0xffffffff82000000), before[1].Addr, "the table itself stays")
}
