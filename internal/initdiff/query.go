package initdiff

import (
	"errors"
	"fmt"
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// Kinds lists all kinds of difference.
var Kinds = []Kind{KindAdded, KindRemoved, KindMoved, KindReordered, KindRenamed, KindTable, KindImage}

// Query says which differences are asked for. The zero Query asks for all.
//
// That an initcall was renamed is a guess: where KindAdded or KindRemoved is
// asked for, or counts, it is and does, too.
type Query struct {
	Only   []Kind          // kinds; none means all
	Levels []elfscan.Level // where an initcall was or is; none means all
	Module string          // which it was or is in; "" means all

	// FailOn are the kinds that count as a difference between the two. None
	// means those of Only, and if that is empty too all but KindImage: a kernel
	// of another release may well have the same initcalls.
	FailOn []Kind

	RawRust bool // show Rust names mangled
}

// ParseKind returns the kind with this name.
func ParseKind(s string) (Kind, error) {
	if !slices.Contains(Kinds, Kind(s)) {
		return "", fmt.Errorf("unknown kind %q: want one of %v", s, Kinds)
	}
	return Kind(s), nil
}

// isPartial reports whether some levels or one module are asked for, of which
// the facts of a table are none.
func (q Query) isPartial() bool { return len(q.Levels) > 0 || q.Module != "" }

// facts returns the facts that are asked for, and notes that there are others:
// of these no total tells.
func (q Query) facts(all []report.DiffFact) (selected []report.DiffFact, notes []string) {
	selected = []report.DiffFact{}
	for _, f := range all {
		kind := Kind(f.Kind)
		if covers(q.only(), kind) && (kind != KindTable || !q.isPartial()) {
			selected = append(selected, f)
			continue
		}
		notes = append(notes, fmt.Sprintf("there are %s differences, which were not asked for", kind))
	}
	return selected, slices.Compact(notes) // the image's come first
}

// Check refuses a query under which a difference that is to be shown or to
// count would not be shown.
func (q Query) Check() error {
	if q.isPartial() && slices.Contains(append(q.Only[:len(q.Only):len(q.Only)], q.FailOn...), KindTable) {
		return errors.New("table differences are of no single level or module")
	}
	for _, k := range q.FailOn {
		if !covers(q.only(), k) {
			return fmt.Errorf("%s differences are to count, but not to be shown", k)
		}
	}
	return nil
}

// answerable refuses a selection by what is not compared, or by what is on no
// side: a module's name that is misspelt would always be without difference.
func (q Query) answerable(k knowledge, old, new *report.List) error {
	for _, l := range q.Levels {
		if as := k.level(l.String()); as != l.String() {
			return fmt.Errorf("cannot select level %s: not both sides tell it from others, and it is compared as level %s", l, as)
		}
	}
	if q.Module != "" && !k.modules {
		return errors.New("cannot select a module: not both sides tell modules")
	}
	isIn := func(c report.Initcall) bool { return text(c.Module) == q.Module }
	if q.Module != "" && !slices.ContainsFunc(old.Initcalls, isIn) && !slices.ContainsFunc(new.Initcalls, isIn) {
		return fmt.Errorf("neither side has an initcall of module %q", q.Module)
	}
	return nil
}

func (q Query) only() []Kind {
	if len(q.Only) == 0 {
		return Kinds
	}
	return q.Only
}

func (q Query) failOn() []Kind {
	switch {
	case len(q.FailOn) > 0:
		return q.FailOn
	case len(q.Only) > 0:
		return q.Only
	}
	return slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool { return k == KindImage })
}

func (q Query) document() report.DiffQuery {
	doc := report.DiffQuery{Only: names(q.only()), FailOn: names(q.failOn()), Levels: []string{}}
	for _, l := range q.Levels {
		doc.Levels = append(doc.Levels, l.String())
	}
	if q.Module != "" {
		doc.Module = &q.Module
	}
	return doc
}

func names(kinds []Kind) []string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return all
}

// hasLevel reports whether a level is asked for, by the id as which it was
// compared.
func (q Query) hasLevel(id string) bool {
	return len(q.Levels) == 0 || slices.ContainsFunc(q.Levels, func(l elfscan.Level) bool { return l.String() == id })
}

// hasModule reports whether the module of one of the sides is asked for.
func (q Query) hasModule(o outcome) bool {
	isIn := func(e *entry) bool { return e != nil && text(e.Module) == q.Module }
	return q.Module == "" || isIn(o.old) || isIn(o.new)
}

// counted is how many of the differences that are shown count.
func (q Query) counted(doc *report.Diff) int {
	n := 0
	for _, c := range doc.Changes {
		if covers(q.failOn(), Kind(c.Kind)) {
			n++
		}
	}
	for _, f := range doc.Facts {
		if covers(q.failOn(), Kind(f.Kind)) {
			n++
		}
	}
	return n
}

// covers reports whether a difference of this kind is meant by the kinds.
func covers(kinds []Kind, k Kind) bool {
	return slices.Contains(kinds, k) ||
		k == KindRenamed && (slices.Contains(kinds, KindAdded) || slices.Contains(kinds, KindRemoved))
}
