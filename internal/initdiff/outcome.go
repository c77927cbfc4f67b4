package initdiff

import (
	"cmp"
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// changes returns what the query asks for of what changed.
func (q Query) changes(outcomes []outcome) []report.DiffChange {
	changes := []report.DiffChange{}
	for _, o := range outcomes {
		if o.kind == unchanged || !covers(q.only(), o.kind) || !q.hasModule(o) || !q.touchesLevel(o) {
			continue
		}
		at := o.place()
		changes = append(changes, report.DiffChange{
			Kind:  string(o.kind),
			Guess: o.kind == KindRenamed,
			Table: at.table,
			Level: at.level,
			Old:   newPlace(o.old),
			New:   newPlace(o.new),
		})
	}
	return changes
}

func (q Query) touchesLevel(o outcome) bool {
	return o.old != nil && q.hasLevel(o.old.level) || o.new != nil && q.hasLevel(o.new.level)
}

func newPlace(e *entry) *report.DiffPlace {
	if e == nil {
		return nil
	}
	return &report.DiffPlace{
		Order: e.Order, Table: e.Table, Level: e.Level, Group: e.Group,
		Symbol: e.shown, Module: e.Module, Line: e.Line, After: e.after,
	}
}

// levels counts the outcomes level by level.
func (q Query) levels(outcomes []outcome) []report.DiffLevel {
	counts := map[place]*report.DiffCount{}
	at := func(e *entry) *report.DiffCount {
		p := place{table: e.table, level: e.level}
		if counts[p] == nil {
			counts[p] = &report.DiffCount{}
		}
		return counts[p]
	}
	for _, o := range outcomes {
		if !q.hasModule(o) {
			continue
		}
		if o.old != nil {
			at(o.old).Old++
		}
		if o.new != nil {
			at(o.new).New++
		}
		switch o.kind {
		case unchanged:
			at(o.new).Unchanged++
		case KindAdded:
			at(o.new).Added++
		case KindRemoved:
			at(o.old).Removed++
		case KindMoved:
			at(o.old).MovedOut++
			at(o.new).MovedIn++
		case KindReordered:
			at(o.new).Reordered++
		case KindRenamed:
			at(o.new).Renamed++
		}
	}
	levels := []report.DiffLevel{}
	for p, n := range counts {
		if q.hasLevel(p.level) {
			levels = append(levels, report.DiffLevel{Table: p.table, Level: p.level, DiffCount: *n})
		}
	}
	slices.SortFunc(levels, func(a, b report.DiffLevel) int {
		return comparePlaces(place{table: a.Table, level: a.Level}, place{table: b.Table, level: b.Level})
	})
	return levels
}

// total adds the levels up.
func (q Query) total(levels []report.DiffLevel, outcomes []outcome) report.DiffTotal {
	var sum report.DiffTotal
	for _, n := range levels {
		sum.Old += n.Old
		sum.New += n.New
		sum.Unchanged += n.Unchanged
		sum.Added += n.Added
		sum.Removed += n.Removed
		sum.MovedIn += n.MovedIn
		sum.MovedOut += n.MovedOut
		sum.Reordered += n.Reordered
		sum.Renamed += n.Renamed
	}
	for _, o := range outcomes {
		if o.kind == KindMoved && q.hasModule(o) && q.touchesLevel(o) {
			sum.Moved++
		}
	}
	return sum
}

// comparePlaces compares in run order.
func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(tableRank(a.table), tableRank(b.table)),
		cmp.Compare(levelRank(a.level), levelRank(b.level)), cmp.Compare(a.group, b.group))
}

func tableRank(table string) int {
	return slices.Index(elfscan.TableKinds, elfscan.TableKind(table))
}

// levelRank puts the levels that are not told apart behind the early one, which
// old kernels tell.
func levelRank(id string) int {
	l, err := elfscan.ParseLevel(id)
	if err != nil || l == elfscan.LevelUnknown {
		return 2*int(elfscan.LevelEarly) + 1
	}
	return 2 * int(l)
}
