package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// What a policy wants of the kernel of someCalls. In the wanted messages @f is
// the address of the first entry of f, and @f/1 that of the second.
func TestPolicyRules(t *testing.T) {
	for _, tt := range []struct {
		what, policy string
		want         []string
	}{
		{"nothing is wanted", "", nil},
		{"deferred, and it is", "deferred: [piix_init, uhci_init]", nil},
		{"deferred, and it runs at boot", "deferred: [ehci_hcd_init]", []string{
			"IS301 error new: ehci_hcd_init must be deferred (policy line 2), but runs at boot in level 6, at @ehci_hcd_init",
		}},
		{"with the reason", "deferred:\n  - {function: con_init, reason: slow\n     probe}", []string{
			"IS301 error new: con_init must be deferred (policy line 3: slow probe), but runs at boot in level console, at @con_init",
		}},
		{"deferred, of every module", "deferred: [phy_module_init]", []string{
			"IS301 error new: realtek:phy_module_init must be deferred (policy line 2), but runs at boot in level 6, at @phy_module_init",
			"IS301 error new: broadcom:phy_module_init must be deferred (policy line 2), but runs at boot in level 6, at @phy_module_init/1",
		}},
		{"deferred, of one module", "deferred: ['broadcom:phy_module_init']", []string{
			"IS301 error new: broadcom:phy_module_init must be deferred (policy line 2), but runs at boot in level 6, at @phy_module_init/1",
		}},
		{"not registered", "deferred: [helper]", []string{
			"IS301 error new: helper must be deferred (policy line 2), but no entry registers it, and the function, at 0xffffffff81000020, never runs as an initcall",
		}},
		{"optional and absent", "deferred: [{function: nvme_init, optional: true}]", nil},
		{"optional and wrong", "deferred: [{function: usb_init, optional: true}]", []string{
			"IS301 error new: usb_init must be deferred (policy line 2), but runs at boot in level 4, at @usb_init",
		}},
		{"not deferred, and it is not", "not-deferred: [usb_init, helper]", nil},
		{"not deferred, and it is", "not-deferred: [usb_init, uhci_init]", []string{
			"IS302 error new: uhci_init must not be deferred (policy line 2), but is deferred, at @uhci_init, and does not run at boot",
		}},
		{"levels that hold", `levels: {usb_init: 4, con_init: console, cpu_stop_init: early, probe_wait: 6s, "clk:clk_disable_unused": late sync, piix_init: deferred, phy_module_init: device}`, nil},
		{"another level", "levels: {usb_init: subsys sync}", []string{
			"IS303 error new: usb_init must be in level 4s (policy line 2), but runs at boot in level 4, at @usb_init",
		}},
		{"a sync level is one of its own", "levels:\n  probe_wait: {level: 6, reason: order}", []string{
			"IS303 error new: probe_wait must be in level 6 (policy line 3: order), but runs at boot in level 6s, at @probe_wait",
		}},
		{"one of two entries", "levels: {cpufreq_init: 4}", []string{
			"IS303 error new: cpufreq:cpufreq_init must be in level 4 (policy line 2), but runs at boot in level 7, at @cpufreq_init/1",
		}},
		{"a level, and it is deferred", "levels: {piix_init: 6}", []string{
			"IS303 error new: piix_init must be in level 6 (policy line 2), but is deferred, at @piix_init",
		}},
		{"a level, and it is not registered", "levels: {helper: 6}", []string{
			"IS303 error new: helper must be in level 6 (policy line 2), but no entry registers it, and the function, at 0xffffffff81000020, never runs as an initcall",
		}},
		{"orders that hold", "order: [{first: usb_init, then: ehci_hcd_init}, {first: piix_init, then: uhci_init}, {first: clk_disable_unused, then: piix_init}]", nil},
		{"the other order", "order: [{first: ehci_hcd_init, then: usb_init, reason: bus}]", []string{
			"IS304 error new: ehci_hcd_init must run before usb_init (policy line 2: bus), but it runs at boot in level 6, at @ehci_hcd_init, and the other runs at boot in level 4, at @usb_init: it runs after the other",
		}},
		{"every call before any call", "order: [{first: cpufreq_init, then: probe_wait}]", []string{
			"IS304 error new: cpufreq:cpufreq_init must run before probe_wait (policy line 2), but it runs at boot in level 7, at @cpufreq_init/1, and the other runs at boot in level 6s, at @probe_wait: it runs after the other",
		}},
		{"before what is before only one of two", "order: [{first: usb_init, then: phy_module_init}, {first: 'realtek:phy_module_init', then: 'broadcom:phy_module_init'}]", nil},
		{"the order of one level", "order: [{first: 'broadcom:phy_module_init', then: 'realtek:phy_module_init'}]", []string{
			"IS304 error new: broadcom:phy_module_init must run before realtek:phy_module_init (policy line 2), but it runs at boot in level 6, at @phy_module_init/1, and the other runs at boot in level 6, at @phy_module_init: it runs after the other",
		}},
		{"an order of what never runs", "order: [{first: helper, then: usb_init}, {first: usb_init, then: helper}]", []string{
			"IS304 error new: helper must run before usb_init (policy line 2), but no entry registers it, and the function, at 0xffffffff81000020, never runs as an initcall",
			"IS304 error new: helper must run after usb_init (policy line 2), but no entry registers it, and the function, at 0xffffffff81000020, never runs as an initcall",
		}},
		{"an order with what is absent", "order: [{first: nvme_init, then: usb_init, optional: true}, {first: usb_init, then: nvme_init, optional: true}]", nil},
	} {
		t.Run(tt.what, func(t *testing.T) {
			im := modern().Build()
			im.Define("helper", ".text", im.Base()+0x20, 0, fixture.Func)
			r, err := judge(t, im.Bytes(), "version: 1\n"+tt.policy+"\n", nil)
			require.NoError(t, err)
			require.Equal(t, withSlots(t, im, tt.want), policyLines(r))
		})
	}
}

// withSlots puts the builder's addresses in the place of @function.
func withSlots(t *testing.T, im *fixture.Image, lines []string) []string {
	t.Helper()
	replaced := []string{}
	for _, line := range lines {
		for _, function := range []string{"phy_module_init", "cpufreq_init"} {
			if mark := "@" + function + "/1"; strings.Contains(line, mark) {
				line = strings.ReplaceAll(line, mark, slot(t, im, function, 1))
			}
		}
		for _, r := range im.Rows {
			line = strings.ReplaceAll(line, "@"+r.Func, slot(t, im, r.Func, 0))
		}
		replaced = append(replaced, line)
	}
	return replaced
}

// What a finding is about is in its fields too.
func TestPolicyFindingFields(t *testing.T) {
	im := modern().Build()
	r, err := judge(t, im.Bytes(), "version: 1\norder: [{first: 'broadcom:phy_module_init', then: usb_init}]\n", nil)
	require.NoError(t, err)
	require.Len(t, r.Findings, 1)
	f := r.Findings[0]
	require.Equal(t, ruleOrder, f.Rule)
	require.Equal(t, []any{"phy_module_init", "broadcom", 6, elfscan.TableInitcall, "6", ".init.data", "usb_init"},
		[]any{f.Function, f.Module, f.Line, f.Table, f.Level, f.Section, f.Other})
	require.EqualValues(t, im.Rows[6].Slot, *f.Address)
	require.Equal(t, Key{"IS304", "phy_module_init", "broadcom", "initcall", "", ".init.data", "usb_init"}, f.Key())
}

// An entry outside of all tables is no entry, but known.
func TestPolicyLost(t *testing.T) {
	im := modern().Build()
	at := im.Section(".init.data").End() - 16
	im.Section(".init.data").Data = append(im.Section(".init.data").Data, make([]byte, 32)...)
	im.Define("__initcall__kmod_ata_piix__576_1788_piix_probe6", ".init.data", at+20, 0, 0)
	im.Define("__initcall__kmod_nvme__577_12_nvme_initdeferred", ".init.data", at+24, 0, 0)
	r, err := judge(t, im.Bytes(), `version: 1
deferred: [nvme_init]
not-deferred: [nvme_core_init, piix_probe]
levels: {"ata_piix:piix_probe": 6}
order: [{first: piix_probe, then: usb_init}]
`, nil)
	require.ErrorContains(t, err, `line 3, column 16: the image has no function "nvme_core_init": the nearest initcall is "nvme_init"`)
	require.Nil(t, r)
	r, err = judge(t, im.Bytes(), `version: 1
deferred: [nvme_init]
not-deferred: [piix_probe]
levels: {"ata_piix:piix_probe": 6}
order: [{first: piix_probe, then: usb_init}]
`, nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"IS301 error new: nvme_init must be deferred (policy line 2), but its entry, at " + hex(at+24) + ", lies in no table, and it never runs",
		"IS303 error new: ata_piix:piix_probe must be in level 6 (policy line 4), but its entry, at " + hex(at+20) + ", lies in no table, and it never runs",
		"IS304 error new: piix_probe must run before usb_init (policy line 5), but its entry, at " + hex(at+20) + ", lies in no table, and it never runs",
	}, policyLines(r))
	r, err = judge(t, im.Bytes(), "version: 1\nnot-deferred: [nvme_init]\n", nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"IS302 error new: nvme_init must not be deferred (policy line 2), but was registered as deferred: its entry, at " + hex(at+24) + ", lies in no table, and it never runs",
	}, policyLines(r))
}

func hex(a uint64) string { return fmt.Sprintf("%#x", a) }

// What a policy says must be possible to be true of the image.
func TestPolicyAgainstImage(t *testing.T) {
	withoutEntries := modern()
	withoutEntries.NoEntry = true
	old := modern()
	old.Era = fixture.OneTable
	before512 := modern()
	before512.Kmod = false
	for _, tt := range []struct {
		what   string
		kernel fixture.Kernel
		policy string
		want   string
	}{
		{
			"a misspelt function", modern(), "deferred: [ehci_hdc_init]",
			`line 2, column 12: the image has no function "ehci_hdc_init": the nearest initcall is "ehci_hcd_init"; one that not every image has must be optional`,
		},
		{
			"a misspelt module", modern(), "deferred:\n - function: boardcom:phy_module_init",
			`line 3, column 14: the image has no function "boardcom:phy_module_init": the nearest initcall is "broadcom:phy_module_init"; one that not every image has must be optional`,
		},
		{
			"another module's function", modern(), "levels: {'tty:usb_init': 4}",
			`line 2, column 10: the image has no function "tty:usb_init": the nearest initcall is "usbcore:usb_init"; one that not every image has must be optional`,
		},
		{
			"a misspelt function that must not be deferred", modern(), "not-deferred: [usb_initt]",
			`line 2, column 16: the image has no function "usb_initt": the nearest initcall is "usb_init"; one that not every image has must be optional`,
		},
		{
			"the second of an order", modern(), "order: [{first: usb_init, then: ehci_hc_init}]",
			`line 2, column 33: the image has no function "ehci_hc_init": the nearest initcall is "ehci_hcd_init"; one that not every image has must be optional`,
		},
		{
			"in a suppression", modern(), "suppress: [{rule: lost, function: uhci_ini, reason: r}]",
			`line 2, column 35: the image has no function "uhci_ini": the nearest initcall is "uhci_init"; one that not every image has must be optional`,
		},
		{
			"data is no function", modern(), "deferred: [linux_banner]",
			`line 2, column 12: the image has no function "linux_banner": the nearest initcall is "piix_init"; one that not every image has must be optional`,
		},
		{
			"modules are not known", before512, "deferred: ['usbcore:usb_init']",
			`line 2, column 12: "usbcore:usb_init" names a module, but no entry symbol of the image does: name the function alone`,
		},
		{
			"levels are not known", old, "levels: {usb_init: 4}",
			`line 2, column 10: cannot tell the level of usb_init: the image has no boundary symbols between the levels`,
		},
		{
			"sync levels are not known", withoutEntries, "levels: {usb_init: 4s}",
			`line 2, column 10: cannot tell whether usb_init is in level 4 or 4s: it has no entry symbol that says so`,
		},
		{
			"a function before itself", modern(), "order: [{first: 'usbcore:usb_init', then: usb_init}]",
			`line 2, column 43: usbcore:usb_init and usb_init are the same function`,
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			r, err := judge(t, tt.kernel.Build().Bytes(), "version: 1\n"+tt.policy+"\n", nil)
			require.EqualError(t, err, tt.want)
			require.IsType(t, &PolicyError{}, err)
			require.Nil(t, r)
		})
	}
}

// What such images do tell is judged.
func TestPolicyOfOldKernels(t *testing.T) {
	k := modern()
	k.NoEntry = true
	r, err := judge(t, k.Build().Bytes(), "version: 1\nlevels: {probe_wait: 6, con_init: console}\n", nil)
	require.NoError(t, err)
	require.Empty(t, policyLines(r))

	im := k.Build()
	r, err = judge(t, im.Bytes(), "version: 1\nlevels: {probe_wait: 4s}\n", nil)
	require.NoError(t, err)
	require.Equal(t, withSlots(t, im, []string{
		"IS303 error new: probe_wait must be in level 4s (policy line 2), but runs at boot in level 6, at @probe_wait",
	}), policyLines(r))

	k = modern()
	k.Era, k.Kmod = fixture.OneTable, false
	im = k.Build()
	r, err = judge(t, im.Bytes(), "version: 1\nlevels: {usb_init: deferred, piix_init: deferred}\ndeferred: [ehci_hcd_init]\n", nil)
	require.NoError(t, err)
	require.Equal(t, withSlots(t, im, []string{
		"IS301 error new: ehci_hcd_init must be deferred (policy line 3), but runs at boot, at @ehci_hcd_init",
		"IS303 error new: usb_init must be in level deferred (policy line 2), but runs at boot, at @usb_init",
	}), policyLines(r))
}

// LG's table is run group by group, in the order that user space chooses.
func TestPolicyOrderOfGroups(t *testing.T) {
	k := modern(
		fixture.Call{Table: "initcall", Level: "6", Func: "usb_init", Module: "usb", Line: 1},
		fixture.Call{Table: "deferred", Func: "piix_init", Group: "disk"},
		fixture.Call{Table: "deferred", Func: "ata_init", Group: "disk"},
		fixture.Call{Table: "deferred", Func: "ehci_init", Group: "usb"},
	)
	k.Arch, k.Encoding, k.Kmod = fixture.Arch{Machine: 40}, fixture.Absolute, false
	k.Deferred = fixture.Deferred{Section: ".user_initcall.init", Start: "__user_initcall_start", End: "__user_initcall_end", Layout: "lg"}
	im := k.Build()
	r, err := judge(t, im.Bytes(), "version: 1\norder: [{first: piix_init, then: ata_init}, {first: piix_init, then: ehci_init}, {first: usb_init, then: ehci_init}]\n", nil)
	require.NoError(t, err)
	require.Equal(t, withSlots(t, im, []string{
		"IS304 error new: piix_init must run before ehci_init (policy line 2), but it is deferred, at @piix_init, and the other is deferred, at @ehci_init: user space may run them in any order",
	}), policyLines(r))
}

// Names as the linker wrote them, aliases, and Rust's names of either form
// stand for the function.
func TestPolicyNames(t *testing.T) {
	for _, tt := range []struct{ fixture, policy string }{
		{"amd64-prel32-6.12", "levels: {zeta_init: 5, alpha_init: 5, 'alias:lower_init': 5}"},
		{"amd64-rust-6.12", "levels: {'foobar::init': 6, 'nested:foobar::probe::init': 6, _RNvCs1234_6foobar4init: {level: 7, optional: true}}"},
		{"amd64-lto-6.12", "levels: {init_hw_perf_events: early}"},
	} {
		for _, raw := range []bool{false, true} {
			im, err := elfscan.Open("../../testdata/vmlinux-fixtures/"+tt.fixture, elfscan.Options{})
			require.NoError(t, err)
			defer im.Close()
			s, err := im.Survey(elfscan.ListOptions{RawRust: raw})
			require.NoError(t, err)
			r, err := Run(im, s, Options{Policy: mustParse(t, "version: 1\n"+tt.policy)})
			require.NoError(t, err, tt.fixture)
			require.Empty(t, policyLines(r))
		}
	}
}
