// Package initdiff compares the initcalls of two kernels, as two list documents
// tell them.
//
// # What is the same initcall
//
// Two entries are the same initcall if function and module are the same; among
// several that share both, first come first served. Address, slot, and the
// counter and line in the entry symbol mean nothing: they change with every
// build. Equals that stayed where they are find each other before those that
// moved.
//
// # What is compared
//
// What both documents know. If one of them does not know levels, sync levels or
// modules, be it of some functions only, the other's knowledge of them is left
// out of the comparison, for each of them would seem to have changed; the result
// says so in a note.
package initdiff

import (
	"github.com/initsect/initsect/internal/report"
)

// Side is one of the two to compare.
type Side struct {
	File  string // as the user named it
	Saved bool   // it is a saved document
	List  *report.List
}

// Compare tells what changed from old to new, as far as the query asks for it.
func Compare(old, new Side, q Query) (*report.Diff, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	common := commonKnowledge(old, new)
	if err := q.answerable(common, old.List, new.List); err != nil {
		return nil, err
	}
	before := entriesOf(old.List, common, q.RawRust)
	after := entriesOf(new.List, common, q.RawRust)
	matches := match(before, after)
	asked, hidden := q.facts(facts(old.List, new.List, common))
	doc := &report.Diff{
		Schema:  report.DiffSchema,
		Old:     report.DiffSide{File: old.File, Saved: old.Saved, Image: old.List.Image},
		New:     report.DiffSide{File: new.File, Saved: new.Saved, Image: new.List.Image},
		Notes:   append(common.notes, hidden...),
		Query:   q.document(),
		Facts:   asked,
		Tables:  sizes(old.List, new.List),
		Levels:  q.levels(matches),
		Changes: q.changes(matches),
	}
	doc.Total = q.total(doc.Levels, matches)
	doc.Counted = q.counted(doc)
	return doc, nil
}
