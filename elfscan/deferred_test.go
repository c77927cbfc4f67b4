package elfscan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

var slowCalls = []fixture.Call{
	{Table: "deferred", Func: "sd_init", Group: "storage", Number: 3},
	{Table: "deferred", Func: "uvc_init", Group: "camera", Number: 0},
	{Table: "deferred", Func: "snd_init", Group: "storage", Number: 1},
	{Table: "deferred", Func: "fb_init", Group: "video", Number: 0},
}

// known are the variants that need no flags.
var known = map[string]fixture.Deferred{
	"Tim Bird": fixture.Original,
	"ports":    {Section: ".deferred_initcall.init", Start: "__deferred_initcall_start", End: "__deferred_initcall_end", Layout: "plain"},
	"LG":       {Section: ".user_initcall.init", Start: "__user_initcall_start", End: "__user_initcall_end", Layout: "lg"},
	"Sony":     {Section: ".deferred_initcall.init", Start: "__deferred_initcall_start", End: "__deferred_initcall_end", Layout: "sony"},
}

func deferredKernel(d fixture.Deferred, arch fixture.Arch) fixture.Kernel {
	k := fixture.Kernel{Arch: arch, Encoding: fixture.Absolute, Era: fixture.PerLevel, Calls: someCalls, Deferred: d}
	k.Calls = append(k.Calls[:len(k.Calls):len(k.Calls)], slowCalls...)
	return k
}

func TestDeferredVariants(t *testing.T) {
	layouts := map[string]elfscan.Layout{"plain": elfscan.LayoutPlain, "lg": elfscan.LayoutGroup, "sony": elfscan.LayoutList}
	for name, d := range known {
		for _, arch := range []fixture.Arch{arm, amd64, {BigEndian: true, Machine: emMIPS}, {Class64: true, BigEndian: true, Machine: emS390}} {
			t.Run(fmt.Sprintf("%s/%v", name, arch), func(t *testing.T) {
				k := deferredKernel(d, arch)
				im := k.Build()
				l := mustList(t, im.Bytes())
				rows := im.Rows[len(someCalls):]
				if d.Layout == "sony" { // by group, within one in the order of the table
					rows = []fixture.Row{rows[1], rows[3], rows[2], rows[0]}
				}
				calls := l.Initcalls[len(someCalls):]
				require.Len(t, calls, len(rows))
				for i, r := range rows {
					group := map[string]string{"plain": "", "lg": r.Group, "sony": fmt.Sprint(r.Number)}[d.Layout]
					c := calls[i]
					require.Equal(t, []any{r.Func, elfscan.LevelDeferred, elfscan.Addr(r.Slot), elfscan.Addr(r.Target), r.Entry, group},
						[]any{c.Display(), c.Level, c.Slot.Addr, c.Target.Addr, c.Entry, c.Group})
				}
				table := calls[0].Table
				words := map[string]int{"plain": 1, "lg": 2, "sony": 5}[d.Layout]
				require.Equal(t, layouts[d.Layout], table.Layout)
				require.Equal(t, words*arch.WordSize(), table.EntrySize)
				require.Equal(t, len(slowCalls), table.Count)
				require.Equal(t, d.Section, table.Section)
				require.Equal(t, elfscan.Boundary{Symbol: d.Start, Addr: elfscan.Addr(im.Find(d.Start).Value)}, table.Start)
			})
		}
	}
}

func TestDeferredFlags(t *testing.T) {
	own := fixture.Deferred{Section: ".slow.init", Start: "slow_begin", End: "slow_stop", Layout: "plain"}
	k := deferredKernel(own, amd64)
	all := k.Build()
	unbounded := k.Build()
	unbounded.Drop("slow_begin", "slow_stop")
	for _, test := range []struct {
		name  string
		image *fixture.Image
		flags elfscan.Deferred
		words []string // of the error; nil if the table is found
	}{
		{"symbols", all, elfscan.Deferred{Start: "slow_begin", End: "slow_stop"}, nil},
		{"symbols and section", all, elfscan.Deferred{Start: "slow_begin", End: "slow_stop", Section: ".slow.init"}, nil},
		{"section", unbounded, elfscan.Deferred{Section: ".slow.init"}, nil},
		{"start alone", all, elfscan.Deferred{Start: "slow_begin"}, []string{"both"}},
		{"end alone", all, elfscan.Deferred{End: "slow_stop"}, []string{"both"}},
		{"no such symbols", all, elfscan.Deferred{Start: "nope", End: "neither"}, []string{"deferred table", "nope"}},
		{"no such end", all, elfscan.Deferred{Start: "slow_begin", End: "neither"}, []string{"deferred table", "neither"}},
		{"no such section", all, elfscan.Deferred{Section: ".nope"}, []string{"deferred table", ".nope"}},
		{"another section", all, elfscan.Deferred{Start: "slow_begin", End: "slow_stop", Section: ".init.data"}, []string{".slow.init", ".init.data"}},
		{"a section of code", all, elfscan.Deferred{Section: ".init.text"}, []string{"deferred table", "no sense"}},
		{"a section without bytes", all, elfscan.Deferred{Section: ".bss"}, []string{".bss", "no bytes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := list(test.image.Bytes(), elfscan.ListOptions{Deferred: test.flags})
			if test.words != nil {
				requireError(t, l, err, test.words...)
				return
			}
			require.NoError(t, err)
			require.Equal(t, wanted(all, k), linesOf(l))
			table := l.Tables[len(l.Tables)-1]
			require.Equal(t, test.flags.Start == "", len(table.Inferred) > 0, "bounds that no symbol gives are marked")
		})
	}
	require.Len(t, mustList(t, all.Bytes()).Initcalls, len(someCalls), "without flags nobody can know")
}

func TestBadDeferredTables(t *testing.T) {
	for _, test := range []struct {
		name, variant string
		spoil         func(im *fixture.Image, data *fixture.Section)
		words         []string
	}{
		{"group number", "Sony", func(im *fixture.Image, data *fixture.Section) {
			for i := range slowCalls {
				copy(data.Data[20*i+16:], im.U32(nil, 1000))
			}
		}, []string{"deferred table", "no sense"}},
		{"group names", "LG", func(im *fixture.Image, data *fixture.Section) {
			for i := range slowCalls {
				copy(data.Data[8*i:], im.U32(nil, 0x40))
			}
		}, []string{"deferred table", "no sense"}},
		{"half an entry", "LG", func(im *fixture.Image, data *fixture.Section) {
			data.Data = append(data.Data, 0, 0, 0, 0)
			im.Find("__user_initcall_end").Value += 4
		}, []string{"deferred table", "no multiple of the 8"}},
		{"garbage", "Tim Bird", func(_ *fixture.Image, data *fixture.Section) {
			for i := range data.Data {
				data.Data[i] = 0x5a
			}
		}, []string{"deferred table", "no sense"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := known[test.variant]
			im := deferredKernel(d, arm).Build()
			test.spoil(im, im.Section(d.Section))
			requireRefused(t, im.Bytes(), test.words...)
		})
	}
}

// An empty deferred table is a table, and it has no entries.
func TestEmptyDeferredTable(t *testing.T) {
	k := pointers()
	k.Deferred = fixture.Original
	im := k.Build()
	l := mustList(t, im.Bytes())
	require.Equal(t, wanted(im, k), linesOf(l))
	require.Equal(t, elfscan.TableDeferred, l.Tables[2].Kind)
	require.Zero(t, l.Tables[2].Count)
}

// What makes a deferred table run is told by the name of the file in /proc.
func TestTrigger(t *testing.T) {
	for _, test := range []struct{ variant, bytes, word string }{
		{"Tim Bird", "", ""},
		{"Tim Bird", "deferred_initcalls\x00", "reads /proc/deferred_initcalls"},
		{"ports", "\x00deferred_initcalls\x00", "reads /proc/deferred_initcalls"},
		{"Sony", "\x00snsc_deferred_initcalls\x00", "/proc/snsc_deferred_initcalls"},
		{"LG", "\x00usercalls\x00", "/proc/usercalls"},
		// What runs another kind of table, or is no name of a file, says nothing.
		{"Tim Bird", "\x00snsc_deferred_initcalls\x00", ""},
		{"Tim Bird", "\x00do_deferred_initcalls\x00", ""},
		{"Tim Bird", "\x00usercalls\x00", ""},
		{"LG", "\x00deferred_initcalls\x00", ""},
		{"Tim Bird", "\x00deferred_initcalls of another kind\x00", ""},
	} {
		im := deferredKernel(known[test.variant], amd64).Build()
		data := im.Section(".rodata")
		data.Data = append(data.Data, test.bytes...)
		got := mustList(t, im.Bytes()).Tables[2].Trigger
		if test.word == "" {
			require.Empty(t, got, "%s: %q", test.variant, test.bytes)
		}
		require.Contains(t, got, test.word, "%s: %q", test.variant, test.bytes)
	}
}
