package elfscan_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// rX8664PC32 and r38632 are what compilers use for entries; their values are
// from the psABIs.
const rX8664PC32, r38632 = 2, 1

// objectFile is an object file under construction: .init.text holds functions
// of 16 bytes, each entry section one entry.
type objectFile struct {
	fixture.File
	rel bool // relocations keep their addend in place
}

func newObject(arch fixture.Arch, rel bool) *objectFile {
	o := &objectFile{File: fixture.File{Arch: arch, Type: fixture.TypeRel}, rel: rel}
	o.Sections = []*fixture.Section{{
		Name: ".init.text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Data: make([]byte, 256),
	}}
	o.Symbols = []fixture.Symbol{{Section: ".init.text", Type: fixture.SectionSym}}
	return o
}

func (o *objectFile) function(name string, at uint64) {
	o.Symbols = append(o.Symbols, fixture.Symbol{Name: name, Section: ".init.text", Value: at, Size: 16, Type: fixture.Func})
}

// entry adds a section with one entry of so many bytes, relocated by the
// symbol of this index.
func (o *objectFile) entry(section string, size int, typ, symbol uint32, addend uint64) {
	s := &fixture.Section{Name: section, Type: fixture.Progbits, Flags: fixture.Alloc, Data: make([]byte, size)}
	info := uint64(symbol)<<8 | uint64(typ)
	if o.Class64 {
		info = uint64(symbol)<<32 | uint64(typ)
	}
	r := &fixture.Section{Name: ".rela" + section, Type: fixture.Rela, Link: ".symtab", Info: uint32(len(o.Sections) + 1)}
	r.Data = o.Word(o.Word(nil, 0), info)
	if o.rel {
		r.Name, r.Type = ".rel"+section, fixture.Rel
		copy(s.Data, o.Word(nil, addend))
	} else {
		r.Data = o.Word(r.Data, addend)
	}
	o.Sections = append(o.Sections, s, r)
}

func TestObjects(t *testing.T) {
	for _, test := range []struct {
		name string
		fixture.Arch
		rel  bool
		size int
		typ  uint32
	}{
		{"x86-64 pointers", amd64, false, 8, rX866464},
		{"x86-64 offsets", amd64, false, 4, rX8664PC32},
		{"i386 pointers in place", fixture.Arch{Machine: em386}, true, 4, r38632},
		{"s390x pointers", fixture.Arch{Class64: true, BigEndian: true, Machine: emS390}, false, 8, r39064},
		{"arm pointers in place", arm, true, 4, rARMAbs32},
		{"riscv64 pointers", fixture.Arch{Class64: true, Machine: emRISCV}, false, 8, rRISCV64},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newObject(test.Arch, test.rel)
			o.function("probe", 0x20)
			o.function("late", 0x40)
			o.Symbols = append(o.Symbols, fixture.Symbol{Name: "elsewhere", Bind: fixture.Global})
			o.entry(".initcall7.init", test.size, test.typ, 3, 0)              // by the function's own symbol
			o.entry(".initcall6.init", test.size, test.typ, 1, 0x20)           // by that of its section
			o.entry(".initcallearly.init", test.size, test.typ, 1, 0x48)       // into the middle of one
			o.entry(".con_initcall.init", test.size, test.typ, 4, 0)           // in another file
			o.entry(".deferred_initcall0s.init", test.size, test.typ, 1, 0x20) // Samsung's
			l := mustList(t, o.Bytes())
			require.Equal(t, []string{
				"console console 0 - elsewhere - - -",
				"initcall early 0 48 late+0x8 - - -",
				"initcall 6 0 20 probe - - -",
				"initcall 7 0 40 late - - -",
				"deferred deferred 0 20 probe - - -",
			}, linesOf(l))
			require.True(t, l.SyncKnown)
			require.Equal(t, test.size, l.Tables[0].EntrySize)
			require.Equal(t, ".init.text", l.Initcalls[2].Target.Section)
		})
	}
}

// An LTO build gives each entry a section of its own, in any order; their
// numbers tell the order in which they will be linked.
func TestLTOSections(t *testing.T) {
	o := newObject(amd64, false)
	for i := range 4 {
		o.function(fmt.Sprintf("f%d", i), uint64(16*i))
	}
	for i, name := range []string{
		".initcall6.init..kmod_core__10_7_f0", ".initcall6.init..kmod_core__9_300_f1",
		".initcall6s.init..kmod_core__1_5_f2", ".initcall6.init..11_4_f3", // Android's form
	} {
		o.entry(name, 4, rX8664PC32, uint32(2+i), 0)
	}
	var order []string
	for _, c := range mustList(t, o.Bytes()).Initcalls {
		order = append(order, c.Level.String()+" "+c.Display())
	}
	require.Equal(t, []string{"6 f1", "6 f0", "6 f3", "6s f2"}, order)
}

// With -ffunction-sections a large object has more sections than 16 bits can
// count.
func TestManySections(t *testing.T) {
	o := newObject(amd64, false)
	for i := range 0x10000 {
		o.Sections = append(o.Sections, &fixture.Section{Name: ".text." + strconv.Itoa(i), Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Data: []byte{0xc3}})
	}
	o.Symbols = append(o.Symbols, fixture.Symbol{Name: "last", Section: ".text.65535", Type: fixture.Func})
	o.Symbols = append(o.Symbols, fixture.Symbol{Name: "other", Section: ".text.255", Type: fixture.Func})
	o.entry(".initcall6.init", 4, rX8664PC32, 2, 0)
	o.entry(".initcall7.init", 4, rX8664PC32, 3, 0)
	l := mustList(t, o.Bytes())
	require.Equal(t, []string{"initcall 6 0 0 last - - -", "initcall 7 0 0 other - - -"}, linesOf(l))
	require.Equal(t, ".text.65535", l.Initcalls[0].Target.Section)
}

func TestBadObjects(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(o *objectFile)
		words []string
	}{
		{"no entries", func(*objectFile) {}, []string{"no table of initcalls"}},
		{"no symbols", func(o *objectFile) {
			o.entry(".initcall6.init", 8, rX866464, 2, 0)
			o.Symbols = nil
		}, []string{"no symbol table"}},
		{"no relocations", func(o *objectFile) {
			o.entry(".initcall6.init", 8, rX866464, 2, 0)
			o.Section(".rela.initcall6.init").Data = nil
		}, []string{"initcall table", "no relocations"}},
		{"half an entry", func(o *objectFile) {
			o.entry(".initcall6.init", 12, rX866464, 2, 0)
		}, []string{"initcall table", ".initcall6.init"}},
		{"a relocation of data", func(o *objectFile) {
			o.Sections = append(o.Sections, &fixture.Section{Name: ".data", Type: fixture.Progbits, Flags: fixture.Alloc, Data: []byte{1}})
			o.Symbols = append(o.Symbols, fixture.Symbol{Name: "variable", Section: ".data", Type: fixture.Object})
			o.entry(".initcall6.init", 8, rX866464, 3, 0)
		}, []string{"initcall table"}},
		{"an unknown relocation", func(o *objectFile) { o.entry(".initcall6.init", 8, 250, 2, 0) }, []string{"initcall table"}},
		{"a relocation for symbol 99", func(o *objectFile) { o.entry(".initcall6.init", 8, rX866464, 99, 0) }, []string{"symbol 99 of 3"}},
		{"half a relocation", func(o *objectFile) {
			o.entry(".initcall6.init", 8, rX866464, 2, 0)
			r := o.Section(".rela.initcall6.init")
			r.Data = r.Data[:20]
		}, []string{".rela.initcall6.init", "entry size"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newObject(amd64, false)
			o.function("probe", 0)
			test.build(o)
			requireRefused(t, o.Bytes(), test.words...)
		})
	}
}

// module is a .ko whose struct module points at init and, if there is one, at
// exit.
func module(defined string) *objectFile {
	o := newObject(amd64, false)
	o.function("own_init", 0x10)
	o.function("own_exit", 0x30)
	for i, name := range []string{"init_module", "cleanup_module"} {
		s := fixture.Symbol{Name: name, Bind: fixture.Global}
		if strings.Contains(defined, name) {
			s.Section, s.Value, s.Type = ".init.text", uint64(0x10+0x20*i), fixture.Func
		}
		o.Symbols = append(o.Symbols, s)
	}
	o.entry(".gnu.linkonce.this_module", 512, rX866464, 4, 0)
	r := o.Section(".rela.gnu.linkonce.this_module")
	r.Data = nil
	for i := range 2 {
		r.Data = o.U64(o.U64(o.U64(r.Data, uint64(0x138+0x40*i)), uint64(4+i)<<32|rX866464), 0)
	}
	o.Sections = append(o.Sections, &fixture.Section{Name: ".modinfo", Type: fixture.Progbits, Flags: fixture.Alloc, Data: []byte("license=GPL\x00name=dummy\x00vermagic=6.1.0 SMP mod_unload \x00")})
	return o
}

func TestModules(t *testing.T) {
	im, err := open(module("init_module cleanup_module").Bytes())
	require.NoError(t, err)
	require.Equal(t, elfscan.ContainerModule, im.Container)
	require.Equal(t, "6.1.0", im.Identity.Release)
	l, err := im.List(elfscan.ListOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"module init 138 10 own_init dummy - -", "module exit 178 30 own_exit dummy - -"}, linesOf(l))
	require.Equal(t, "init_module", l.Initcalls[0].Aliases[0].Name)

	// One that cannot be unloaded has no cleanup_module, and may even refer to one.
	require.Equal(t, []string{"module init 138 10 own_init dummy - -"}, linesOf(mustList(t, module("init_module").Bytes())))

	requireRefused(t, module("").Bytes(), "no table of initcalls")
	lost := module("init_module cleanup_module")
	lost.Section(".rela.gnu.linkonce.this_module").Data = nil
	requireRefused(t, lost.Bytes(), "module table", "init_module", "does not point at it")
}
