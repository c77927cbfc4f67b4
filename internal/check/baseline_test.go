package check

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// checkAgainst runs a policy, whose rules come last, and a baseline against an
// image. What the builder's kernels have wrong is left out.
func checkAgainst(t *testing.T, data []byte, policy string, b *Baseline) *Result {
	t.Helper()
	im, err := elfscan.OpenBytes("vmlinux", data, elfscan.Options{})
	require.NoError(t, err)
	s, err := im.Survey(elfscan.ListOptions{})
	require.NoError(t, err)
	r, err := Run(im, s, Options{Policy: mustParse(t, policy+"  IS108: {off: true, reason: r}\n  IS205: {off: true, reason: r}\n"), Baseline: b})
	require.NoError(t, err)
	return r
}

// written is a result's baseline after it was written and read.
func written(t *testing.T, r *Result) (*Baseline, string) {
	t.Helper()
	text, err := NewBaseline(r).JSON()
	require.NoError(t, err)
	b, err := ReadBaseline(text)
	require.NoError(t, err)
	return b, string(text)
}

// What a baseline holds is known; one more of the same is not, and what is
// gone was fixed.
func TestBaseline(t *testing.T) {
	policy := wrong + "suppress: [{rule: IS302, function: piix_init, reason: r}, {rule: IS304, function: usb_init, reason: r}]\nrules:\n"
	before := modern().Build().Bytes()
	b, text := written(t, checkAgainst(t, before, policy, nil))
	require.Equal(t, `{
  "schema": {"name":"initsect.baseline","version":1},
  "findings": [
    {"rule":"IS301","function":"phy_module_init","module":"broadcom","table":"initcall","section":".init.data","symbol":null,"other":null,"count":1},
    {"rule":"IS301","function":"phy_module_init","module":"realtek","table":"initcall","section":".init.data","symbol":null,"other":null,"count":1},
    {"rule":"IS301","function":"usb_init","module":"usbcore","table":"initcall","section":".init.data","symbol":null,"other":null,"count":1},
    {"rule":"IS303","function":"cpufreq_init","module":"cpufreq","table":"initcall","section":".init.data","symbol":null,"other":null,"count":2},
    {"rule":"IS303","function":"usb_init","module":"usbcore","table":"initcall","section":".init.data","symbol":null,"other":null,"count":1},
    {"rule":"IS306","function":"usb_init","module":null,"table":null,"section":null,"symbol":null,"other":null,"count":1}
  ]
}
`, text)
	require.Equal(t, 7, b.Len())

	r := checkAgainst(t, before, policy, b)
	require.Equal(t, map[string]int{"IS301 known": 3, "IS302 suppressed": 1, "IS303 known": 3, "IS306 known": 1}, counts(r))
	require.Empty(t, r.Fixed)
	require.Zero(t, r.Worst(Note))

	var after []fixture.Call
	for _, c := range someCalls {
		if c.Func == "usb_init" {
			after = append(after, fixture.Call{Table: "initcall", Level: "1", Func: "padding_init", Module: "p", Line: 1})
		}
		if c.Module != "broadcom" { // fixed
			c.Line += 100 // and all addresses move
			after = append(after, c)
		}
	}
	again := fixture.Call{Table: "initcall", Level: "7", Func: "cpufreq_init", Module: "cpufreq", Line: 300}
	last := len(after) - 2 // before the deferred ones
	after = append(after[:last:last], append([]fixture.Call{again}, after[last:]...)...)
	r = checkAgainst(t, modern(after...).Build().Bytes(), policy, b)
	require.Equal(t, map[string]int{"IS301 known": 2, "IS302 suppressed": 1, "IS303 known": 3, "IS303 new": 1, "IS306 known": 1}, counts(r))
	require.Equal(t, []Key{{"IS301", "phy_module_init", "broadcom", "initcall", "", ".init.data", ""}}, r.Fixed)
	require.Equal(t, 1, r.Worst(Error))

	b, _ = written(t, r) // refreshed, it knows all
	require.Zero(t, checkAgainst(t, modern(after...).Build().Bytes(), policy, b).Worst(Note))
}

// Neither a suppression nor a rule that is off mends anything.
func TestBaselineNothingFixed(t *testing.T) {
	image := modern().Build().Bytes()
	b, _ := written(t, checkAgainst(t, image, wrong+"rules:\n", nil))
	r := checkAgainst(t, image, wrong+"suppress: [{rule: IS302, function: piix_init, reason: r}]\nrules:\n  IS301: {off: true, reason: r}\n", b)
	require.Equal(t, map[string]int{"IS302 suppressed": 1, "IS303 known": 3}, counts(r))
	require.Empty(t, r.Fixed)
}

// Two equal findings of which one is gone: one is fixed.
func TestBaselineFixedOfEquals(t *testing.T) {
	finding := Finding{Rule: ruleNull, Table: elfscan.TableInitcall, Status: New}
	b := NewBaseline(&Result{Findings: []Finding{finding, finding, finding}})
	r := &Result{Findings: []Finding{finding}}
	b.apply(r)
	require.Equal(t, Known, r.Findings[0].Status)
	require.Equal(t, []Key{finding.Key(), finding.Key()}, r.Fixed)
	require.Equal(t, 3, b.Len()) // as it was
}

// A Rust function has the same key however its name is printed, and a name that
// is no UTF-8 survives a document.
func TestBaselineNames(t *testing.T) {
	raw := Finding{Rule: ruleLost, Function: "_RNvNtCs1234_6foobar5probe4init"}
	demangled := Finding{Rule: ruleLost, Function: "foobar::probe::init"}
	require.Equal(t, demangled.Key(), raw.Key())

	odd := Finding{Rule: ruleLost, Function: "a\xff\xfe<b>", Module: "\xff", Section: "\xff", Symbol: "\xff", Other: "\xff", Status: New}
	b, text := written(t, &Result{Findings: []Finding{odd}})
	require.Contains(t, text, "<b>")
	r := &Result{Findings: []Finding{odd}}
	b.apply(r)
	require.Equal(t, Known, r.Findings[0].Status)
}

func TestReadBaselineErrors(t *testing.T) {
	const schema = `{"schema":{"name":"initsect.baseline","version":1},`
	row := func(rule, count string) string { return `{"rule":"` + rule + `","function":"a","count":` + count + `}` }
	for _, tt := range []struct{ what, text, want string }{
		{"nothing", " \n", "not a baseline: the file is empty"},
		{"cut off", schema + `"findings":[` + row("IS106", "1"), "not a baseline: the JSON ends too early, the file is cut off"},
		{"no JSON", "version: 1\n", "not a baseline: invalid character 'v' looking for beginning of value"},
		{"a list", "[]", "not a baseline: array where another type belongs, at byte 1"},
		{"a number for a name", schema + `"findings":[{"rule":106,"count":1}]}`, "not a baseline: number where another type belongs, at byte 74"},
		{"a number that is too large", schema + `"findings":[` + row("IS106", "1e99") + `]}`, "not a baseline: number 1e99 where another type belongs, at byte 106"},
		{"another JSON", `{"findings":[]}`, "not a baseline: want a JSON document with schema initsect.baseline version 1"},
		{"another document", `{"schema":{"name":"initsect.list","version":1},"initcalls":[]}`, `want schema initsect.baseline version 1, not "initsect.list" version 1`},
		{"a later version", `{"schema":{"name":"initsect.baseline","version":2}}`, `want schema initsect.baseline version 1, not "initsect.baseline" version 2`},
		{"no findings", `{"schema":{"name":"initsect.baseline","version":1}}`, "not a baseline: it has no findings, not even an empty list"},
		{"an unknown key", schema + `"findings":[],"more":1}`, `not a baseline: json: unknown field "more"`},
		{"an unknown key of a finding", schema + `"findings":[{"rule":"IS106","address":"0x1","count":1}]}`, `not a baseline: json: unknown field "address"`},
		{"something after it", schema + `"findings":[]}{}`, "not a baseline: something follows the document"},
		{"rubbish after it", schema + `"findings":[]}x`, "not a baseline: something follows the document"},
		{"an unknown rule", schema + `"findings":[` + row("IS106", "1") + "," + row("IS999", "1") + `]}`, `finding 2 of the baseline is of a rule that is not known: "IS999"`},
		{"no count", schema + `"findings":[{"rule":"IS106"}]}`, "finding 1 of the baseline, of IS106, has count 0: want 1 or more, and no more than 100000 of all findings"},
		{"a negative count", schema + `"findings":[` + row("IS106", "-1") + `]}`, "finding 1 of the baseline, of IS106, has count -1: want 1 or more, and no more than 100000 of all findings"},
		{"too many", schema + `"findings":[` + row("IS106", "60000") + "," + row("IS107", "40001") + `]}`, "finding 2 of the baseline, of IS107, has count 40001: want 1 or more, and no more than 100000 of all findings"},
		{"a finding twice", schema + `"findings":[` + row("IS106", "1") + "," + row("IS106", "2") + `]}`, "finding 2 of the baseline, of IS106, is there already"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			b, err := ReadBaseline([]byte(tt.text))
			require.EqualError(t, err, tt.want)
			require.Nil(t, b)
		})
	}
	b, err := ReadBaseline([]byte(schema + `"findings":[]}`))
	require.NoError(t, err)
	require.Zero(t, b.Len())
}

func TestBaselineSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect.baseline.v1.json")
	require.NoError(t, err)
	all := &Result{}
	for _, rule := range Rules {
		all.Findings = append(all.Findings, Finding{Rule: rule, Function: "a", Module: "m", Table: elfscan.TableConsole, Section: "s", Symbol: "b", Other: "o"})
	}
	for _, r := range []*Result{{}, all, checkAgainst(t, modern().Build().Bytes(), wrong+"rules:\n", nil)} {
		_, text := written(t, r)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(doc))
	}
}
