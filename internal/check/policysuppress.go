package check

import (
	"slices"
	"strings"

	"github.com/initsect/initsect/symbols"
)

// suppress marks the findings that the policy suppresses, and adds one for
// each suppression that matches none.
func (p *Policy) suppress(e *examiner, known *roster) error {
	found := len(e.findings) // before those about suppressions
	for _, s := range p.suppressions {
		matches, err := s.matcher(known)
		if err != nil {
			return err
		}
		if matches == nil || s.mark(e.findings[:found], matches) {
			continue
		}
		f := e.add(ruleUseless, "the policy suppresses %s for %s (%s), but it is not found there: the line can go", s.rule.ID, s.what(), s.place)
		f.Table = s.table
		if s.function != nil {
			f.Function, f.Module = s.function.name, s.function.module
		}
	}
	return nil
}

func (s *suppression) what() string {
	if s.function == nil {
		return "the " + string(s.table) + " table"
	}
	return s.function.text
}

// mark reports whether any of the findings matches.
func (s *suppression) mark(findings []Finding, matches func(*Finding) bool) (any bool) {
	for i := range findings {
		f := &findings[i]
		if f.Rule != s.rule || !matches(f) {
			continue
		}
		any = true
		if f.Status == New {
			f.Status, f.Reason = Suppressed, s.reason
		}
	}
	return any
}

// matcher tells which findings a suppression is about. It is nil if the image
// does not have its optional function.
func (s *suppression) matcher(known *roster) (func(*Finding) bool, error) {
	if s.function == nil {
		return func(f *Finding) bool { return f.Function == "" && f.Table == s.table }, nil
	}
	about, err := known.find(*s.function)
	if err != nil || about.absent() {
		return nil, err
	}
	names := []string{s.function.name}
	for _, c := range about.calls {
		names = append(names, namesOf(c)...)
	}
	return func(f *Finding) bool {
		name, _, _ := strings.Cut(f.Function, "+0x") // of an entry that points into it
		return (s.function.module == "" || s.function.module == f.Module) &&
			(slices.Contains(names, name) || slices.Contains(names, symbols.DisplayName(name, true)))
	}, nil
}

// change drops the findings of the rules that the policy turned off, gives
// those of others their severity, and counts both.
func (p *Policy) change(findings []Finding) (kept []Finding, changes []RuleChange) {
	byRule := map[*Rule]*RuleChange{}
	for _, c := range p.changes {
		change := c.RuleChange
		byRule[c.Rule] = &change
	}
	for _, f := range findings {
		change := byRule[f.Rule]
		if change != nil {
			change.Findings++
			if change.Off {
				continue
			}
			f.Severity = change.Severity
		}
		kept = append(kept, f)
	}
	for _, rule := range Rules {
		if change := byRule[rule]; change != nil {
			changes = append(changes, *change)
		}
	}
	return kept, changes
}
