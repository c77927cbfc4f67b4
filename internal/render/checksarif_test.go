package render

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/check"
	"github.com/initsect/initsect/internal/report"
)

func parseSARIF(t *testing.T, out string) sarifLog {
	t.Helper()
	var log sarifLog
	require.NoError(t, json.Unmarshal([]byte(out), &log))
	require.Len(t, log.Runs, 1)
	return log
}

// The schema is that of the standard.
func TestSARIFIsValid(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	for name, doc := range documents(t) {
		out, err := jsonschema.UnmarshalJSON(strings.NewReader(checkView(t, doc, SARIF)))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(out), name)

		broken := out.(map[string]any)["runs"].([]any)[0].(map[string]any)
		delete(broken, "tool")
		require.Error(t, schema.Validate(out), "the schema must say something")
	}
}

// What the standard asks beyond its schema, and what GitHub's code scanning
// asks beyond the standard.
func TestSARIFResults(t *testing.T) {
	for name, doc := range documents(t) {
		run := parseSARIF(t, checkView(t, doc, SARIF)).Runs[0]
		require.Len(t, run.Tool.Driver.Rules, len(check.Rules), name)
		require.Len(t, run.Results, len(doc.Findings), name)
		seen := map[string]bool{}
		for i, r := range run.Results {
			require.Equal(t, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
			require.Equal(t, doc.Findings[i].Severity, r.Level)
			require.Len(t, r.Locations, 1)
			require.Equal(t, 1, r.Locations[0].Physical.Region.StartLine)
			_, err := url.Parse(r.Locations[0].Physical.Artifact.URI)
			require.NoError(t, err)
			print := r.PartialFingerprints["primaryLocationLineHash"]
			require.False(t, seen[print], "%s: %s twice", name, print)
			seen[print] = true
		}
	}
}

func TestSARIFOfAFinding(t *testing.T) {
	docs := documents(t)
	results := parseSARIF(t, checkView(t, docs["everything"], SARIF)).Runs[0].Results
	lost := results[1]
	require.Equal(t, "IS107", lost.RuleID)
	require.Equal(t, "new", lost.BaselineState)
	require.Empty(t, lost.Suppressions)
	at := lost.Locations[0]
	require.Equal(t, "../../testdata/vmlinux-fixtures/amd64-prel32-6.12", at.Physical.Artifact.URI)
	require.Equal(t, "0xffffffff819eeeb8", at.Physical.Address.Name)
	require.Equal(t, "uhci_hcd_init", at.Logical[0].Name)
	require.Equal(t, "uhci_hcd::uhci_hcd_init", *at.Logical[0].Qualified)

	require.Equal(t, "unchanged", results[2].BaselineState)
	require.Equal(t, "the second call is harmless", results[4].Suppressions[0].Justification)
	require.Nil(t, results[0].Locations[0].Physical.Address)
	require.Empty(t, results[0].Locations[0].Logical)
	require.Equal(t, []sarifOverride{
		{sarifConfiguration{Enabled: true, Level: "note"}, sarifReference{"IS201", 17}},
		{sarifConfiguration{}, sarifReference{"IS204", 20}},
	}, parseSARIF(t, checkView(t, docs["rules changed"], SARIF)).Runs[0].Invocations[0].Overrides)
	for _, r := range parseSARIF(t, checkView(t, docs["settled"], SARIF)).Runs[0].Results {
		require.Empty(t, r.BaselineState, "nothing was compared")
	}
}

// Another build has other addresses and lines, and the same fingerprints; equal
// findings have different ones.
func TestFingerprints(t *testing.T) {
	prints := func(addr elfscan.Addr, line int) []string {
		var r check.Result
		for _, function := range []string{"a_init", "b_init", "a_init"} {
			f := aFinding(t, "lost", check.Error, function)
			f.Address, f.Line, f.Message = &addr, line, fmt.Sprintf("%s at %#x", f.Message, addr)
			r.Findings = append(r.Findings, f)
		}
		var found []string
		for _, f := range checked(t, &r, report.CheckOptions{}).Findings {
			found = append(found, f.Fingerprint)
		}
		return found
	}
	one := prints(0x1000, 10)
	require.Equal(t, one, prints(0x2000, 20))
	require.Equal(t, strings.TrimSuffix(one[0], ":1"), strings.TrimSuffix(one[2], ":2"))
	require.NotEqual(t, strings.TrimSuffix(one[0], ":1"), strings.TrimSuffix(one[1], ":1"))
}

func TestSARIFURI(t *testing.T) {
	for path, want := range map[string]string{
		"vmlinux":           "vmlinux",
		"./build//vmlinux":  "build/vmlinux",
		"../out/vmlinux":    "../out/vmlinux",
		"/boot/vmlinux 6.1": "file:///boot/vmlinux%206.1",
		"a:b/vmlinux#1?x%":  "./a:b/vmlinux%231%3Fx%25",
		"größe":             "gr%C3%B6%C3%9Fe",
		"\xff\n":            "%FF%0A",
		"-":                 "-",
	} {
		require.Equal(t, want, sarifURI(path))
	}
}

func TestSARIFMessage(t *testing.T) {
	require.Equal(t, `\[click\](http://evil) {{0}} a\\b`, sarifMessage.Replace(`[click](http://evil) {0} a\b`))
}
