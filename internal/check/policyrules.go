package check

import (
	"slices"
	"strings"

	"github.com/initsect/initsect/elfscan"
)

// aboutLost completes a finding that is about an entry in no table.
func (f *Finding) aboutLost(s *subject, l *lostEntry) {
	f.Function, f.Module, f.Line = s.name, l.parsed.Module, l.parsed.Line
	f.Section, f.Address = l.section, &l.Addr
}

// aboutSubject completes a finding that is about a function without an entry.
func (f *Finding) aboutSubject(s *subject) { f.Function, f.Module = s.name, s.module }

// unmet adds the findings about entries of a function that are in no table,
// and about a function that has no entry at all: neither is ever called. want
// says what the policy wants of it.
func (e *examiner) unmet(rule *Rule, s *subject, want string) {
	for _, l := range s.lost {
		e.add(rule, "%s %s, but its entry, at %#x, lies in no table, and it never runs", s.called(l.parsed.Module), want, l.Addr).aboutLost(s, l)
	}
	if len(s.plain) > 0 {
		e.add(rule, "%s %s, but no entry registers it, and the function, at %#x, never runs as an initcall", s.text, want, s.plain[0].Addr).aboutSubject(s)
	}
}

// findDeferred holds the deferred table against what must be in it and what
// must not.
func (p *Policy) findDeferred(e *examiner, known *roster) error {
	for _, w := range p.deferred {
		s, err := known.find(w.function)
		if err != nil {
			return err
		}
		want := "must be deferred (" + w.why() + ")"
		for _, c := range s.calls {
			if c.Table.Kind != elfscan.TableDeferred {
				e.add(ruleMustDefer, "%s %s, but %s, at %#x", s.called(c.Module), want, runsWhen(c), c.Slot.Addr).about(c)
			}
		}
		e.unmet(ruleMustDefer, s, want)
	}
	for _, w := range p.notDeferred {
		s, err := known.find(w.function)
		if err != nil {
			return err
		}
		want := "must not be deferred (" + w.why() + ")"
		for _, c := range s.calls {
			if c.Table.Kind == elfscan.TableDeferred {
				e.add(ruleMustNotDefer, "%s %s, but %s, at %#x, and does not run at boot", s.called(c.Module), want, runsWhen(c), c.Slot.Addr).about(c)
			}
		}
		for _, l := range s.lost {
			if l.deferred() {
				e.add(ruleMustNotDefer, "%s %s, but was registered as deferred: its entry, at %#x, lies in no table, and it never runs",
					s.called(l.parsed.Module), want, l.Addr).aboutLost(s, l)
			}
		}
	}
	return nil
}

// deferred reports whether the entry was meant for a deferred table.
func (l *lostEntry) deferred() bool {
	return l.parsed.ID == elfscan.LevelDeferred.String() || strings.Contains(l.section, "deferred")
}

// findLevels holds each entry of a function against the level that it must
// have.
func (p *Policy) findLevels(e *examiner, known *roster) error {
	for _, w := range p.levels {
		s, err := known.find(w.function)
		if err != nil {
			return err
		}
		want := "must be in level " + w.level.String() + " (" + w.why() + ")"
		for _, c := range s.calls {
			in, err := w.holds(c)
			if err != nil {
				return err
			}
			if !in {
				e.add(ruleLevel, "%s %s, but %s, at %#x", s.called(c.Module), want, runsWhen(c), c.Slot.Addr).about(c)
			}
		}
		e.unmet(ruleLevel, s, want)
	}
	return nil
}

// runsWhen says when an entry runs.
func runsWhen(c *elfscan.Initcall) string {
	switch {
	case c.Table.Kind == elfscan.TableDeferred:
		return "is deferred"
	case c.Level == elfscan.LevelUnknown:
		return "runs at boot"
	}
	return "runs at boot in level " + c.Level.String()
}

// holds reports whether an entry is in the level that it must have. A base
// level takes in its sync level where the image does not tell them apart.
func (w *levelWish) holds(c *elfscan.Initcall) (bool, error) {
	ofInitcalls := w.level >= elfscan.LevelEarly && w.level <= elfscan.Level7s
	switch {
	case c.Level == elfscan.LevelUnknown && ofInitcalls:
		return false, w.errorf("cannot tell the level of %s: the image has no boundary symbols between the levels", clip(w.text))
	case c.Level == w.level.Base() && c.Level != w.level && !syncKnown(c):
		return false, w.errorf("cannot tell whether %s is in level %s or %s: it has no entry symbol that says so", clip(w.text), w.level.Base(), w.level)
	}
	return c.Level == w.level, nil
}

// syncKnown reports whether an entry's symbol tells a sync level from its base.
func syncKnown(c *elfscan.Initcall) bool { return c.Parsed.ID != "" && !c.Parsed.Ambiguous }

// findOrders holds the run order against what must run before what.
func (p *Policy) findOrders(e *examiner, known *roster) error {
	for _, w := range p.orders {
		first, err := known.find(w.first.function)
		if err != nil {
			return err
		}
		then, err := known.find(w.then)
		if err != nil {
			return err
		}
		if first.absent() || then.absent() {
			continue
		}
		before := len(e.findings)
		e.unmet(ruleOrder, first, "must run before "+then.text+" ("+w.first.why()+")")
		e.unmet(ruleOrder, then, "must run after "+first.text+" ("+w.first.why()+")")
		for i := range e.findings[before:] {
			e.findings[before+i].Other = other(first, then, e.findings[before+i].Function)
		}
		if err := e.compare(&w, first, then); err != nil {
			return err
		}
	}
	return nil
}

// other is the name of the one of two that name is not.
func other(a, b *subject, name string) string {
	if name == a.name {
		return b.name
	}
	return a.name
}

// compare adds a finding about the first two entries that are not in order:
// of what must run first the last one is looked at first. Of entries that run
// in a known order only the last can be too late, and only the first too early.
func (e *examiner) compare(w *orderWish, first, then *subject) error {
	last := slices.Clone(first.calls)
	slices.Reverse(last)
	ordered := func(a, b *elfscan.Initcall) bool {
		return (a.Table.Kind == elfscan.TableDeferred) == (b.Table.Kind == elfscan.TableDeferred) && !unordered(a, b)
	}
	early := slices.CompactFunc(slices.Clone(then.calls), ordered)
	for _, a := range slices.CompactFunc(last, ordered) {
		for _, b := range early {
			wrong := ""
			switch {
			case a == b:
				return w.then.errorf("%s and %s are the same function", clip(first.text), clip(then.text))
			case unordered(a, b):
				wrong = "user space may run them in any order"
			case a.Order > b.Order:
				wrong = "it runs after the other"
			default:
				continue
			}
			f := e.add(ruleOrder, "%s must run before %s (%s), but it %s, at %#x, and the other %s, at %#x: %s",
				first.called(a.Module), then.called(b.Module), w.first.why(), runsWhen(a), a.Slot.Addr, runsWhen(b), b.Slot.Addr, wrong)
			f.about(a)
			f.Other = then.name
			return nil
		}
	}
	return nil
}

// unordered reports whether user space decides which of two entries runs first.
func unordered(a, b *elfscan.Initcall) bool {
	return a.Table.Kind == elfscan.TableDeferred && b.Table.Kind == elfscan.TableDeferred && (a.Table != b.Table || a.Group != b.Group)
}
