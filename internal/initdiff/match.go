package initdiff

import (
	"cmp"
	"slices"
)

// Kind is what can be different.
type Kind string

// The kinds.
const (
	KindAdded     Kind = "added"
	KindRemoved   Kind = "removed"
	KindMoved     Kind = "moved"     // to another level, table or group
	KindReordered Kind = "reordered" // within its level
	KindRenamed   Kind = "renamed"   // a guess: same place, module and line
	KindTable     Kind = "table"     // a fact of a table
	KindImage     Kind = "image"     // a fact of the image
	unchanged     Kind = "unchanged"
)

// outcome is what became of one initcall. Old is nil if it was added, new if it
// was removed.
type outcome struct {
	kind     Kind
	old, new *entry
}

// place is where the initcall is or, if it was removed, was.
func (o outcome) place() place {
	if o.new == nil {
		return o.old.place
	}
	return o.new.place
}

// match finds for each entry the one that is the same initcall on the other
// side, and so what became of it. The outcomes come in run order.
func match(old, new []*entry) []outcome {
	m := matcher{old: old, new: new, done: map[*entry]bool{}}
	m.matchPlaces()
	m.matchRest(KindReordered, func(e *entry) any { return [2]any{e.identity, e.place} })
	m.matchRest(KindMoved, func(e *entry) any { return e.identity })
	m.guessRenamed()
	for _, e := range m.rest(m.old) {
		m.outcomes = append(m.outcomes, outcome{kind: KindRemoved, old: e})
	}
	for _, e := range m.rest(m.new) {
		m.outcomes = append(m.outcomes, outcome{kind: KindAdded, new: e})
	}
	slices.SortStableFunc(m.outcomes, func(a, b outcome) int {
		return cmp.Or(comparePlaces(a.place(), b.place()), cmp.Compare(rank(a.kind), rank(b.kind)), cmp.Compare(order(a), order(b)))
	})
	return m.outcomes
}

type matcher struct {
	old, new []*entry
	done     map[*entry]bool
	outcomes []outcome
}

func (m *matcher) pair(kind Kind, old, new *entry) {
	m.done[old], m.done[new] = true, true
	m.outcomes = append(m.outcomes, outcome{kind, old, new})
}

// rest returns the entries that have no match yet.
func (m *matcher) rest(entries []*entry) []*entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e *entry) bool { return m.done[e] })
}

// matchPlaces matches, place by place, the entries that stayed in order.
func (m *matcher) matchPlaces() {
	olds, news := byPlace(m.old), byPlace(m.new)
	for at, old := range olds {
		new := news[at]
		for _, p := range align(identities(old), identities(new)) {
			m.pair(unchanged, old[p.old], new[p.new])
		}
	}
}

// matchRest matches in order what is left and equal by key.
func (m *matcher) matchRest(kind Kind, key func(*entry) any) {
	waiting := map[any][]*entry{}
	for _, e := range m.rest(m.old) {
		waiting[key(e)] = append(waiting[key(e)], e)
	}
	for _, e := range m.rest(m.new) {
		if equals := waiting[key(e)]; len(equals) > 0 {
			m.pair(kind, equals[0], e)
			waiting[key(e)] = equals[1:]
		}
	}
}

// guessRenamed matches what is left, if it is the only entry of a module and
// line in its place on both sides.
func (m *matcher) guessRenamed() {
	type origin struct {
		place
		module string
		line   int
	}
	originsOf := func(entries []*entry) map[origin][]*entry {
		at := map[origin][]*entry{}
		for _, e := range entries {
			if e.Module != nil && e.Line != nil {
				key := origin{e.place, *e.Module, *e.Line}
				at[key] = append(at[key], e)
			}
		}
		return at
	}
	olds, news := originsOf(m.rest(m.old)), originsOf(m.rest(m.new))
	for key, old := range olds {
		if new := news[key]; len(old) == 1 && len(new) == 1 {
			m.pair(KindRenamed, old[0], new[0])
		}
	}
}

func byPlace(entries []*entry) map[place][]*entry {
	at := map[place][]*entry{}
	for _, e := range entries {
		at[e.place] = append(at[e.place], e)
	}
	return at
}

func identities(entries []*entry) []identity {
	ids := make([]identity, len(entries))
	for i, e := range entries {
		ids[i] = e.identity
	}
	return ids
}

// rank orders the outcomes of one place.
func rank(k Kind) int {
	return slices.Index([]Kind{KindRemoved, KindAdded, KindRenamed, KindMoved, KindReordered, unchanged}, k)
}

// order is where in its kernel an outcome's entry is.
func order(o outcome) int {
	if o.new == nil {
		return o.old.Order
	}
	return o.new.Order
}
