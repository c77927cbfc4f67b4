package check

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
)

// saved is what a document of the kernel of someCalls says, but for what edit
// does to it.
func saved(edit func(*Saved)) *Saved {
	s := &Saved{SyncKnown: true}
	for _, c := range someCalls {
		r := Registered{Level: c.Level, Function: c.Func, Module: c.Module}
		if c.Table != "initcall" {
			r.Level = c.Table
		}
		s.Initcalls = append(s.Initcalls, r)
	}
	edit(s)
	return s
}

func without(functions ...string) func(*Saved) {
	return func(s *Saved) {
		s.Initcalls = slices.DeleteFunc(s.Initcalls, func(r Registered) bool { return slices.Contains(functions, r.Function) })
	}
}

func change(function string, edit func(*Registered)) func(*Saved) {
	return func(s *Saved) {
		for i := range s.Initcalls {
			if s.Initcalls[i].Function == function {
				edit(&s.Initcalls[i])
				return
			}
		}
	}
}

func TestFrozenLevels(t *testing.T) {
	const all = "levels: [console, early, 4, 6, 6s, 7, 7s, deferred]"
	for _, tt := range []struct {
		what, frozen string
		saved        func(*Saved)
		want         []string
	}{
		{"nothing is new", all, func(*Saved) {}, nil},
		{"one is new", all, without("ehci_hcd_init"), []string{
			"IS305 error new: ehci_hcd_init is new in level 6, at @ehci_hcd_init: list.json (policy line 2) does not have it there",
		}},
		{"new in a level that is not frozen", "levels: [4, 7]", without("ehci_hcd_init", "probe_wait", "piix_init"), nil},
		{"one is gone", all, func(s *Saved) { s.Initcalls = append(s.Initcalls, Registered{"6", "old_init", "old"}) }, nil},
		{"moved into the level", "levels: [4]", change("usb_init", func(r *Registered) { r.Level = "6" }), []string{
			"IS305 error new: usb_init is new in level 4, at @usb_init: list.json (policy line 2) has it in level 6",
		}},
		{"moved from a base level to its sync level", all, change("probe_wait", func(r *Registered) { r.Level = "6" }), []string{
			"IS305 error new: probe_wait is new in level 6s, at @probe_wait: list.json (policy line 2) has it in level 6",
		}},
		{"the same function of another module", all, change("phy_module_init", func(r *Registered) { r.Module = "vitesse" }), []string{
			"IS305 error new: phy_module_init is new in level 6, at @phy_module_init: list.json (policy line 2) does not have it there",
		}},
		{"one more of the same", "levels: [4, 7]", change("cpufreq_init", func(r *Registered) { r.Level = "7" }), []string{
			"IS305 error new: cpufreq_init is new in level 4, at @cpufreq_init: list.json (policy line 2) has it in level 7",
		}},
		{"allowed", all + ", allow: [{function: ehci_hcd_init, reason: r}, {function: nvme_init, reason: r, optional: true}]", without("ehci_hcd_init"), nil},
		{"allowed of one module", all + ", allow: [{function: 'realtek:phy_module_init', reason: r}]", without("phy_module_init"), []string{
			"IS305 error new: phy_module_init is new in level 6, at @phy_module_init/1: list.json (policy line 2) does not have it there",
		}},
		{"allowed, and not new", all + ", allow: [{function: usb_init, reason: r}]", func(*Saved) {}, []string{
			"IS306 warning new: the policy allows usb_init to be new (policy line 2), but it is not new in a frozen level: the line can go",
		}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			im := modern().Build()
			r, err := judge(t, im.Bytes(), "version: 1\nfrozen: {baseline: list.json, "+tt.frozen+"}\n", saved(tt.saved))
			require.NoError(t, err)
			require.Equal(t, withSlots(t, im, tt.want), policyLines(r))
		})
	}
}

// Of entries that are the same in level, function and module as many are known
// as the document has; the last ones are new.
func TestFrozenCountsEquals(t *testing.T) {
	twice := fixture.Call{Table: "initcall", Level: "6", Func: "a_init", Module: "a", Line: 1}
	im := modern(twice, twice, twice).Build()
	doc := &Saved{SyncKnown: true, Initcalls: []Registered{{"6", "a_init", "a"}, {"6", "a_init", "a"}}}
	r, err := judge(t, im.Bytes(), "version: 1\nfrozen: {levels: [6], baseline: l.json}\n", doc)
	require.NoError(t, err)
	require.Equal(t, []string{
		"IS305 error new: a_init is new in level 6, at " + slot(t, im, "a_init", 2) + ": l.json (policy line 2) does not have it there",
	}, policyLines(r))
}

// Without modules on either side functions are compared alone.
func TestFrozenWithoutModules(t *testing.T) {
	k := modern()
	k.Kmod = false
	im := k.Build()
	noModules := func(s *Saved) {
		without("ehci_hcd_init")(s)
		for i := range s.Initcalls {
			s.Initcalls[i].Module = ""
		}
	}
	r, err := judge(t, im.Bytes(), "version: 1\nfrozen: {levels: [4, 6], baseline: l.json}\n", saved(noModules))
	require.NoError(t, err)
	require.Equal(t, withSlots(t, im, []string{
		"IS305 error new: ehci_hcd_init is new in level 6, at @ehci_hcd_init: l.json (policy line 2) does not have it there",
	}), policyLines(r))
}

func TestFrozenAgainstImage(t *testing.T) {
	noEntry, noKmod, oneTable := modern(), modern(), modern()
	noEntry.NoEntry, noKmod.Kmod, oneTable.Era = true, false, fixture.OneTable
	same := func(*Saved) {}
	for _, tt := range []struct {
		what   string
		kernel fixture.Kernel
		levels string
		saved  func(*Saved)
		want   string
	}{
		{"levels of the document", modern(), "[4]", change("con_init", func(r *Registered) { r.Level = "unknown" }), "list.json does not tell the level of every initcall"},
		{"a level that is none", modern(), "[4]", change("con_init", func(r *Registered) { r.Level = "9" }), `list.json: unknown level "9": want one of console, security, early, 0, 0s, 1, 1s, 2, 2s, 3, 3s, 4, 4s, 5, 5s, rootfs, 6, 6s, 7, 7s, deferred, init, exit`},
		{"levels of the image", oneTable, "[4]", same, "levels cannot be frozen: the image has no boundary symbols between them"},
		{"sync levels of the document", modern(), "[4]", func(s *Saved) { s.SyncKnown = false }, "list.json does not tell sync levels apart, and the image does: save it from an image with entry symbols"},
		{"sync levels of the image", noEntry, "[7]", same, "list.json tells sync levels apart, and the image, for want of entry symbols, does not"},
		{"sync levels of both", noEntry, "[7, 7s]", func(s *Saved) { s.SyncKnown = false }, "level 7s cannot be frozen: without entry symbols it cannot be told from level 7"},
		{"modules of the document", modern(), "[console]", func(s *Saved) {
			for i := range s.Initcalls {
				s.Initcalls[i].Module = ""
			}
		}, "list.json does not name modules, and the image does: save it from an image with entry symbols"},
		{"modules of the image", noKmod, "[4]", same, "list.json names modules, and the image's entry symbols do not"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			r, err := judge(t, tt.kernel.Build().Bytes(), "version: 1\nfrozen:\n  levels: "+tt.levels+"\n  baseline: list.json\n", saved(tt.saved))
			require.EqualError(t, err, "line 4, column 13: "+tt.want)
			require.Nil(t, r)
		})
	}
	r, err := judge(t, modern().Build().Bytes(), "version: 1\nfrozen: {levels: [4], baseline: list.json}\n", nil)
	require.EqualError(t, err, "line 2, column 33: list.json was not read")
	require.Nil(t, r)
}

func TestPolicyDocument(t *testing.T) {
	require.Empty(t, mustParse(t, "version: 1").Document())
	require.Equal(t, "../l.json", mustParse(t, "version: 1\nfrozen: {levels: [4], baseline: ../l.json}").Document())
}
