package initdiff

import (
	"fmt"
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// knowledge is what both sides know, so that it can be compared.
type knowledge struct {
	untold  map[elfscan.Level]bool // levels that a side cannot tell from each other
	sync    bool                   // sync levels are told from their base levels
	modules bool
	unsaid  map[string]bool // functions of which a side names no module, though it does of others
	entries bool            // entry symbols name the functions
	linked  bool            // both are linked kernels: sections and boundaries are final
	bounds  bool            // symbols bound the tables, and level rootfs
	notes   []string
}

func commonKnowledge(old, new Side) knowledge {
	k := knowledge{untold: map[elfscan.Level]bool{}, unsaid: map[string]bool{}, notes: []string{}}
	say := func(what string, olds, news bool) bool {
		if !olds || !news {
			k.notes = append(k.notes, fmt.Sprintf("%s %s", who(olds, news), what))
		}
		return olds && news
	}
	oldUntold, newUntold := untoldLevels(old.List), untoldLevels(new.List)
	for _, l := range append(oldUntold, newUntold...) {
		k.untold[l] = true
	}
	say("lacks boundary symbols between levels: levels that they would tell apart are compared as one",
		len(oldUntold) == 0, len(newUntold) == 0)
	if slices.ContainsFunc(syncLevels, func(l elfscan.Level) bool { return !k.untold[l] }) {
		k.sync = say("lacks entry symbols that tell sync levels: these are compared as a part of their base levels",
			old.List.SyncKnown, new.List.SyncKnown)
	}
	k.modules = say("names no modules: functions are compared by name alone", tellsModules(old.List), tellsModules(new.List))
	k.entries = tellsEntries(old.List) && tellsEntries(new.List)
	if k.modules {
		oldUnsaid, newUnsaid := k.without(old.List), k.without(new.List)
		for _, name := range append(oldUnsaid, newUnsaid...) {
			k.unsaid[name] = true
		}
		say("names no module of some functions: these are compared by name alone", len(oldUnsaid) == 0, len(newUnsaid) == 0)
	}
	k.linked = say("is no linked kernel: sections, boundary symbols, init memory and triggers are not compared",
		isLinked(old.List), isLinked(new.List))
	k.bounds = k.linked && say("has no symbols that bound its tables: these symbols are not compared, and level rootfs is compared as a part of level 5",
		tellsBounds(old.List), tellsBounds(new.List))
	return k
}

// tellsBounds reports whether symbols bound a kernel's tables. Those of one
// without CONFIG_KALLSYMS_ALL are inferred from its own symbol table.
func tellsBounds(doc *report.List) bool {
	return !slices.ContainsFunc(doc.Tables, func(t report.Table) bool {
		return t.Table == string(elfscan.TableInitcall) && t.Start.Symbol == nil
	})
}

func isLinked(doc *report.List) bool {
	c := elfscan.Container(doc.Image.Container)
	return c == elfscan.ContainerELF || c == elfscan.ContainerRaw
}

var syncLevels = []elfscan.Level{
	elfscan.Level0s, elfscan.Level1s, elfscan.Level2s, elfscan.Level3s,
	elfscan.Level4s, elfscan.Level5s, elfscan.Level6s, elfscan.Level7s,
}

// who names the sides of which something cannot be said.
func who(old, new bool) string {
	switch {
	case !old && !new:
		return "each side"
	case !old:
		return "the old side"
	}
	return "the new side"
}

// untoldLevels returns the levels that a list with entries of unknown level
// cannot tell from each other: those that its initcall table has no boundary
// for.
func untoldLevels(doc *report.List) []elfscan.Level {
	isUnknown := func(l report.Level) bool { return l.Level == elfscan.LevelUnknown.String() && l.Count > 0 }
	for _, t := range doc.Tables {
		if t.Table != string(elfscan.TableInitcall) || !slices.ContainsFunc(t.Levels, isUnknown) {
			continue
		}
		var untold []elfscan.Level
		for l := elfscan.LevelEarly; l <= elfscan.Level7s; l++ {
			told := func(have report.Level) bool { return have.Level == l.Base().String() }
			if !slices.ContainsFunc(t.Levels, told) {
				untold = append(untold, l)
			}
		}
		return untold
	}
	return nil
}

func tellsModules(doc *report.List) bool {
	return slices.ContainsFunc(doc.Initcalls, func(c report.Initcall) bool { return c.Module != nil })
}

// without returns the functions of which a list names no module.
func (k knowledge) without(doc *report.List) []string {
	var names []string
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		if name := function(c, k.entries, false); name != "" && c.Module == nil {
			names = append(names, name)
		}
	}
	return names
}

func tellsEntries(doc *report.List) bool {
	return !slices.ContainsFunc(doc.Initcalls, func(c report.Initcall) bool { return c.Entry == nil })
}

// level is the level as which an initcall is compared.
func (k knowledge) level(id string) string {
	l, err := elfscan.ParseLevel(id)
	switch {
	case err != nil:
		return id // documents hold no other: ReadList sees to it
	case k.untold[l]:
		return elfscan.LevelUnknown.String()
	case l == elfscan.LevelRootfs && k.linked && !k.bounds:
		return elfscan.Level5.String()
	case !k.sync:
		return l.Base().String()
	}
	return id
}
