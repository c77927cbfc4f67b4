package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// The formats of the check command alone, which CI services read.
const (
	SARIF  Format = "sarif"  // 2.1.0
	JUnit  Format = "junit"  // XML
	GitHub Format = "github" // workflow commands
)

// ForCheck are the formats that the check command has.
var ForCheck = append(slices.Clone(Common), SARIF, JUnit, GitHub)

// Check prints the document of the check command.
func Check(w io.Writer, doc *report.Check, f Format, style Style) error {
	switch f {
	case SARIF:
		return checkSARIF(w, doc)
	case JUnit:
		return checkJUnit(w, doc)
	case GitHub:
		return checkGitHub(w, doc)
	case Markdown:
		return checkMarkdown(w, doc)
	}
	v := view{
		doc:  doc,
		grid: func() grid { return checkGrid(doc) },
		text: func(w io.Writer, s Style) error { return checkText(w, doc, s) },
	}
	return v.write(w, f, style)
}

// Rules prints the document of the rules.
func Rules(w io.Writer, doc *report.Rules, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return rulesGrid(doc) },
		text: func(w io.Writer, _ Style) error { return rulesText(w, doc) },
	}
	return v.write(w, f, style)
}

func checkGrid(doc *report.Check) grid {
	g := grid{columns: []string{
		"severity", "status", "rule", "name", "function", "module", "line",
		"table", "level", "section", "symbol", "address", "other", "message", "reason", "fingerprint",
	}}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		g.rows = append(g.rows, []string{
			f.Severity, f.Status, f.Rule, f.Name, or(f.Function), or(f.Module), or(f.Line),
			or(f.Table), or(f.Level), or(f.Section), or(f.Symbol), bare(f.Address), or(f.Other), f.Message, or(f.Reason), f.Fingerprint,
		})
	}
	return g
}

func rulesGrid(doc *report.Rules) grid {
	g := grid{columns: []string{"id", "name", "severity", "title", "help"}}
	for _, r := range doc.Rules {
		g.rows = append(g.rows, []string{r.ID, r.Name, r.Severity, r.Title, r.Help})
	}
	return g
}

// verdict is the outcome in one line: what was found, in what.
func verdict(doc *report.Check) string {
	word, threshold := "passed", ""
	c := doc.Counts
	fresh := c.Error.New + c.Warning.New + c.Note.New
	switch {
	case doc.Verdict.Failed:
		word = "failed"
	case fresh > 0:
		threshold = fmt.Sprintf(" (fails on: %s)", doc.Verdict.FailOn)
	}
	found := numbers([]number{{c.Error.New, "error"}, {c.Warning.New, "warning"}, {c.Note.New, "note"}})
	settled := []string{}
	for _, s := range []struct {
		n    int
		what string
	}{
		{c.Error.Known + c.Warning.Known + c.Note.Known, "known"},
		{c.Error.Suppressed + c.Warning.Suppressed + c.Note.Suppressed, "suppressed"},
		{len(doc.Fixed), "fixed"},
	} {
		if s.n > 0 {
			settled = append(settled, fmt.Sprintf("%d %s", s.n, s.what))
		}
	}
	switch {
	case found == "" && len(doc.Findings) > 0:
		found = "no new findings"
	case found == "":
		found = "no findings"
	}
	line := fmt.Sprintf("%s: %s in %s of %s, by %s", word, found,
		count(doc.Judged.Entries, "entry"), count(doc.Judged.Tables, "table"), count(doc.Judged.Rules, "rule")) + offRules(doc)
	if len(settled) > 0 {
		line += "; " + strings.Join(settled, ", ")
	}
	return line + threshold
}

// offRules says which rules the policy turned off, and what that dropped.
func offRules(doc *report.Check) string {
	var parts []string
	for _, r := range doc.Rules {
		if r.Change == nil || r.Change.Severity != "off" {
			continue
		}
		part := r.ID + " is off"
		if r.Change.Findings > 0 {
			part += ", " + count(r.Change.Findings, "finding") + " dropped"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

type number struct {
	n    int
	noun string
}

// numbers joins those that are not zero.
func numbers(of []number) string {
	var parts []string
	for _, c := range of {
		if c.n > 0 {
			parts = append(parts, count(c.n, c.noun))
		}
	}
	return strings.Join(parts, ", ")
}

// whereabouts says where in the kernel a finding is, as far as it is known.
func whereabouts(f *report.Finding) string {
	var parts []string
	switch {
	case f.Module != nil && f.Line != nil:
		parts = append(parts, fmt.Sprintf("%s:%d", *f.Module, *f.Line))
	case f.Module != nil:
		parts = append(parts, *f.Module)
	}
	if f.Table != nil {
		table := *f.Table + " table"
		if f.Level != nil && *f.Level != *f.Table {
			table += ", level " + *f.Level
		}
		parts = append(parts, table)
	}
	for _, p := range []*string{f.Section, f.Symbol, f.Address} {
		if p != nil {
			parts = append(parts, *p)
		}
	}
	return Printable(strings.Join(parts, ", "))
}

// standing says of a finding that does not count why it does not.
func standing(f *report.Finding) string {
	switch {
	case f.Reason != nil:
		return f.Status + ": " + *f.Reason
	case f.Status == "new":
		return ""
	}
	return f.Status
}
