package check

import (
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// Saved is what a document of list --format json says, as far as frozen levels
// need it.
type Saved struct {
	SyncKnown bool // as Listing.SyncKnown
	Initcalls []Registered
}

// Registered is an initcall of a saved document.
type Registered struct {
	Level    string // its id
	Function string // for people or as the linker wrote it; "" if it has no name
	Module   string // "" if unknown
}

// registered identifies an initcall in a level. Those that are equal in it are
// counted.
type registered struct {
	level            elfscan.Level
	function, module string
}

// findNew finds what is in frozen levels and was not when the document was
// saved.
func (p *Policy) findNew(e *examiner, known *roster) error {
	f := p.frozen
	if f == nil {
		return nil
	}
	saved, err := f.read()
	if err != nil {
		return err
	}
	if err := f.comparable(e.survey.Listing, known); err != nil {
		return err
	}
	allowed, err := f.allowed(known)
	if err != nil {
		return err
	}
	used := map[*wish]bool{}
	for i := range e.survey.Initcalls {
		c := &e.survey.Initcalls[i]
		if !slices.Contains(f.levels, c.Level) {
			continue
		}
		id := registered{c.Level, symbols.DisplayName(c.Display(), true), c.Module}
		switch {
		case saved.count[id] > 0:
			saved.count[id]--
		case len(allowed[c]) > 0:
			for _, w := range allowed[c] {
				used[w] = true
			}
		default:
			e.add(ruleNew, "%s is new in level %s, at %#x: %s (%s) %s", nameOrNone(c), c.Level, c.Slot.Addr, f.document, f.place, saved.has(id)).about(c)
		}
	}
	return f.unused(e, known, used)
}

func nameOrNone(c *elfscan.Initcall) string {
	if name := c.Display(); name != "" {
		return name
	}
	return "an entry without a function's name"
}

// savedLevels is what a document has where.
type savedLevels struct {
	count map[registered]int
	level map[registered]elfscan.Level // of those without their level
}

func (f *frozen) read() (*savedLevels, error) {
	if f.saved == nil {
		return nil, f.errorf("%s was not read", clip(f.document))
	}
	s := &savedLevels{map[registered]int{}, map[registered]elfscan.Level{}}
	for _, r := range f.saved.Initcalls {
		l, err := elfscan.ParseLevel(r.Level)
		if err != nil {
			return nil, f.errorf("%s: %v", clip(f.document), err)
		}
		id := registered{l, symbols.DisplayName(r.Function, true), r.Module}
		s.count[id]++
		id.level = elfscan.LevelUnknown
		s.level[id] = l
	}
	return s, nil
}

// has says where the document has an initcall that is new in its level.
func (s *savedLevels) has(id registered) string {
	level := id.level
	id.level = elfscan.LevelUnknown
	if was, ok := s.level[id]; ok && was != level {
		return "has it in level " + was.String()
	}
	return "does not have it there"
}

// comparable makes sure that the document tells of initcalls what the image
// tells.
func (f *frozen) comparable(l *elfscan.Listing, known *roster) error {
	byBoundary := slices.ContainsFunc(f.levels, func(l elfscan.Level) bool { return l >= elfscan.Level0 && l <= elfscan.Level7s })
	var sync, twins elfscan.Level // levels that have a twin, if there are any
	for _, l := range f.levels {
		switch {
		case l != l.Base():
			sync, twins = l, l
		case (l + 1).Base() == l:
			twins = l
		}
	}
	savedModules := slices.ContainsFunc(f.saved.Initcalls, func(r Registered) bool { return r.Module != "" })
	unknown := elfscan.LevelUnknown.String()
	switch {
	case byBoundary && slices.ContainsFunc(f.saved.Initcalls, func(r Registered) bool { return r.Level == unknown }):
		return f.errorf("%s does not tell the level of every initcall", clip(f.document))
	case byBoundary && slices.ContainsFunc(l.Initcalls, func(c elfscan.Initcall) bool { return c.Level == elfscan.LevelUnknown }):
		return f.errorf("levels cannot be frozen: the image has no boundary symbols between them")
	case twins != 0 && f.saved.SyncKnown && !l.SyncKnown:
		return f.errorf("%s tells sync levels apart, and the image, for want of entry symbols, does not", clip(f.document))
	case twins != 0 && !f.saved.SyncKnown && l.SyncKnown:
		return f.errorf("%s does not tell sync levels apart, and the image does: save it from an image with entry symbols", clip(f.document))
	case sync != 0 && !l.SyncKnown:
		return f.errorf("level %s cannot be frozen: without entry symbols it cannot be told from level %s", sync, sync.Base())
	case savedModules != known.hasModules && savedModules:
		return f.errorf("%s names modules, and the image's entry symbols do not", clip(f.document))
	case savedModules != known.hasModules:
		return f.errorf("%s does not name modules, and the image does: save it from an image with entry symbols", clip(f.document))
	}
	return nil
}

// allowed are the entries that the policy allows, with where it does.
func (f *frozen) allowed(known *roster) (map[*elfscan.Initcall][]*wish, error) {
	allowed := map[*elfscan.Initcall][]*wish{}
	for i := range f.allow {
		s, err := known.find(f.allow[i].function)
		if err != nil {
			return nil, err
		}
		for _, c := range s.calls {
			allowed[c] = append(allowed[c], &f.allow[i])
		}
	}
	return allowed, nil
}

// unused adds the findings about what is allowed and not new.
func (f *frozen) unused(e *examiner, known *roster, used map[*wish]bool) error {
	for i := range f.allow {
		w := &f.allow[i]
		s, err := known.find(w.function)
		if err != nil {
			return err
		}
		if !used[w] && !s.absent() {
			e.add(ruleUseless, "the policy allows %s to be new (%s), but it is not new in a frozen level: the line can go", w.text, w.place).aboutSubject(s)
		}
	}
	return nil
}
