package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/initsect/initsect/elfscan"
)

// faultRules are the rules that the faults of a table break, with what comes of
// it. %s says that the entries that are registered for the table but lie in none
// never run.
var faultRules = map[elfscan.FaultKind]struct {
	rule  *Rule
	comes string
}{
	elfscan.FaultHalf:         {ruleHalf, "no code can walk it, and %s"},
	elfscan.FaultReversed:     {ruleReversed, "the kernel's walk ends before the first entry, and %s"},
	elfscan.FaultEmpty:        {ruleEmpty, "the kernel boots without calling any of its ordinary initcalls; %s"},
	elfscan.FaultOutside:      {ruleOutside, "the kernel will call whatever lies there"},
	elfscan.FaultMisaligned:   {ruleMisaligned, "the kernel reads every entry askew, and calls addresses that are none"},
	elfscan.FaultSize:         {ruleSize, "the kernel reads across an entry's edge, and calls an address that is none"},
	elfscan.FaultLevelOrder:   {ruleLevelOrder, ""},
	elfscan.FaultLevelMissing: {ruleLevelMissing, "its entries cannot be told from those of the level before, and run with them"},
}

// tables reports what is wrong with tables as a whole.
func (e *examiner) tables() error {
	for _, fault := range e.survey.Faults {
		known, ok := faultRules[fault.Kind]
		if !ok {
			return fault // no rule explains it
		}
		comes := known.comes
		switch fault.Kind {
		case elfscan.FaultHalf, elfscan.FaultReversed, elfscan.FaultEmpty:
			comes = fmt.Sprintf(comes, neverRun(e.takeLost(fault.Table)))
		case elfscan.FaultOutside:
			e.takeLost(fault.Table)
		case elfscan.FaultLevelOrder:
			comes = e.disorder()
		}
		f := e.add(known.rule, "%s: %s", fault, comes)
		f.Table, f.Symbol = fault.Table, fault.At.Symbol
		if fault.Kind != elfscan.FaultLevelMissing {
			f.Address = &fault.At.Addr
			if s, ok := e.sectionAt(fault.At.Addr); ok {
				f.Section = s.Name
			}
		}
	}
	return nil
}

// takeLost names the lost entries that are registered for a table. They are not
// reported one by one, unless another table of the kind may have lost them.
func (e *examiner) takeLost(kind elfscan.TableKind) (names []string) {
	if slices.ContainsFunc(e.survey.Tables, func(t *elfscan.Table) bool { return t.Kind == kind && t.Count > 0 }) {
		return nil
	}
	for i := range e.lost {
		if l := &e.lost[i]; l.table == kind {
			l.reported = true
			names = append(names, l.function)
		}
	}
	return names
}

// disorder says what the kernel does with levels whose boundaries are out of
// order: it walks each from its own boundary to that of the next.
func (e *examiner) disorder() string {
	t := e.initcallTable()
	if t == nil {
		return "the kernel runs other entries than those of the level"
	}
	spans := slices.DeleteFunc(slices.Clone(t.Levels), func(s elfscan.LevelSpan) bool { return s.Level == elfscan.LevelRootfs })
	slices.SortFunc(spans, func(a, b elfscan.LevelSpan) int { return cmp.Compare(a.Level, b.Level) })
	var never, twice []string
	for i := range e.survey.Initcalls {
		c := &e.survey.Initcalls[i]
		if c.Table != t {
			continue
		}
		runs := 0
		for j, s := range spans {
			end := t.End.Addr
			if j+1 < len(spans) {
				end = spans[j+1].Start.Addr
			}
			if c.Slot.Addr >= s.Start.Addr && c.Slot.Addr < end {
				runs++
			}
		}
		switch {
		case runs == 0:
			never = append(never, called(c))
		case runs > 1:
			twice = append(twice, called(c))
		}
	}
	switch {
	case len(never) > 0 && len(twice) > 0:
		return fmt.Sprintf("at boot %s %s more than once and %s never", naming(twice), verb(len(twice), "runs", "run"), naming(never))
	case len(never) > 0:
		return fmt.Sprintf("at boot %s never %s", naming(never), verb(len(never), "runs", "run"))
	case len(twice) > 0:
		return fmt.Sprintf("at boot %s %s more than once", naming(twice), verb(len(twice), "runs", "run"))
	}
	return "levels run in another order than the kernel's"
}

func (e *examiner) initcallTable() *elfscan.Table {
	for _, t := range e.survey.Tables {
		if t.Kind == elfscan.TableInitcall {
			return t
		}
	}
	return nil
}

// overlaps reports tables that share memory: what lies there runs with each.
func (e *examiner) overlaps() error {
	tables := e.survey.Tables
	for i, a := range tables {
		for _, b := range tables[i+1:] {
			from, to := max(a.Start.Addr, b.Start.Addr), min(a.End.Addr, b.End.Addr)
			if from >= to {
				continue
			}
			var names []string
			for j := range e.survey.Initcalls {
				if c := &e.survey.Initcalls[j]; c.Table == b && c.Slot.Addr >= from && c.Slot.Addr < to {
					names = append(names, called(c))
				}
			}
			f := e.add(ruleOverlap, "the %s table and the %s table share the memory from %#x to %#x: %s %s with the first, %s, and again with the second, %s",
				a.Kind, b.Kind, from, to, naming(names), verb(len(names), "runs", "run"), whenRuns(a), whenRuns(b))
			f.Table, f.Symbol, f.Address = b.Kind, b.Start.Symbol, &from
			f.Section = b.Section
		}
	}
	return nil
}

// shared reports whether an entry lies in another table, too.
func (e *examiner) shared(c *elfscan.Initcall) bool {
	return slices.ContainsFunc(e.survey.Tables, func(t *elfscan.Table) bool {
		return t != c.Table && c.Slot.Addr >= t.Start.Addr && c.Slot.Addr < t.End.Addr
	})
}
