package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/check"
	"github.com/initsect/initsect/internal/report"
)

// ruleNamed returns a rule by its name.
func ruleNamed(t *testing.T, name string) *check.Rule {
	t.Helper()
	i := slices.IndexFunc(check.Rules, func(r *check.Rule) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return check.Rules[i]
}

// aFinding is one about an initcall, that tests change.
func aFinding(t *testing.T, rule string, severity check.Severity, function string) check.Finding {
	t.Helper()
	at := elfscan.Addr(0xffffffff819eeeb8)
	return check.Finding{
		Rule: ruleNamed(t, rule), Severity: severity, Status: check.New,
		Message:  function + " never runs: its entry at 0xffffffff819eeeb8 lies in no table",
		Function: function, Module: "uhci_hcd", Line: 936, Section: ".deferred_initcal.init", Address: &at,
	}
}

// checked makes the document of findings about a kernel.
func checked(t *testing.T, r *check.Result, opt report.CheckOptions) *report.Check {
	t.Helper()
	im, err := elfscan.Open("../../testdata/vmlinux-fixtures/amd64-prel32-6.12", elfscan.Options{})
	require.NoError(t, err)
	defer im.Close()
	survey, err := im.Survey(elfscan.ListOptions{})
	require.NoError(t, err)
	r.Entries, r.Tables = 40, 3
	return report.NewCheck(im, survey.Listing, r, opt)
}

// evilNames would break out of their place in one format or another.
var evilNames = []string{
	"a\x1b[31mred\x1b[0m\u009b2J",
	"pipe|in|a|row",
	"<script>alert(1)</script>",
	"</details>&lt;b&gt;",
	"100%0A::error title=x::y",
	"line\nfeed\r\n::error::injected",
	"\xff\xfe not UTF-8 \x80",
	"[click](http://evil.example)",
	"http://evil.example www.evil.example",
	"@torvalds #1 !1 `code` *bold* __bold__ ~~gone~~ $x$",
	"]]><failure/>",
	"##[error]injected",
	"{0} {closure}",
	"tab\there",
	strings.Repeat("very_long_", 60),
}

// documents are one of each kind, by name.
func documents(t *testing.T) map[string]*report.Check {
	t.Helper()
	failing := report.CheckOptions{FailOn: check.Error}
	docs := map[string]*report.Check{
		"nothing found": checked(t, &check.Result{}, failing),
	}

	known, suppressed := aFinding(t, "lost", check.Error, "known_init"), aFinding(t, "registered-twice", check.Warning, "suppressed_init")
	known.Status = check.Known
	suppressed.Status, suppressed.Reason = check.Suppressed, "the second call is harmless"
	empty := check.Finding{Rule: ruleNamed(t, "empty-table"), Severity: check.Error, Status: check.New, Message: "the initcall table is empty"}
	every := check.Result{
		Findings: []check.Finding{
			empty, aFinding(t, "lost", check.Error, "uhci_hcd_init"), known,
			aFinding(t, "registered-twice", check.Warning, "twice_init"), suppressed,
			aFinding(t, "unjudged", check.Note, "note_init"),
		},
		Fixed: []check.Key{{Rule: "IS107", Function: "fixed_init", Module: "m"}, {Rule: "IS003"}},
	}
	docs["everything"] = checked(t, &every, report.CheckOptions{FailOn: check.Error, Policy: "policy.yaml", Baseline: "base.json"})
	off := every
	off.Changes = []check.RuleChange{
		{Rule: ruleNamed(t, "runs-twice"), Off: true, Reason: "they may\x1b", Findings: 3},
		{Rule: ruleNamed(t, "orphan"), Severity: check.Note, Findings: 1},
	}
	docs["rules changed"] = checked(t, &off, report.CheckOptions{FailOn: check.Error, Policy: "policy.yaml"})
	docs["everything, nothing fails"] = checked(t, &every, report.CheckOptions{Policy: "policy.yaml", Baseline: "base.json"})
	docs["settled"] = checked(t, &check.Result{Findings: []check.Finding{known, suppressed}}, failing)
	docs["below the threshold"] = checked(t, &check.Result{Findings: every.Findings[3:4]}, failing)

	var evil, thousand check.Result
	for _, name := range evilNames {
		f := aFinding(t, "lost", check.Error, name)
		f.Module, f.Section, f.Symbol = name, name, name
		evil.Findings = append(evil.Findings, f)
		f.Status, f.Reason = check.Suppressed, name
		evil.Findings = append(evil.Findings, f)
		evil.Fixed = append(evil.Fixed, f.Key())
	}
	docs["hostile"] = checked(t, &evil, report.CheckOptions{FailOn: check.Note, Baseline: "b"})
	docs["hostile"].Image.Path = strings.Join(evilNames, "/")
	docs["hostile"].Image.Release = ptr(strings.Join(evilNames, "/"))
	for i := range 1000 {
		thousand.Findings = append(thousand.Findings, aFinding(t, "lost", check.Error, fmt.Sprintf("driver_%d_init", i)))
	}
	docs["fixed"] = checked(t, &check.Result{Fixed: every.Fixed[:1]}, report.CheckOptions{FailOn: check.Error, Baseline: "b"})
	docs["a thousand"] = checked(t, &thousand, failing)
	return docs
}

func checkView(t *testing.T, doc *report.Check, f Format) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Check(&out, doc, f, Style{}))
	return out.String()
}

// failedBy says for each format whether it shows a check that failed.
func failedBy(t *testing.T, f Format, out string) bool {
	t.Helper()
	switch f {
	case Text:
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		return strings.Contains(lines[len(lines)-1], ": failed: ")
	case JSON:
		var doc struct{ Verdict struct{ Failed bool } }
		require.NoError(t, json.Unmarshal([]byte(out), &doc))
		return doc.Verdict.Failed
	case Markdown:
		return strings.HasPrefix(out, "## initsect check: failed\n")
	case SARIF:
		return parseSARIF(t, out).Runs[0].Invocations[0].ExitCode == 1
	case JUnit:
		return parseJUnit(t, out).Failures > 0
	case GitHub:
		return strings.Contains(out, "\ninitsect check: failed: ")
	}
	t.Fatalf("%s shows no verdict", f)
	return false
}

func TestCheckIsAsItsSchemaSays(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect.check.v1.json")
	require.NoError(t, err)
	for name, doc := range documents(t) {
		out, err := jsonschema.UnmarshalJSON(strings.NewReader(checkView(t, doc, JSON)))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(out), name)
	}
}

func TestEveryFormatHasTheSameVerdict(t *testing.T) {
	want := map[string]bool{"everything": true, "rules changed": true, "hostile": true, "a thousand": true}
	for name, doc := range documents(t) {
		require.Equal(t, want[name], doc.Verdict.Failed, name)
		for _, f := range []Format{Text, JSON, Markdown, SARIF, JUnit, GitHub} {
			require.Equal(t, want[name], failedBy(t, f, checkView(t, doc, f)), "%s, %s", name, f)
		}
	}
}

// No format lets a name of the image speak to a terminal but JSON, whose
// strings have escapes of their own.
func TestCheckIsPrintable(t *testing.T) {
	unprintable := regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]")
	for name, doc := range documents(t) {
		for _, f := range ForCheck {
			if out := checkView(t, doc, f); f == JSON {
				require.NotContains(t, out, "\x1b", name)
			} else {
				require.Empty(t, unprintable.FindString(out), "%s, %s", name, f)
			}
		}
	}
}

func TestCheckRows(t *testing.T) {
	for name, doc := range documents(t) {
		tsv := strings.Split(strings.TrimSuffix(checkView(t, doc, TSV), "\n"), "\n")
		require.Len(t, tsv, 1+len(doc.Findings), name)
		rows, err := csv.NewReader(strings.NewReader(checkView(t, doc, CSV))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1+len(doc.Findings), name)
		for i, row := range rows {
			require.Equal(t, row, strings.Split(tsv[i], "\t"), name)
		}
	}
	doc := documents(t)["everything"]
	row := strings.Split(checkView(t, doc, TSV), "\n")[2]
	require.Regexp(t, `^error\tnew\tIS107\tlost\tuhci_hcd_init\tuhci_hcd\t936\t-\t-\t\.deferred_initcal\.init\t-\tffffffff819eeeb8\t-\tuhci_hcd_init never runs: .*\t-\t[0-9a-f]{16}:1$`, row)
}

func TestCheckText(t *testing.T) {
	docs := documents(t)
	text := checkView(t, docs["nothing found"], Text)
	require.Equal(t, "../../testdata/vmlinux-fixtures/amd64-prel32-6.12: passed: no findings in 40 entries of 3 tables, by 24 rules\n", text)

	text = checkView(t, docs["everything"], Text)
	require.Contains(t, text, `
error IS107 lost: a registered initcall lies in no table, and never runs
  https://github.com/initsect/initsect/blob/main/docs/rules/IS107.md
  - uhci_hcd_init never runs: its entry at 0xffffffff819eeeb8 lies in no table
    uhci_hcd:936, .deferred_initcal.init, 0xffffffff819eeeb8
  - known_init never runs: its entry at 0xffffffff819eeeb8 lies in no table
    uhci_hcd:936, .deferred_initcal.init, 0xffffffff819eeeb8
    known

warning IS108 registered-twice: a function is in the ordinary tables more than once
`)
	require.Contains(t, text, "\n    suppressed: the second call is harmless\n")
	require.Contains(t, text, "\nfixed: in the baseline, and not found any more\n  - IS107, fixed_init, m\n  - IS003\n")
	require.True(t, strings.HasSuffix(text, ": failed: 2 errors, 1 warning, 1 note in 40 entries of 3 tables, by 30 rules; 1 known, 1 suppressed, 2 fixed\n"), text)

	require.True(t, strings.HasSuffix(checkView(t, docs["rules changed"], Text), ", by 29 rules (IS204 is off, 3 findings dropped); 1 known, 1 suppressed, 2 fixed\n"))
	require.True(t, strings.HasSuffix(checkView(t, docs["fixed"], Text), ": passed: no findings in 40 entries of 3 tables, by 24 rules; 1 fixed\n"))
	require.True(t, strings.HasSuffix(checkView(t, docs["settled"], Text),
		": passed: no new findings in 40 entries of 3 tables, by 24 rules; 1 known, 1 suppressed\n"))
	require.True(t, strings.HasSuffix(checkView(t, docs["below the threshold"], Text),
		": passed: 1 warning in 40 entries of 3 tables, by 24 rules (fails on: error)\n"))
}

func TestCheckColors(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Check(&out, documents(t)["everything"], Text, Style{Color: true}))
	require.Contains(t, out.String(), red+"error"+plain)
	require.Contains(t, out.String(), yellow+"warning"+plain)
	for _, f := range ForCheck[1:] {
		out.Reset()
		require.NoError(t, Check(&out, documents(t)["everything"], f, Style{Color: true}))
		require.NotContains(t, out.String(), "\x1b", f)
	}
}

func TestRules(t *testing.T) {
	for _, f := range Common {
		var out bytes.Buffer
		require.NoError(t, Rules(&out, report.NewRules(), f, Style{}))
		for _, r := range check.Rules {
			require.Contains(t, out.String(), r.ID, f)
		}
	}
}
