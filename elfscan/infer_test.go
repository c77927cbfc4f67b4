package elfscan_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

var arm64 = fixture.Arch{Class64: true, Machine: emAArch64}

// manyCalls are enough for a table that is to be found without symbols.
func manyCalls() []fixture.Call {
	calls := []fixture.Call{
		{Table: "console", Func: "con_init", Module: "tty", Line: 1},
		{Table: "console", Func: "univ8250_console_init", Module: "8250", Line: 2},
	}
	for i, level := range strings.Fields("early early 0 0 1 1 1s 2 2 3 3s 4 4 4 5 5 5 rootfs 6 6 6 6 6 6 6 6 6 6s 6s 7 7 7 7 7 7 7 7s 7s") {
		calls = append(calls, fixture.Call{Table: "initcall", Level: level, Func: fmt.Sprintf("f%d_init", i), Module: "m", Line: i})
	}
	return calls
}

// nameless builds a kernel as one without CONFIG_KALLSYMS_ALL is: what it names
// is code. It has initcall_levels, and code that refers to where its tables
// begin and end.
func nameless(k fixture.Kernel, spoil func(*fixture.Image)) *fixture.Image {
	k.Calls, k.ConsoleLast = manyCalls(), true
	im := k.Build()
	initText := im.Section(".init.text")
	im.Define("_sinittext", ".init.text", initText.Addr, fixture.Global, 0)
	im.Define("_einittext", ".init.text", initText.End(), fixture.Global, 0)
	data := &fixture.Section{Name: ".data", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Write, Addr: im.Base() + 0x5800}
	for _, symbol := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
		data.Data = im.Word(data.Data, im.Find("__initcall"+symbol+"_start").Value)
	}
	data.Data = im.Word(data.Data, im.Find("__initcall_end").Value)
	im.Sections = append(im.Sections, data)
	for i, walker := range []struct{ name, from, to string }{
		{"do_pre_smp_initcalls", "__initcall_start", "__initcall0_start"},
		{"console_init", "__con_initcall_start", "__con_initcall_end"},
	} {
		refer(im, 32+32*i, im.Find(walker.from).Value)
		refer(im, 48+32*i, im.Find(walker.to).Value)
		im.Define(walker.name, ".text", im.Base()+32+32*uint64(i), 0, fixture.Func)
	}
	if spoil != nil {
		spoil(im)
	}
	im.Symbols = slices.DeleteFunc(im.Symbols, func(s fixture.Symbol) bool {
		return s.Section != ".text" && s.Section != ".init.text" || strings.HasPrefix(s.Name, "__")
	})
	return im
}

// refer puts an instruction, or a literal, into .text that has an address in it.
func refer(im *fixture.Image, at int, address uint64) {
	text := im.Section(".text").Data[at:]
	if im.Machine != emAMD64 {
		copy(text, im.Word(nil, address))
		return
	}
	copy(text, []byte{0x48, 0xc7, 0xc7}) // mov $imm32,%rdi
	binary.LittleEndian.PutUint32(text[3:], uint32(address))
}

// Without the names of boundaries and entries the same functions are found in
// the same places: only modules, lines, sync levels and level rootfs are not.
func TestInferTables(t *testing.T) {
	for name, k := range map[string]fixture.Kernel{
		"amd64 prel32":   modern(),
		"amd64 absolute": pointers(),
		"arm":            {Arch: arm, Encoding: fixture.Absolute, Era: fixture.PerLevel, Kmod: true},
		"arm64":          {Arch: arm64, Encoding: fixture.Prel32, Era: fixture.PerLevel, Kmod: true},
	} {
		t.Run(name, func(t *testing.T) {
			im := nameless(k, nil)
			var want []string
			for _, r := range im.Rows {
				level := r.Level
				if r.Table == "console" {
					level = "console"
				}
				if level = strings.TrimSuffix(level, "s"); level == "rootf" {
					level = "5"
				}
				want = append(want, line(r.Table, level, fmt.Sprintf("%x", r.Slot), fmt.Sprintf("%x", r.Target), r.Func, "", 0, ""))
			}
			l := mustList(t, im.Bytes())
			require.Equal(t, want, linesOf(l))
			require.False(t, l.SyncKnown)
			for _, table := range l.Tables {
				require.NotEmpty(t, table.Inferred)
				require.Empty(t, table.Start.Symbol)
			}
		})
	}
}

// What does not add up is no table.
func TestInferRefuses(t *testing.T) {
	slotOf := func(im *fixture.Image, function string) []byte {
		i := slices.IndexFunc(im.Rows, func(r fixture.Row) bool { return r.Func == function })
		data := im.Section(".init.data")
		return data.Data[im.Rows[i].Slot-data.Addr:][:4]
	}
	for _, test := range []struct {
		name  string
		spoil func(*fixture.Image)
		word  string
	}{
		{"no init text", func(im *fixture.Image) { im.Drop("_sinittext") }, "_sinittext"},
		{"no levels", func(im *fixture.Image) { clear(im.Section(".data").Data) }, "nine pointers"},
		{"levels out of order", func(im *fixture.Image) {
			d := im.Section(".data").Data
			copy(d[:8], d[32:40])
		}, "nine pointers"},
		{"two arrays of levels", func(im *fixture.Image) {
			d := im.Section(".data")
			d.Data = append(append(d.Data, make([]byte, 8)...), d.Data...)
		}, "more than one"},
		{"a null entry cuts the run", func(im *fixture.Image) { clear(slotOf(im, "f0_init")) }, "nothing refers to"},
		{"a null entry cuts off the early ones", func(im *fixture.Image) { clear(slotOf(im, "f1_init")) }, "no early ones"},
		{"a null entry of the console's", func(im *fixture.Image) { clear(slotOf(im, "univ8250_console_init")) }, "nothing refers to"},
		{"a null entry at the start of the console's", func(im *fixture.Image) { clear(slotOf(im, "con_init")) }, "as the console's table would be"},
		{"no walker of the console's, which a null entry begins", func(im *fixture.Image) {
			clear(slotOf(im, "con_init"))
			clear(im.Section(".text").Data[64:96])
		}, "nothing refers to"},
		{"an entry after the console's", func(im *fixture.Image) {
			d := im.Section(".init.data")
			d.Data = im.U32(d.Data, uint32(im.Func("f3_init")-d.End()))
		}, "nothing refers to"},
		{"the console's before the others", func(im *fixture.Image) {
			k := modern()
			k.Calls = manyCalls()
			*im.Section(".init.data") = *k.Build().Section(".init.data")
			levels := im.Section(".data").Data
			for i := range 9 { // the console's two entries are now before
				binary.LittleEndian.PutUint64(levels[8*i:], binary.LittleEndian.Uint64(levels[8*i:])+8)
			}
		}, "nothing refers to"},
		{"a null entry in the middle", func(im *fixture.Image) { clear(slotOf(im, "f20_init")) }, "no run of 30"},
		{"functions that are mostly elsewhere", func(im *fixture.Image) {
			im.Find("_sinittext").Value += 0x200
		}, "no run of 30"},
		{"a deferred table nobody knows where", func(im *fixture.Image) {
			im.Define("do_deferred_initcalls", ".text", im.Base()+8, fixture.Global, fixture.Func)
		}, "do_deferred_initcalls"},
	} {
		t.Run(test.name, func(t *testing.T) {
			requireRefused(t, nameless(modern(), test.spoil).Bytes(), test.word)
		})
	}
}

// A section for deferred entries is their table, if nothing else says where it
// is.
func TestInferDeferred(t *testing.T) {
	k := modern()
	k.Deferred = fixture.Original
	im := nameless(k, func(im *fixture.Image) {
		d := im.Section(".deferred_initcall.init")
		for _, f := range []string{"f5_init", "f4_init"} {
			d.Data = im.U32(d.Data, uint32(im.Func(f)-d.End()))
		}
	})
	l := mustList(t, im.Bytes())
	last := l.Tables[len(l.Tables)-1]
	require.Equal(t, elfscan.TableDeferred, last.Kind)
	require.Equal(t, 2, last.Count)
	require.Equal(t, "f4_init", l.Initcalls[len(l.Initcalls)-1].Name)
}
