package check

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

var amd64 = fixture.Arch{Class64: true, Machine: 62}

// someCalls are entries in the order of the tables. Two modules have a
// phy_module_init, and cpufreq_init is registered twice.
var someCalls = []fixture.Call{
	{Table: "console", Func: "con_init", Module: "tty", Line: 3571},
	{Table: "initcall", Level: "early", Func: "cpu_stop_init", Module: "stop_machine", Line: 27},
	{Table: "initcall", Level: "4", Func: "usb_init", Module: "usbcore", Line: 1128},
	{Table: "initcall", Level: "4", Func: "cpufreq_init", Module: "cpufreq", Line: 36},
	{Table: "initcall", Level: "6", Func: "ehci_hcd_init", Module: "ehci_hcd", Line: 1400},
	{Table: "initcall", Level: "6", Func: "phy_module_init", Module: "realtek", Line: 5},
	{Table: "initcall", Level: "6", Func: "phy_module_init", Module: "broadcom", Line: 6},
	{Table: "initcall", Level: "6s", Func: "probe_wait", Module: "dd", Line: 43},
	{Table: "initcall", Level: "7", Func: "cpufreq_init", Module: "cpufreq", Line: 45},
	{Table: "initcall", Level: "7s", Func: "clk_disable_unused", Module: "clk", Line: 1471},
	{Table: "deferred", Func: "piix_init"},
	{Table: "deferred", Func: "uhci_init"},
}

// modern is a kernel of today with a deferred table.
func modern(calls ...fixture.Call) fixture.Kernel {
	if calls == nil {
		calls = someCalls
	}
	return fixture.Kernel{
		Arch: amd64, Encoding: fixture.Prel32, Era: fixture.PerLevel, Kmod: true,
		Calls: calls, Deferred: fixture.Original,
	}
}

// slot is where the builder put the n-th entry of a function, from 0.
func slot(t *testing.T, im *fixture.Image, function string, n int) string {
	t.Helper()
	for _, r := range im.Rows {
		if r.Func != function {
			continue
		}
		if n == 0 {
			return fmt.Sprintf("%#x", r.Slot)
		}
		n--
	}
	require.FailNow(t, "no entry of "+function)
	return ""
}

// judge runs a policy of this text against an image. What other rules find is
// left out: the builder's functions of one name are one, and nothing walks its
// tables.
func judge(t *testing.T, data []byte, text string, saved *Saved) (*Result, error) {
	t.Helper()
	im, err := elfscan.OpenBytes("vmlinux", data, elfscan.Options{})
	require.NoError(t, err)
	s, err := im.Survey(elfscan.ListOptions{})
	require.NoError(t, err)
	p := mustParse(t, text)
	if saved != nil {
		p.SetDocument(saved)
	}
	r, err := Run(im, s, Options{Policy: p})
	if err == nil {
		r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Rule.ID < ruleMustDefer.ID })
	}
	return r, err
}

func mustParse(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(text))
	require.NoError(t, err)
	return p
}

// policyLines are the findings by the rules of a policy, the worst first, each
// with the severity, whether it counts, and what it says.
func policyLines(r *Result) []string {
	lines := []string{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Rule.ID > "IS300" {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s", f.Rule.ID, f.Severity, f.Status, f.Message))
		}
	}
	return lines
}
