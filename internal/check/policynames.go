package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/nearest"
	"github.com/initsect/initsect/symbols"
)

// roster knows the functions of an image by each of their names.
type roster struct {
	calls map[string][]*elfscan.Initcall // in run order
	lost  map[string][]*lostEntry
	plain map[string][]symbols.Symbol // functions that the policy names, registered or not

	hasModules bool
}

// subject is a function of the policy, as the image has it.
type subject struct {
	function
	calls []*elfscan.Initcall // all entries that it has in tables, in run order
	lost  []*lostEntry        // and outside of them
	plain []symbols.Symbol    // the function itself; known only without either
}

// absent reports whether an optional function is not in the image.
func (s *subject) absent() bool { return len(s.calls)+len(s.lost)+len(s.plain) == 0 }

func newRoster(e *examiner, p *Policy) (*roster, error) {
	k := &roster{calls: map[string][]*elfscan.Initcall{}, lost: map[string][]*lostEntry{}}
	for i := range e.survey.Initcalls {
		c := &e.survey.Initcalls[i]
		for _, name := range namesOf(c) {
			k.calls[name] = append(k.calls[name], c)
		}
		k.hasModules = k.hasModules || c.Module != ""
	}
	for i := range e.lost {
		l := &e.lost[i]
		for _, name := range l.names() {
			k.lost[name] = append(k.lost[name], l)
		}
	}
	if e.im.Symbols() == nil { // an archive's objects have one each
		return k, nil
	}
	var err error
	k.plain, err = e.im.Symbols().Named(p.names()...)
	return k, err
}

// suggestion is what a function that the image has not was meant to be:
// another module's, if its name is right, or the name that is most like it.
func (k *roster) suggestion(f function) string {
	names := []string{f.name}
	if len(k.calls[f.name])+len(k.lost[f.name]) == 0 {
		names = slices.AppendSeq(slices.Collect(maps.Keys(k.calls)), maps.Keys(k.lost))
	}
	if f.module != "" {
		names = k.qualified(names)
	}
	for _, name := range nearest.Names(f.text, names, 1) {
		return fmt.Sprintf("the nearest initcall is %q; ", name)
	}
	return ""
}

// qualified are names with the modules of which they are.
func (k *roster) qualified(names []string) (qualified []string) {
	for _, name := range names {
		for _, c := range k.calls[name] {
			qualified = append(qualified, qualify(c.Module, name))
		}
		for _, l := range k.lost[name] {
			qualified = append(qualified, qualify(l.parsed.Module, name))
		}
	}
	return qualified
}

func qualify(module, name string) string {
	if module == "" {
		return name
	}
	return module + ":" + name
}

// namesOf are all names of an initcall's function, each once: those at its
// address, as the linker wrote them and as people do.
func namesOf(c *elfscan.Initcall) []string {
	if c.Symbol == "" || c.Offset != 0 {
		return nil
	}
	raw := []string{c.Symbol}
	for _, a := range c.Aliases {
		raw = append(raw, a.Name)
	}
	names := []string{c.Name}
	for _, name := range raw {
		names = append(names, name, symbols.DisplayName(name, true))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// names are those that an entry symbol may mean; old ones do not set off the
// level's id from the name.
func (l *lostEntry) names() []string {
	if l.parsed.Ambiguous {
		return []string{l.parsed.Function, l.parsed.Function + l.parsed.ID}
	}
	return []string{l.parsed.Function}
}

// names are those of all functions that the policy names.
func (p *Policy) names() (names []string) {
	for _, list := range [][]wish{p.deferred, p.notDeferred} {
		for _, w := range list {
			names = append(names, w.name)
		}
	}
	for _, w := range p.levels {
		names = append(names, w.name)
	}
	for _, w := range p.orders {
		names = append(names, w.first.name, w.then.name)
	}
	if p.frozen != nil {
		for _, w := range p.frozen.allow {
			names = append(names, w.name)
		}
	}
	for _, s := range p.suppressions {
		if s.function != nil {
			names = append(names, s.function.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// find looks a function up. One that the image has not, registered or not, is
// an error unless it is optional.
func (k *roster) find(f function) (*subject, error) {
	s := &subject{function: f}
	if f.module != "" && !k.hasModules {
		return nil, f.errorf("%q names a module, but no entry symbol of the image does: name the function alone", clip(f.text))
	}
	for _, c := range k.calls[f.name] {
		if f.module == "" || f.module == c.Module {
			s.calls = append(s.calls, c)
		}
	}
	for _, l := range k.lost[f.name] {
		if f.module == "" || f.module == l.parsed.Module {
			s.lost = append(s.lost, l)
		}
	}
	// Of a function that others register the module is known to be wrong.
	if len(k.calls[f.name])+len(k.lost[f.name]) == 0 {
		s.plain = slices.DeleteFunc(slices.Clone(k.plain[f.name]), func(s symbols.Symbol) bool { return !s.Kind.Text() })
	}
	if s.absent() && !f.optional {
		return nil, f.errorf("the image has no function %q: %sone that not every image has must be optional", clip(f.text), k.suggestion(f))
	}
	return s, nil
}

// called names one of the subject's entries: with the module, if the policy
// leaves open which is meant.
func (s *subject) called(module string) string {
	if s.module == "" && len(s.calls)+len(s.lost) > 1 {
		return qualify(module, s.text)
	}
	return s.text
}
