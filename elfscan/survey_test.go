package elfscan_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

func survey(t *testing.T, data []byte) *elfscan.Survey {
	t.Helper()
	im, err := open(data)
	require.NoError(t, err)
	s, err := im.Survey(elfscan.ListOptions{})
	require.NoError(t, err)
	return s
}

// faultsOf gives each fault as its table, kind and boundary symbol.
func faultsOf(s *elfscan.Survey) []string {
	var faults []string
	for _, f := range s.Faults {
		faults = append(faults, fmt.Sprintf("%s %s %s", f.Table, f.Kind, f.At.Symbol))
	}
	return faults
}

// Nothing is wrong with the fixtures, and surveyed they are as they are listed.
func TestSurveyFixtures(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(fixtureDir, "*.tsv"))
	require.NoError(t, err)
	require.Greater(t, len(paths), 40)
	for _, path := range paths {
		path = strings.TrimSuffix(path, ".tsv")
		if strings.HasSuffix(path, ".stripped") {
			continue
		}
		im, err := elfscan.Open(path, elfscan.Options{})
		require.NoError(t, err)
		s, err := im.Survey(elfscan.ListOptions{})
		require.NoError(t, err, path)
		require.Empty(t, s.Faults, path)
		l, err := im.List(elfscan.ListOptions{})
		require.NoError(t, err)
		require.Equal(t, linesOf(l), linesOf(s.Listing))
		require.NoError(t, im.Close())
	}
}

// Each fault is recorded, and what does not lie in the faulty part is listed as
// if there were none.
func TestSurveyFaults(t *testing.T) {
	k := pointers()
	k.Calls = append(slices.Clone(someCalls), fixture.Call{Table: "deferred", Func: "piix_init"}, fixture.Call{Table: "deferred", Func: "uhci_hcd_init"})
	k.Deferred = fixture.Original
	clean := k.Build()
	all := wanted(clean, k)
	notOf := func(table string) (rest []string) {
		for i, r := range clean.Rows {
			if r.Table != table {
				rest = append(rest, all[i])
			}
		}
		return rest
	}
	start := clean.Find("__initcall_start").Value
	for _, test := range []struct {
		name   string
		spoil  func(*fixture.Image)
		faults []string
		listed []string
	}{
		{"nothing", func(*fixture.Image) {}, nil, all},
		{"half", func(im *fixture.Image) { im.Drop("__def_initcall_end") }, []string{"deferred half __def_initcall_start"}, notOf("deferred")},
		{"other half", func(im *fixture.Image) { im.Drop("__con_initcall_start") }, []string{"console half __con_initcall_end"}, notOf("console")},
		{"reversed", func(im *fixture.Image) {
			a, b := im.Find("__def_initcall_start"), im.Find("__def_initcall_end")
			a.Value, b.Value = b.Value, a.Value
		}, []string{"deferred reversed __def_initcall_start"}, notOf("deferred")},
		{"outside its section", func(im *fixture.Image) {
			im.Find("__def_initcall_end").Value += 8
		}, []string{"deferred outside __def_initcall_start"}, notOf("deferred")},
		{"in no section", func(im *fixture.Image) {
			im.Find("__def_initcall_start").Value = im.Base() - 16
			im.Find("__def_initcall_end").Value = im.Base() - 8
		}, []string{"deferred outside __def_initcall_start"}, notOf("deferred")},
		{"empty", func(im *fixture.Image) {
			for i := range im.Symbols {
				if s := &im.Symbols[i]; strings.HasPrefix(s.Name, "__initcall") && !strings.HasSuffix(s.Name, "con") && s.Section == ".init.data" {
					s.Value = start
				}
			}
		}, []string{"initcall empty __initcall_start"}, notOf("initcall")},
		{"a level missing", func(im *fixture.Image) { im.Drop("__initcall7_start") }, []string{"initcall level-missing __initcall7_start"}, nil},
		{"an odd end", func(im *fixture.Image) { im.Find("__def_initcall_end").Value -= 3 }, []string{"deferred size __def_initcall_start"}, all[:len(all)-1]},
		{"a start before the first entry", func(im *fixture.Image) {
			d := im.Section(".deferred_initcall.init")
			d.Addr -= 3
			d.Data = append(make([]byte, 3), d.Data...)
			im.Find("__def_initcall_start").Value -= 3
		}, []string{"deferred misaligned __def_initcall_start"}, all},
		{"two", func(im *fixture.Image) {
			im.Drop("__def_initcall_end", "__con_initcall_start")
		}, []string{"console half __con_initcall_end", "deferred half __def_initcall_start"}, slices.DeleteFunc(notOf("console"), func(l string) bool {
			return strings.HasPrefix(l, "deferred")
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			im := k.Build()
			test.spoil(im)
			s := survey(t, im.Bytes())
			require.Equal(t, test.faults, faultsOf(s))
			if test.listed != nil {
				require.Equal(t, test.listed, linesOf(s.Listing))
			}
			if test.faults != nil && test.name != "a level missing" {
				_, err := list(im.Bytes(), elfscan.ListOptions{})
				require.Error(t, err)
			}
		})
	}
}

// A table that starts a whole entry early is not misaligned: the kernel takes
// what lies there for an entry, and then reads the others as they are.
func TestSurveyStartsAnEntryEarly(t *testing.T) {
	k := modern()
	k.Calls = []fixture.Call{
		{Table: "initcall", Level: "early", Func: "cpu_stop_init", Module: "stop_machine", Line: 27},
		{Table: "initcall", Level: "6", Func: "ehci_hcd_init", Module: "ehci_hcd", Line: 1400},
	}
	im := k.Build()
	start, data := im.Find("__initcall_start"), im.Section(".init.data")
	early := start.Value
	copy(data.Data[early-4-data.Addr:], []byte{1, 0, 0, 0})
	start.Value = early - 4
	s := survey(t, im.Bytes())
	require.Empty(t, s.Faults)
	require.Len(t, s.Initcalls, len(im.Rows)+1)
	var slots []uint64
	for i := range s.Initcalls {
		if c := &s.Initcalls[i]; c.Table.Kind == elfscan.TableInitcall {
			slots = append(slots, uint64(c.Slot.Addr))
		}
	}
	require.Equal(t, []uint64{early - 4, early}, slots[:2])
	first := s.Initcalls[slices.IndexFunc(s.Initcalls, func(c elfscan.Initcall) bool { return c.Table.Kind == elfscan.TableInitcall })]
	require.False(t, first.Sound())
	require.EqualValues(t, early-3, first.Target.Addr)
}

// With level 7 before level 6 each entry is still in the level whose boundary
// it lies behind.
func TestSurveyLevelOrder(t *testing.T) {
	k := modern()
	k.Calls = []fixture.Call{
		{Table: "initcall", Level: "5", Func: "proc_cpuinfo_init", Module: "proc", Line: 28},
		{Table: "initcall", Level: "7", Func: "late_trace_init", Module: "trace", Line: 1},
		{Table: "initcall", Level: "6", Func: "ehci_hcd_init", Module: "ehci_hcd", Line: 1400},
	}
	im := k.Build()
	slot := map[string]uint64{}
	for _, r := range im.Rows {
		slot[r.Level] = r.Slot
	}
	im.Find("__initcall7_start").Value, im.Find("__initcall6_start").Value = slot["7"], slot["6"]
	for _, l := range []string{"rootfs", "5", "4", "3", "2", "1", "0"} {
		im.Find("__initcall" + l + "_start").Value = slot["5"]
	}
	im.Find("__initcallrootfs_start").Value = slot["7"]
	s := survey(t, im.Bytes())
	require.Equal(t, []string{"initcall level-order __initcall6_start"}, faultsOf(s))
	var levels []string
	for _, c := range s.Initcalls {
		levels = append(levels, c.Level.String()+" "+c.Name)
	}
	require.Equal(t, []string{"5 proc_cpuinfo_init", "7 late_trace_init", "6 ehci_hcd_init"}, levels)
}

// What no fault of a table explains is an error, for a survey too.
func TestSurveyRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*fixture.Image)
		word  string
	}{
		{"no table", func(im *fixture.Image) { im.Drop("__initcall_start", "__initcall_end") }, "no table of initcalls"},
		{"no bytes", func(im *fixture.Image) {
			s := im.Section(".init.data")
			s.Type, s.Size, s.Data = fixture.Nobits, uint64(len(s.Data)), nil
		}, "debug file"},
		{"zero", func(im *fixture.Image) { clear(im.Section(".init.data").Data) }, "zero"},
		{"no functions", func(im *fixture.Image) {
			im.Symbols = slices.DeleteFunc(im.Symbols, func(s fixture.Symbol) bool { return s.Type == fixture.Func })
		}, "make no sense in any encoding"},
	} {
		t.Run(test.name, func(t *testing.T) {
			im := pointers().Build()
			test.spoil(im)
			opened, err := open(im.Bytes())
			require.NoError(t, err)
			s, err := opened.Survey(elfscan.ListOptions{})
			require.Nil(t, s)
			require.ErrorContains(t, err, test.word)
		})
	}
}
