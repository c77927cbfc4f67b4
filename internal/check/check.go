package check

import (
	"fmt"

	"github.com/initsect/initsect/elfscan"
)

// Options say by what an image is judged besides the rules that hold for all.
type Options struct {
	Policy   *Policy   // nil for none
	Baseline *Baseline // nil for none
}

// Run judges what a survey of an image says.
func Run(im *elfscan.Image, s *elfscan.Survey, opt Options) (*Result, error) {
	e := &examiner{im: im, survey: s}
	for _, examine := range []func() error{e.findLost} {
		if err := examine(); err != nil {
			return nil, err
		}
	}
	r := &Result{Findings: e.findings, Entries: len(s.Initcalls), Tables: len(s.Tables)}
	if opt.Policy != nil {
		if err := opt.Policy.apply(e, r); err != nil {
			return nil, err
		}
	}
	sortFindings(r.Findings)
	if opt.Baseline != nil {
		opt.Baseline.apply(r)
	}
	return r, nil
}

// examiner collects the findings about one image.
type examiner struct {
	im       *elfscan.Image
	survey   *elfscan.Survey
	lostAt   []lostEntry
	findings []Finding
}

// add records a finding of a rule; it returns it to be completed.
func (e *examiner) add(rule *Rule, format string, args ...any) *Finding {
	e.findings = append(e.findings, Finding{Rule: rule, Severity: rule.Severity, Status: New, Message: fmt.Sprintf(format, args...)})
	return &e.findings[len(e.findings)-1]
}

// about completes a finding that is about an entry.
func (f *Finding) about(c *elfscan.Initcall) {
	f.Function, f.Module, f.Line = c.Display(), c.Module, c.Line
	f.Table, f.Level, f.Section = c.Table.Kind, c.Level.String(), c.Slot.Section
	if c.Slot.Known {
		f.Address = &c.Slot.Addr
	}
}
