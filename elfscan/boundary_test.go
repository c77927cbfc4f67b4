package elfscan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// Every way in which the boundary symbols of a table can be bad must be an
// error that names the symbol or the address.
func TestBadBoundaries(t *testing.T) {
	define := func(name string, value uint64) func(*fixture.Image) {
		return func(im *fixture.Image) { im.Define(name, ".init.data", value, fixture.Global, 0) }
	}
	start := pointers().Build().Find("__initcall_start").Value
	for _, test := range []struct {
		name  string
		spoil func(*fixture.Image)
		words []string
	}{
		{
			"twice at two addresses", define("__initcall_start", start+8),
			[]string{"__initcall_start is defined twice", fmt.Sprintf("%#x", start), fmt.Sprintf("%#x", start+8)},
		},
		{"level twice", define("__initcall6_start", start), []string{"__initcall6_start is defined twice"}},
		{"no start", func(im *fixture.Image) { im.Drop("__initcall_start") }, []string{"no __initcall_start"}},
		{"no end", func(im *fixture.Image) { im.Drop("__initcall_end") }, []string{"no __initcall_end"}},
		{"neither", func(im *fixture.Image) { im.Drop("__initcall_start", "__initcall_end") }, []string{"no table of initcalls"}},
		{"console without start", func(im *fixture.Image) { im.Drop("__con_initcall_start") }, []string{"console table", "no __con_initcall_start"}},
		{"console without end", func(im *fixture.Image) { im.Drop("__con_initcall_end") }, []string{"console table", "no __con_initcall_end"}},
		{"deferred without end", define("__def_initcall_start", start), []string{"deferred table", "no __def_initcall_end"}},
		{"reversed", func(im *fixture.Image) {
			a, b := im.Find("__initcall_start"), im.Find("__initcall_end")
			a.Value, b.Value = b.Value, a.Value
		}, []string{"reversed"}},
		{"levels reversed", func(im *fixture.Image) {
			a, b := im.Find("__initcall1_start"), im.Find("__initcall6_start")
			a.Value, b.Value = b.Value, a.Value
		}, []string{"reversed", "__initcall1_start"}},
		{"level before the table", func(im *fixture.Image) { im.Find("__initcall0_start").Value = start - 8 }, []string{"reversed"}},
		{"level behind the table", func(im *fixture.Image) {
			im.Find("__initcall7_start").Value = im.Find("__initcall_end").Value + 8
		}, []string{"reversed", "__initcall7_start"}},
		{"level in an entry", func(im *fixture.Image) { im.Find("__initcall6_start").Value += 4 }, []string{"__initcall6_start", "no multiple of the 8"}},
		{"end in an entry", func(im *fixture.Image) { im.Find("__initcall_end").Value -= 3 }, []string{"__initcall_end", "no multiple of the 8"}},
		{"start beside an entry", func(im *fixture.Image) {
			im.Find("__initcall_start").Value--
		}, []string{"__initcall_start", "no multiple of the 8"}},
		{"end behind the section", func(im *fixture.Image) { im.Find("__initcall_end").Value += 8 }, []string{"beyond the end of .init.data"}},
		{"end behind everything", func(im *fixture.Image) { im.Find("__initcall_end").Value = im.Base() + 0x10000 }, []string{"beyond the end of .init.data"}},
		{"start before everything", func(im *fixture.Image) { im.Find("__initcall_start").Value = im.Base() - 16 }, []string{"no section"}},
		{"far too large", func(im *fixture.Image) { im.Find("__initcall_start").Value = 8 }, []string{"far too large"}},
		{"in no bytes", func(im *fixture.Image) {
			s := im.Section(".init.data")
			s.Type, s.Size, s.Data = fixture.Nobits, uint64(len(s.Data)), nil
		}, []string{".init.data", "no bytes", "debug file"}},
		{"in .bss", func(im *fixture.Image) {
			for i := range im.Symbols {
				if im.Symbols[i].Section == ".init.data" {
					im.Symbols[i].Value += 0x2000 - 0x10
				}
			}
		}, []string{".bss", "no bytes"}},
		{"in two sections", func(im *fixture.Image) {
			im.Sections = append(im.Sections, &fixture.Section{
				Name: ".over", Type: fixture.Progbits, Flags: fixture.Alloc, Addr: start + 20, Data: make([]byte, 64),
			})
		}, []string{".init.data", ".over"}},
		{"empty", func(im *fixture.Image) {
			for i := range im.Symbols {
				if im.Symbols[i].Section == ".init.data" {
					im.Symbols[i].Value = start
				}
			}
		}, []string{"no table of initcalls", "empty"}},
		{"the whole of .text", func(im *fixture.Image) {
			im.Find("__initcall_start").Value = im.Base()
			im.Find("__initcall0_start").Value = im.Base()
		}, []string{"beyond the end of .text"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			im := pointers().Build()
			test.spoil(im)
			requireRefused(t, im.Bytes(), test.words...)
		})
	}
}

// A second definition at the same address says nothing new.
func TestBoundaryTwiceAtOneAddress(t *testing.T) {
	k := modern()
	im := k.Build()
	im.Define("__initcall_start", ".init.data", im.Find("__initcall_start").Value, fixture.Weak, 0)
	require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
}

// A table of 32-bit offsets has no need of alignment and may begin anywhere.
func TestOddPrel32Table(t *testing.T) {
	for pad := range 8 {
		im := modern().Build()
		for _, section := range []string{".init.data", ".init.text"} {
			im.Section(section).Addr += uint64(pad)
			for i := range im.Symbols {
				if im.Symbols[i].Section == section {
					im.Symbols[i].Value += uint64(pad)
				}
			}
		}
		l := mustList(t, im.Bytes())
		for i, r := range im.Rows {
			require.EqualValues(t, r.Slot+uint64(pad), l.Initcalls[i].Slot.Addr)
			require.EqualValues(t, r.Target+uint64(pad), l.Initcalls[i].Target.Addr)
		}
	}
}

// Where the boundary of a level is missing, the level of the entries before it
// cannot be told from its own.
func TestMissingLevelBoundary(t *testing.T) {
	for _, test := range []struct{ drop, from, to string }{
		{"__initcall1_start", "0", "1s"},
		{"__initcall6_start", "rootfs", "6"},
		{"__initcallrootfs_start", "5", "rootfs"},
	} {
		t.Run(test.drop, func(t *testing.T) {
			im := modern().Build()
			im.Drop(test.drop)
			unknown := false
			for i, c := range mustList(t, im.Bytes()).Initcalls {
				row := im.Rows[i]
				unknown = unknown || row.Level == test.from
				want := row.Level
				if row.Table == "console" {
					want = "console"
				}
				if unknown {
					want = "unknown"
				}
				unknown = unknown && (row.Level != test.to || i+1 < len(im.Rows) && im.Rows[i+1].Level == test.to)
				require.Equal(t, want, c.Level.String(), "%s", c.Display())
			}
		})
	}
}

// On 32 bits an offset may lead once around the address space.
func TestPrel32AroundZero(t *testing.T) {
	for _, far := range []uint64{0x1000, 0x10000000, 0xfffff000} {
		k := modern()
		k.Arch = fixture.Arch{Machine: em386}
		im := k.Build()
		text, data := im.Section(".init.text"), im.Section(".init.data")
		for i := range im.Symbols {
			if s := &im.Symbols[i]; s.Section == ".init.text" {
				s.Value += far - text.Addr
			}
		}
		for i := range im.Rows {
			r := &im.Rows[i]
			r.Target += far - text.Addr
			copy(data.Data[r.Slot-data.Addr:], im.U32(nil, uint32(r.Target)-uint32(r.Slot)))
		}
		text.Addr = far
		require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
	}
}

// The bytes may make sense both as pointers and as offsets: then nobody knows.
func TestTwoEncodingsFit(t *testing.T) {
	k := modern()
	k.Arch, k.Calls, k.NoEntry = fixture.Arch{Machine: em386}, nil, true
	for i := range 4 {
		k.Calls = append(k.Calls, fixture.Call{Table: "initcall", Level: "6", Func: fmt.Sprintf("f%d_init", i)})
	}
	im := k.Build()
	data := im.Section(".init.data")
	for i, r := range im.Rows {
		// A word that as an offset hits function i, and as a pointer another one.
		word := uint32(r.Target - r.Slot)
		im.Symbols = append(im.Symbols, fixture.Symbol{
			Name: fmt.Sprintf("g%d_init", i), Value: uint64(word), Section: "low.text", Type: fixture.Func,
		})
	}
	low := uint64(uint32(im.Rows[0].Target-im.Rows[0].Slot)) - 0x1000
	im.Sections = append(im.Sections, &fixture.Section{
		Name: "low.text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Addr: low, Data: make([]byte, 0x2000),
	})
	require.NotEmpty(t, data.Data)
	requireRefused(t, im.Bytes(), "initcall table", "absolute and prel32")
}

func TestTwoEncodingsFitDeferred(t *testing.T) {
	im := deferredKernel(fixture.Original, fixture.Arch{Machine: em386}).Build()
	low := &fixture.Section{Name: "low.text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Addr: 0x80000000, Data: make([]byte, 0x20000)}
	for i, r := range im.Rows[len(someCalls):] { // as offsets, the pointers lead here
		at := uint64(uint32(r.Slot) + uint32(r.Target))
		im.Symbols = append(im.Symbols, fixture.Symbol{Name: fmt.Sprintf("g%d", i), Value: at, Section: "low.text", Type: fixture.Func})
		require.Less(t, at-low.Addr, uint64(len(low.Data)))
	}
	im.Sections = append(im.Sections, low)
	requireRefused(t, im.Bytes(), "deferred table", "absolute and prel32")
}

func TestNoEncodingFits(t *testing.T) {
	for _, a := range arches {
		k := modern()
		k.Arch, k.Encoding = a.Arch, a.Encoding
		im := k.Build()
		data := im.Section(".init.data").Data
		for i := range data {
			data[i] = byte(i*7 + 1)
		}
		requireRefused(t, im.Bytes(), "initcall table", "no sense in any encoding")
	}
}

// A bad entry or two do not hide what the table is: they are listed as what
// they are.
func TestBadEntries(t *testing.T) {
	im := pointers().Build()
	data := im.Section(".init.data")
	put := func(row int, value uint64) {
		copy(data.Data[im.Rows[row].Slot-data.Addr:], im.Word(nil, value))
	}
	put(3, im.Rows[3].Target+0x10)       // inside a function
	put(5, 0)                            // nowhere
	put(7, im.Section(".rodata").Addr+1) // in data
	put(9, im.Base()+0x10)               // behind _text, which is no function
	l := mustList(t, im.Bytes())
	require.Equal(t, "ipc_ns_init+0x10", l.Initcalls[3].Display())
	require.EqualValues(t, 0x10, l.Initcalls[3].Offset)
	require.EqualValues(t, im.Rows[3].Target+0x10, l.Initcalls[3].Target.Addr)
	require.Equal(t, "", l.Initcalls[5].Display())
	require.Equal(t, "0", l.Initcalls[5].Target.String())
	require.Equal(t, "", l.Initcalls[5].Target.Section)
	require.Equal(t, "", l.Initcalls[7].Display())
	require.Equal(t, ".rodata", l.Initcalls[7].Target.Section)
	require.Equal(t, "_text+0x10", l.Initcalls[9].Display())
	for i, r := range im.Rows {
		require.EqualValues(t, r.Slot, l.Initcalls[i].Slot.Addr)
		if i != 3 && i != 5 && i != 7 && i != 9 {
			require.Equal(t, r.Func, l.Initcalls[i].Display())
		}
	}
}

// A symbol table whose entry symbols mostly name other functions than the
// entries hold is not this image's.
func TestForeignSymtab(t *testing.T) {
	im := modern().Build()
	for i := range im.Symbols {
		if s := &im.Symbols[i]; s.Type == fixture.Func {
			s.Name = fmt.Sprintf("other_%c", 'a'+i)
		}
	}
	requireRefused(t, im.Bytes(), "does not belong to this image")
}

func TestNoSymbols(t *testing.T) {
	im := modern().Build()
	im.Symbols = nil
	_, err := open(im.Bytes())
	require.ErrorIs(t, err, elfscan.ErrNoSymbols)

	im = modern().Build()
	im.Drop("__initcall_start", "__initcall_end")
	_, err = list(im.Bytes(), elfscan.ListOptions{})
	require.ErrorIs(t, err, elfscan.ErrNoTable)
}
