package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

// wrong is a policy that finds seven things in the kernel of someCalls.
const wrong = `version: 1
deferred: [usb_init, phy_module_init]
not-deferred: [piix_init]
levels: {usb_init: 6, cpufreq_init: 6}
`

// counts are the findings by rule and by whether they count.
func counts(r *Result) map[string]int {
	n := map[string]int{}
	for i := range r.Findings {
		n[r.Findings[i].Rule.ID+" "+string(r.Findings[i].Status)]++
	}
	return n
}

func TestSuppress(t *testing.T) {
	for _, tt := range []struct {
		what, policy string
		want         map[string]int
	}{
		{"nothing", "", map[string]int{"IS301 new": 3, "IS302 new": 1, "IS303 new": 3}},
		{"a function", "suppress: [{rule: IS302, function: piix_init, reason: r}]", map[string]int{
			"IS301 new": 3, "IS302 suppressed": 1, "IS303 new": 3,
		}},
		{"by the rule's name", "suppress: [{rule: policy-level, function: usb_init, reason: r}]", map[string]int{
			"IS301 new": 3, "IS302 new": 1, "IS303 new": 2, "IS303 suppressed": 1,
		}},
		{"of all modules", "suppress: [{rule: IS301, function: phy_module_init, reason: r}]", map[string]int{
			"IS301 new": 1, "IS301 suppressed": 2, "IS302 new": 1, "IS303 new": 3,
		}},
		{"of one module", "suppress: [{rule: IS301, function: 'realtek:phy_module_init', reason: r}]", map[string]int{
			"IS301 new": 2, "IS301 suppressed": 1, "IS302 new": 1, "IS303 new": 3,
		}},
		{"twice", "suppress: [{rule: IS301, function: phy_module_init, reason: r}, {rule: IS301, function: 'realtek:phy_module_init', reason: s}]", map[string]int{
			"IS301 new": 1, "IS301 suppressed": 2, "IS302 new": 1, "IS303 new": 3,
		}},
		{"another rule", "suppress: [{rule: IS304, function: usb_init, reason: r}]", map[string]int{
			"IS301 new": 3, "IS302 new": 1, "IS303 new": 3, "IS306 new": 1,
		}},
		{"a table", "suppress: [{rule: IS301, table: initcall, reason: r}]", map[string]int{
			"IS301 new": 3, "IS302 new": 1, "IS303 new": 3, "IS306 new": 1,
		}},
		{"what is absent", "suppress: [{rule: IS301, function: nvme_init, optional: true, reason: r}]", map[string]int{
			"IS301 new": 3, "IS302 new": 1, "IS303 new": 3,
		}},
		{"a rule that is off", "suppress: [{rule: IS302, function: piix_init, reason: r}]\nrules: {IS302: {off: true, reason: r}}", map[string]int{
			"IS301 new": 3, "IS303 new": 3,
		}},
		{"nothing, and that is off", "suppress: [{rule: IS304, function: usb_init, reason: r}]\nrules: {IS306: {off: true, reason: r}}", map[string]int{
			"IS301 new": 3, "IS302 new": 1, "IS303 new": 3,
		}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			r, err := judge(t, modern().Build().Bytes(), wrong+tt.policy+"\n", nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, counts(r))
			for _, f := range r.Findings {
				require.Equal(t, f.Status == Suppressed, f.Reason == "r")
			}
		})
	}
}

func TestUselessSuppression(t *testing.T) {
	r, err := judge(t, modern().Build().Bytes(), `version: 1
suppress:
  - {rule: lost, function: "usbcore:usb_init", reason: r}
  - {rule: IS203, table: deferred, reason: r}
`, nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"IS306 warning new: the policy suppresses IS203 for the deferred table (policy line 4), but it is not found there: the line can go",
		"IS306 warning new: the policy suppresses IS107 for usbcore:usb_init (policy line 3), but it is not found there: the line can go",
	}, policyLines(r))
	require.Equal(t, elfscan.TableDeferred, r.Findings[0].Table)
	require.Equal(t, []string{"usb_init", "usbcore"}, []string{r.Findings[1].Function, r.Findings[1].Module})
}

// A table's own findings are suppressed by the table; those about functions
// in it are not.
func TestSuppressTable(t *testing.T) {
	e := &examiner{}
	e.add(ruleForeign, "about the table").Table = elfscan.TableDeferred
	e.add(ruleForeign, "about another").Table = elfscan.TableInitcall
	f := e.add(ruleForeign, "about an entry")
	f.Table, f.Function = elfscan.TableDeferred, "piix_init"
	e.add(ruleSize, "another rule").Table = elfscan.TableDeferred
	p := mustParse(t, "version: 1\nsuppress: [{rule: foreign, table: deferred, reason: vendor}]\n")
	require.NoError(t, p.suppress(e, &roster{}))
	require.Len(t, e.findings, 4)
	require.Equal(t, []Status{Suppressed, New, New, New}, []Status{e.findings[0].Status, e.findings[1].Status, e.findings[2].Status, e.findings[3].Status})
	require.Equal(t, "vendor", e.findings[0].Reason)
}

// An entry that points into a function is about that function; a finding may
// name it by any of its names.
func TestSuppressNames(t *testing.T) {
	e := &examiner{}
	e.add(ruleInside, "").Function = "drv_init+0x4"
	e.add(ruleInside, "").Function = "drv_real_init"
	e.add(ruleInside, "").Function = "drv_init2"
	known := &roster{calls: map[string][]*elfscan.Initcall{"drv_init": {{Symbol: "drv_real_init", Name: "drv_real_init"}}}}
	p := mustParse(t, "version: 1\nsuppress: [{rule: IS103, function: drv_init, reason: r}]\n")
	require.NoError(t, p.suppress(e, known))
	require.Equal(t, []Status{Suppressed, Suppressed, New}, []Status{e.findings[0].Status, e.findings[1].Status, e.findings[2].Status})
}

func TestRuleChanges(t *testing.T) {
	r, err := judge(t, modern().Build().Bytes(), wrong+`rules:
  policy-level: {off: true, reason: "not\n  yet"}
  IS301: {severity: note, reason: later}
  IS304: {severity: warning, reason: none}
`, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"IS301 new": 3, "IS302 new": 1}, counts(r))
	require.Equal(t, []RuleChange{
		{Rule: ruleMustDefer, Severity: Note, Reason: "later", Findings: 3},
		{Rule: ruleLevel, Off: true, Reason: "not yet", Findings: 3},
		{Rule: ruleOrder, Severity: Warning, Reason: "none"},
	}, r.Changes)
	require.Equal(t, []Severity{Error, Note, Note, Note}, // the worst first
		[]Severity{r.Findings[0].Severity, r.Findings[1].Severity, r.Findings[2].Severity, r.Findings[3].Severity})
	require.Equal(t, 1, r.Worst(Warning))
}
