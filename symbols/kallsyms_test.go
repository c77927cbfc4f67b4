package symbols_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

var arches = []fixture.Arch{
	{Class64: true}, {Class64: true, BigEndian: true}, {}, {BigEndian: true},
}

// kernelSymbols are n symbols of a kernel, in the order of their addresses, with
// aliases, names with every digit, and one that is longer than 127 tokens.
func kernelSymbols(arch fixture.Arch, n int, percpu bool) []fixture.KSymbol {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	base := arch.Base()
	syms := []fixture.KSymbol{
		{Addr: base, Type: 'T', Name: "_text"},
		{Addr: base, Type: 'T', Name: "_stext"},
		{Addr: base + 0x20, Type: 't', Name: "digits_0123456789.part.0"},
		{Addr: base + 0x24, Type: 'W', Name: strings.Repeat("Zq", 100)},
	}
	if percpu {
		syms = append([]fixture.KSymbol{{Addr: 0, Type: 'A', Name: "__per_cpu_start"}, {Addr: 0x4000, Type: 'A', Name: "cpu_number"}}, syms...)
	}
	addr := base + 0x40
	for i := len(syms); i < n-1; i++ {
		syms = append(syms, fixture.KSymbol{Addr: addr, Type: "tTdDbrRW"[r.IntN(8)], Name: fmt.Sprintf("function_%d_%s", r.IntN(n), randomName(r))})
		addr += uint64(r.IntN(4) * 8)
	}
	return append(syms, fixture.KSymbol{Addr: addr + 0x10, Type: 'T', Name: "start_kernel"})
}

// variant is a table with what there is to be found in it.
type variant struct {
	fixture.Kallsyms
	mode symbols.AddressMode
}

func (v variant) String() string {
	return fmt.Sprintf("%s-%s-%v-align%d-%d", v.Version, v.Mode, v.Arch, v.Align, len(v.Symbols))
}

// variants are all that kernels wrote, each small and large.
func variants() (all []variant) {
	modes := map[string]symbols.AddressMode{
		"addresses": symbols.AddressAbsolute, "offsets": symbols.AddressRelative,
		"percpu": symbols.AddressPercpu, "place": symbols.AddressPlace,
	}
	for _, arch := range arches {
		for _, version := range fixture.KallsymsVersions {
			of := map[string][]string{"2.6.11": {"addresses"}, "7.0": {"addresses", "place"}}[version]
			if of == nil {
				of = []string{"addresses", "offsets", "percpu"}
			}
			if version == "7.0" && arch.Class64 {
				of = of[1:]
			}
			aligns := []int{0}
			if slices.Contains([]string{"2.6.11", "4.6", "4.20"}, version) {
				aligns = append(aligns, map[bool]int{false: 16, true: 256}[arch.Class64])
			}
			for _, mode := range of {
				for _, align := range aligns {
					for _, n := range []int{9, 257, 2000} {
						syms := kernelSymbols(arch, n, mode == "percpu")
						if version < "6.1" { // one-byte lengths, and names that fit
							syms = slices.DeleteFunc(syms, func(s fixture.KSymbol) bool { return len(s.Name) > 127 })
						}
						all = append(all, variant{fixture.Kallsyms{Arch: arch, Version: version, Mode: mode, Align: align, Symbols: syms}, modes[mode]})
					}
				}
			}
		}
	}
	return all
}

// image is a piece of memory with the table in it, and other things around.
func (v variant) image(at uint64) ([]byte, fixture.Labels) {
	const before = 0x3000
	b := make([]byte, before)
	copy(b[0x2000:], "Linux version 6.1.0 \x00 0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00 no token table")
	for i := before - 0x300; i < before-0x100; i++ {
		b[i] = byte(i * 7)
	}
	table, labels := v.Bytes(at + before)
	for name := range labels {
		labels[name] += before
	}
	b = append(b, table...)
	return append(b, make([]byte, 0x40000)...), labels
}

func (v variant) kernel(b []byte) symbols.Kernel {
	order := map[bool]binary.ByteOrder{false: binary.LittleEndian, true: binary.BigEndian}[v.BigEndian]
	return symbols.Kernel{
		Pieces:   []symbols.Piece{{Addr: symbols.Addr(v.Base()), Bytes: b}},
		WordSize: v.WordSize(), Order: order,
	}
}

func (v variant) want() (all []symbols.Symbol) {
	for _, s := range v.Symbols {
		all = append(all, symbols.Symbol{Name: s.Name, Addr: symbols.Addr(s.Addr), Kind: symbols.Kind(s.Type)})
	}
	return all
}

func requireTable(t *testing.T, v variant, found *symbols.Kallsyms) {
	t.Helper()
	require.Equal(t, v.mode, found.Mode)
	require.Equal(t, v.WordSize(), found.WordSize)
	require.Equal(t, v.BigEndian, found.BigEndian)
	require.Equal(t, symbols.SourceKallsyms, found.Source())
	all, err := found.All()
	require.NoError(t, err)
	require.Equal(t, v.want(), all)
	if v.mode == symbols.AddressRelative || v.mode == symbols.AddressPercpu {
		require.Equal(t, symbols.Addr(v.RelativeBase()), found.RelativeBase)
	} else {
		require.Zero(t, found.RelativeBase)
	}
}

// Every layout that kernels had is read, in both byte orders and word sizes.
func TestKallsymsLayouts(t *testing.T) {
	seen := 0
	for _, v := range variants() {
		seen++
		t.Run(v.String(), func(t *testing.T) {
			b, _ := v.image(v.Base())
			found, err := symbols.FindKallsyms(v.kernel(b))
			require.NoError(t, err)
			requireTable(t, v, found)
		})
	}
	require.Greater(t, seen, 200)
}

// Where the word size and the byte order are not told, they are found out, or
// the table is refused: of a 7.0 kernel's distances the size of an address
// cannot be seen.
func TestKallsymsUnknownArch(t *testing.T) {
	for _, v := range variants() {
		if len(v.Symbols) < 1000 {
			continue
		}
		b, _ := v.image(v.Base())
		k := v.kernel(b)
		k.WordSize, k.Order = 0, nil
		found, err := symbols.FindKallsyms(k)
		if err != nil {
			require.Equal(t, symbols.AddressPlace, v.mode, "%v: %v", v, err)
			require.ErrorContains(t, err, "make sense in two ways")
			continue
		}
		requireTable(t, v, found)
	}
}

// modernKallsyms is a table like those of 6.12.
func modernKallsyms(mode string) variant {
	arch := arches[0]
	return variant{
		fixture.Kallsyms{Arch: arch, Version: "6.4", Mode: mode, Symbols: kernelSymbols(arch, 600, mode == "percpu")},
		map[string]symbols.AddressMode{"offsets": symbols.AddressRelative, "percpu": symbols.AddressPercpu}[mode],
	}
}

// What is no symbol table is refused, with a reason.
func TestKallsymsRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(v *variant, b []byte, at fixture.Labels) []byte
		want  string
	}{
		{"no table", func(_ *variant, b []byte, at fixture.Labels) []byte { return b[:at["names"]] }, "no kallsyms"},
		{"cut off in the tokens", func(_ *variant, b []byte, at fixture.Labels) []byte { return b[:at["token_index"]-3] }, "no kallsyms"},
		{"cut off in the index", func(_ *variant, b []byte, at fixture.Labels) []byte { return b[:at["token_index"]+511] }, "no kallsyms"},
		{"cut off in the offsets", func(_ *variant, b []byte, at fixture.Labels) []byte { return b[:at["offsets"]+100] }, "do not ascend|addresses are zero"},
		{"index is off", func(_ *variant, b []byte, at fixture.Labels) []byte { b[at["token_index"]+200]++; return b }, "no kallsyms"},
		{"marker is off", func(_ *variant, b []byte, at fixture.Labels) []byte { b[at["markers"]+4]++; return b }, "no names that agree with their markers"},
		{"number is off", func(_ *variant, b []byte, at fixture.Labels) []byte { b[at["num_syms"]]++; return b }, "no names that agree with their markers"},
		{"order is off", func(_ *variant, b []byte, at fixture.Labels) []byte {
			seqs := b[at["seqs_of_names"]:]
			copy(seqs[3:6], seqs[0:3])
			return b
		}, "seqs_of_names does not order the names"},
		{"addresses descend", func(_ *variant, b []byte, at fixture.Labels) []byte { b[at["offsets"]+4*300+3]++; return b }, "do not ascend"},
		{"addresses are all one", func(v *variant, b []byte, at fixture.Labels) []byte {
			clear(b[at["offsets"] : at["offsets"]+4*len(v.Symbols)])
			return b
		}, "share their address"},
		{"first offset is not zero", func(v *variant, b []byte, at fixture.Labels) []byte {
			for i := range v.Symbols {
				b[at["offsets"]+4*i+3] |= 1
			}
			return b
		}, "do not ascend"},
		{"base is zero", func(_ *variant, b []byte, at fixture.Labels) []byte {
			clear(b[at["relative_base"] : at["relative_base"]+8])
			return b
		}, "filled in by relocations"},
		{"base is another", func(_ *variant, b []byte, at fixture.Labels) []byte { b[at["relative_base"]+4]--; return b }, "functions would lie outside the image"},
		{"base makes it wrap", func(_ *variant, b []byte, at fixture.Labels) []byte {
			copy(b[at["relative_base"]:], "\xff\xff\xff\xff\xff\xff\xff\xff")
			return b
		}, "run over the end"},
		{"no start_kernel", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[len(v.Symbols)-1].Name = "start_kerne1"
			b, _ := v.image(v.Base())
			return b
		}, "no symbol start_kernel, which every kernel has"},
		{"no _text", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols = v.Symbols[2:]
			b, _ := v.image(v.Base())
			return b
		}, "no symbol _text, which every kernel has"},
		{"a type that is none", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[7].Type = '9'
			b, _ := v.image(v.Base())
			return b
		}, "has type '9'"},
		{"an undefined symbol", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[7].Type = 'U'
			b, _ := v.image(v.Base())
			return b
		}, "has type 'U'"},
		{"a name that is too long", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[9].Name = strings.Repeat("a_very_long_", 171)
			b, _ := v.image(v.Base())
			return b
		}, "a name of 2052 bytes"},
		{"linux_banner is elsewhere", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[7].Name = "linux_banner"
			b, _ := v.image(v.Base())
			return b
		}, "linux_banner would lie at 0xffffffff81[0-9a-f]+, where it is not"},
		{"its own arrays are elsewhere", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[7].Name = "kallsyms_names"
			b, _ := v.image(v.Base())
			return b
		}, "the arrays would lie 0x[0-9a-f]+ bytes from where they are"},
		{"its own arrays are in two places", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			v.Symbols[7].Name, v.Symbols[90].Name = "kallsyms_names", "kallsyms_token_table"
			b, _ := v.image(v.Base())
			return b
		}, "contradict each other"},
		{"no code", func(v *variant, _ []byte, _ fixture.Labels) []byte {
			for i := range v.Symbols {
				v.Symbols[i].Type = 'd'
			}
			b, _ := v.image(v.Base())
			return b
		}, "0 of 0 functions"},
		{"many tables", func(v *variant, b []byte, at fixture.Labels) []byte {
			return bytes.Repeat(b[at["token_table"]&^7:at["offsets"]], 40)
		}, "more than 16 token tables"},
		{"two tables", func(_ *variant, b []byte, _ fixture.Labels) []byte { return append(b, b...) }, "two symbol tables"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := modernKallsyms("offsets")
			b, labels := v.image(v.Base())
			b = test.spoil(&v, b, labels)
			found, err := symbols.FindKallsyms(v.kernel(b))
			require.Nil(t, found)
			require.Error(t, err)
			require.Regexp(t, test.want, err.Error())
			if test.want == "no kallsyms" {
				require.ErrorIs(t, err, symbols.ErrNoKallsyms)
			} else {
				require.NotErrorIs(t, err, symbols.ErrNoKallsyms)
			}
		})
	}
}

// What is left to relocations is asked for.
func TestKallsymsRelocated(t *testing.T) {
	for _, mode := range []string{"offsets", "addresses"} {
		for _, arch := range arches {
			v := variant{
				fixture.Kallsyms{Arch: arch, Version: "4.20", Mode: mode, Symbols: kernelSymbols(arch, 300, false)[:3:3]},
				map[string]symbols.AddressMode{"offsets": symbols.AddressRelative, "addresses": symbols.AddressAbsolute}[mode],
			}
			v.Symbols = append(v.Symbols, kernelSymbols(arch, 300, false)[4:]...)
			linked, _ := v.image(v.Base())
			v.RelocBase = true
			b, _ := v.image(v.Base())
			require.NotEqual(t, linked, b)

			k := v.kernel(b)
			_, err := symbols.FindKallsyms(k)
			require.ErrorIs(t, err, symbols.ErrUnrelocated)
			k.Read = func(from symbols.Addr, n int) ([]byte, error) {
				return linked[uint64(from)-v.Base():][:n], nil
			}
			found, err := symbols.FindKallsyms(k)
			require.NoError(t, err)
			requireTable(t, v, found)
			k.Read = func(symbols.Addr, int) ([]byte, error) { return nil, fmt.Errorf("torn") }
			_, err = symbols.FindKallsyms(k)
			require.ErrorContains(t, err, "torn")
		}
	}
}

// The order of names by what is before a dot, as clang's LTO has it, is one too.
func TestKallsymsCutOrder(t *testing.T) {
	v := modernKallsyms("offsets")
	for i := range v.Symbols {
		v.Symbols[i].Name = strings.NewReplacer("$", "_", ".", "_").Replace(v.Symbols[i].Name)
	}
	v.Symbols[5].Name, v.Symbols[6].Name = "zz$a", "zz.b"
	b, at := v.image(v.Base())
	seqs := b[at["seqs_of_names"]:]
	n := len(v.Symbols)
	find := func(i int) int {
		for s := range n {
			if int(seqs[3*s+1])<<8|int(seqs[3*s+2]) == i {
				return 3 * s
			}
		}
		return -1
	}
	first, second := find(5), find(6)
	require.Equal(t, first+3, second, "'$' is less than '.'")
	for i := range 3 {
		seqs[first+i], seqs[second+i] = seqs[second+i], seqs[first+i]
	}
	found, err := symbols.FindKallsyms(v.kernel(b))
	require.NoError(t, err)
	requireTable(t, v, found)
}

// What the kernel's own scripts/kallsyms.c of 6.1 and 6.12 made, assembled for
// four machines, reads as what it was given.
func TestKallsymsOfScripts(t *testing.T) {
	paths, err := filepath.Glob("../testdata/vmlinux-fixtures/kallsyms/*.bin")
	require.NoError(t, err)
	require.Len(t, paths, 14)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			part := strings.Split(strings.TrimSuffix(filepath.Base(path), ".bin"), "-")
			arch := map[string]fixture.Arch{"amd64": arches[0], "s390x": arches[1], "i386": arches[2], "mips": arches[3]}[part[0]]
			mode := part[2]
			text, err := os.ReadFile(fmt.Sprintf("%s/%d.map", filepath.Dir(path), 8*arch.WordSize()))
			require.NoError(t, err)
			want, ok := plainMap(string(text), 8*arch.WordSize())
			require.True(t, ok)
			want = slices.DeleteFunc(want, func(s symbols.Symbol) bool {
				return mode == "offsets" && s.Addr < 0x40000 // see the recipe
			})
			base := want[slices.IndexFunc(want, func(s symbols.Symbol) bool { return s.Name == "_text" })].Addr
			if mode == "percpu" {
				for i := range want {
					if want[i].Addr < base {
						want[i].Kind = 'A'
					}
				}
			}
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			k := variant{Kallsyms: fixture.Kallsyms{Arch: arch}}.kernel(nil)
			memory := make([]byte, 64<<20)
			banner := want[slices.IndexFunc(want, func(s symbols.Symbol) bool { return s.Name == "linux_banner" })].Addr
			copy(memory[banner-base:], "Linux version 6.12.117")
			k.Pieces = []symbols.Piece{{Addr: base, Bytes: memory}, {Addr: base + 0x100000, Bytes: b}}
			found, err := symbols.FindKallsyms(k)
			require.NoError(t, err)
			got, err := found.Sorted()
			require.NoError(t, err)
			for _, all := range [][]symbols.Symbol{got, want} { // the kernel has its own order of aliases
				slices.SortFunc(all, func(a, b symbols.Symbol) int {
					return cmp.Or(cmp.Compare(a.Addr, b.Addr), strings.Compare(a.Name, b.Name))
				})
			}
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, want[i], got[i])
			}
			require.Equal(t, map[string]symbols.AddressMode{
				"addresses": symbols.AddressAbsolute, "offsets": symbols.AddressRelative, "percpu": symbols.AddressPercpu,
			}[mode], found.Mode)
		})
	}
}
