package render

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func parseJUnit(t *testing.T, out string) junitSuites {
	t.Helper()
	var suites junitSuites
	require.NoError(t, xml.Unmarshal([]byte(out), &suites))
	require.Len(t, suites.Suites, 1)
	return suites
}

// junitSchema is what the schema that Jenkins publishes (jenkins-junit.xsd)
// says of the elements that are used: their attributes, those that must be
// there, and their children.
var junitSchema = map[string]struct{ attributes, required, children string }{
	"":           {"", "", "testsuites"},
	"testsuites": {"name time tests failures disabled errors skipped", "", "testsuite"},
	"testsuite":  {"name tests failures errors time disabled skipped timestamp hostname id package", "name", "testcase"},
	"testcase":   {"name assertions time classname status", "name", "skipped failure system-out"},
	"skipped":    {"type message", "", ""},
	"failure":    {"type message", "", ""},
	"system-out": {"", "", ""},
}

func TestJUnitIsValid(t *testing.T) {
	for name, doc := range documents(t) {
		in := xml.NewDecoder(strings.NewReader(checkView(t, doc, JUnit)))
		path := []string{""}
		for {
			token, err := in.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			switch e := token.(type) {
			case xml.StartElement:
				require.Contains(t, strings.Fields(junitSchema[path[len(path)-1]].children), e.Name.Local)
				given := map[string]bool{}
				for _, a := range e.Attr {
					require.Contains(t, strings.Fields(junitSchema[e.Name.Local].attributes), a.Name.Local)
					given[a.Name.Local] = true
				}
				for _, a := range strings.Fields(junitSchema[e.Name.Local].required) {
					require.True(t, given[a], a)
				}
				path = append(path, e.Name.Local)
			case xml.EndElement:
				path = path[:len(path)-1]
			}
		}
	}
}

func TestJUnitCounts(t *testing.T) {
	for name, doc := range documents(t) {
		all := parseJUnit(t, checkView(t, doc, JUnit))
		suite := all.Suites[0]
		names := map[string]bool{}
		failures, skipped := 0, 0
		for _, c := range suite.Cases {
			require.False(t, names[c.Class+c.Name], "services take the first of two tests with a name")
			names[c.Class+c.Name] = true
			if c.Failure != nil {
				failures++
			}
			if c.Skipped != nil {
				skipped++
			}
		}
		require.Equal(t, []int{len(doc.Rules), failures, skipped}, []int{all.Tests, all.Failures, all.Skipped}, name)
		require.Equal(t, []int{len(doc.Rules), failures, skipped}, []int{suite.Tests, suite.Failures, suite.Skipped}, name)
	}
}

func TestJUnitTests(t *testing.T) {
	docs := documents(t)
	test := func(doc, rule string) junitCase {
		for _, c := range parseJUnit(t, checkView(t, docs[doc], JUnit)).Suites[0].Cases {
			if strings.HasPrefix(c.Name, rule+" ") {
				return c
			}
		}
		t.Fatalf("no test %s", rule)
		return junitCase{}
	}
	lost := test("everything", "IS107")
	require.Equal(t, "IS107 lost: a registered initcall lies in no table, and never runs", lost.Name)
	require.Equal(t, "initsect.../../testdata/vmlinux-fixtures/amd64-prel32-6.12", lost.Class)
	require.Equal(t, "error", lost.Failure.Type)
	require.Equal(t, "error: uhci_hcd_init never runs: its entry at 0xffffffff819eeeb8 lies in no table [uhci_hcd:936, .deferred_initcal.init, 0xffffffff819eeeb8]", lost.Failure.Text)
	require.Contains(t, lost.Output, "known_init", "does not fail")

	require.Nil(t, test("everything", "IS001").Failure)
	require.Nil(t, test("everything", "IS108").Failure, "a warning does not fail")
	require.Contains(t, test("everything", "IS108").Output, "(suppressed: the second call is harmless)")
	require.Nil(t, test("everything, nothing fails", "IS107").Failure)
	require.Nil(t, test("everything", "IS301").Skipped)
	require.Equal(t, "a rule of a policy, and none was given", test("nothing found", "IS301").Skipped.Message)
	require.Equal(t, "turned off by the policy: they may?", test("rules changed", "IS204").Skipped.Message)

	thousand := test("a thousand", "IS107").Failure
	require.True(t, strings.HasSuffix(thousand.Message, " (and 999 more)"), thousand.Message)
	require.Equal(t, 1000, strings.Count(thousand.Text, "never runs"))
}
