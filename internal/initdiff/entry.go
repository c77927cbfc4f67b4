package initdiff

import (
	"slices"
	"strconv"

	"github.com/initsect/initsect/internal/report"
	"github.com/initsect/initsect/symbols"
)

// identity is what makes two entries the same initcall.
type identity struct{ function, module string }

// place is where an entry runs, as far as both sides tell: the entries of one
// place run one after the other. The group is that of a vendor's deferred table.
type place struct{ table, level, group string }

// entry is an initcall of one side.
type entry struct {
	*report.Initcall
	identity
	place
	shown *string // the function for people
	after *string // what runs before it in its place; nil if nothing does
}

func entriesOf(doc *report.List, k knowledge, rawRust bool) []*entry {
	entries := make([]*entry, 0, len(doc.Initcalls))
	last := map[place]*entry{}
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		e := &entry{
			Initcall: c,
			identity: identity{function: function(c, k.entries, false)},
			place:    place{c.Table, k.level(c.Level), text(c.Group)},
		}
		if k.modules && !k.unsaid[e.function] {
			e.module = text(c.Module)
		}
		if name := function(c, k.entries, rawRust); name != "" {
			e.shown = &name
		}
		if before := last[e.place]; before != nil {
			e.after = before.label()
		}
		last[e.place] = e
		entries = append(entries, e)
	}
	return entries
}

// function is the name of the function that was registered, "" if the target
// has none. Among several names of the target it is that in the entry symbol,
// if both sides have these; else that which the kernel prints.
func function(c *report.Initcall, entries, rawRust bool) string {
	if c.RawSymbol == nil {
		return ""
	}
	raw := *c.RawSymbol
	if entries && slices.Contains(c.Aliases, c.Entry.Function) {
		raw = c.Entry.Function
	}
	name := symbols.DisplayName(raw, !rawRust)
	if c.Offset != 0 {
		name += "+0x" + strconv.FormatUint(c.Offset, 16)
	}
	return name
}

// label names an entry to those around it.
func (e *entry) label() *string {
	if e.shown == nil {
		unnamed := "an unnamed function"
		return &unnamed
	}
	return e.shown
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
