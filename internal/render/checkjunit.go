package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// The subset of JUnit's XML that Jenkins, GitLab and the others agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Skipped *junitSkipped `xml:"skipped"`
		Failure *junitFailure `xml:"failure"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// checkJUnit prints each rule as a test of the image. A test has failed if the
// check fails for a finding of its rule; what else there is goes to its output.
// Services take one failure of a test, and of tests with the same name only the
// first, so all findings of a rule are in one failure, and the image is in the
// name.
func checkJUnit(w io.Writer, doc *report.Check) error {
	path := Printable(doc.Image.Path)
	suite := junitSuite{Name: path}
	for _, r := range doc.Rules {
		c := junitCase{Class: "initsect." + path, Name: fmt.Sprintf("%s %s: %s", r.ID, r.Name, r.Title)}
		c.Failure, c.Output = junitOutcome(doc, r.ID)
		switch {
		case c.Failure != nil:
			suite.Failures++
		case !r.Judged:
			c.Skipped = &junitSkipped{whyNotJudged(r)}
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Tests = len(suite.Cases)
	all := junitSuites{
		Name: "initsect check", Tests: suite.Tests, Failures: suite.Failures, Skipped: suite.Skipped, Suites: []junitSuite{suite},
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func whyNotJudged(r report.CheckedRule) string {
	switch {
	case r.Change == nil:
		return "a rule of a policy, and none was given"
	case r.Change.Reason == nil:
		return "turned off by the policy"
	}
	return "turned off by the policy: " + Printable(*r.Change.Reason)
}

// junitOutcome gathers the findings of a rule.
func junitOutcome(doc *report.Check, rule string) (*junitFailure, string) {
	var failing, rest []string
	var failure *junitFailure
	for i := range doc.Findings {
		f := &doc.Findings[i]
		switch {
		case f.Rule != rule:
		case f.Fails:
			if failure == nil {
				failure = &junitFailure{Message: Printable(f.Message), Type: f.Severity}
			}
			failing = append(failing, junitLine(f))
		default:
			rest = append(rest, junitLine(f))
		}
	}
	if failure != nil {
		if more := len(failing) - 1; more > 0 {
			failure.Message += fmt.Sprintf(" (and %d more)", more)
		}
		failure.Text = strings.Join(failing, "\n")
	}
	return failure, strings.Join(rest, "\n")
}

func junitLine(f *report.Finding) string {
	line := f.Severity + ": " + Printable(f.Message)
	if where := whereabouts(f); where != "" {
		line += " [" + where + "]"
	}
	if s := standing(f); s != "" {
		line += " (" + Printable(s) + ")"
	}
	return line
}
