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
	e := &examiner{im: im, survey: s, sections: im.Sections()}
	for _, examine := range []func() error{e.findLost, e.tables, e.overlaps, e.entries, e.registrations, e.lostEntries, e.deferred} {
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
	sections []elfscan.Section
	lost     []lostEntry
	findings []Finding
}

// add records a finding of a rule; it returns it to be completed.
func (e *examiner) add(rule *Rule, format string, args ...any) *Finding {
	e.findings = append(e.findings, Finding{Rule: rule, Severity: rule.Severity, Status: New, Message: fmt.Sprintf(format, args...)})
	return &e.findings[len(e.findings)-1]
}

// sectionAt returns the section that holds an address.
func (e *examiner) sectionAt(a elfscan.Addr) (elfscan.Section, bool) {
	for _, s := range e.sections {
		if a >= s.Addr && a < s.End() {
			return s, true
		}
	}
	return elfscan.Section{}, false
}

// about completes a finding that is about an entry.
func (f *Finding) about(c *elfscan.Initcall) {
	f.Function, f.Module, f.Line = c.Display(), c.Module, c.Line
	f.Table, f.Level, f.Section = c.Table.Kind, c.Level.String(), c.Slot.Section
	if c.Slot.Known {
		f.Address = &c.Slot.Addr
	}
}
