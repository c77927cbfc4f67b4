package check

import (
	"fmt"
	"strings"

	"github.com/initsect/initsect/elfscan"
)

// entries judges the entries one by one.
func (e *examiner) entries() error {
	judged := map[elfscan.Addr]bool{} // tables may share entries
	linked := e.im.Linked()
	for i := range e.survey.Initcalls {
		c := &e.survey.Initcalls[i]
		if linked && judged[c.Slot.Addr] {
			continue
		}
		judged[c.Slot.Addr] = true
		e.target(c)
		if !e.shared(c) {
			e.level(c)
		}
	}
	return nil
}

// target judges what an entry holds.
func (e *examiner) target(c *elfscan.Initcall) {
	where := "in " + tablePlace(c)
	if c.Slot.Known {
		where = fmt.Sprintf("at %#x %s", c.Slot.Addr, where)
	}
	section, code := e.targetSection(c)
	var f *Finding
	switch {
	case e.isNull(c):
		f = e.add(ruleNull, "the entry %s%s is zero: %s the kernel %s", where, meant(c), whenRuns(c.Table), callsNull(c))
	case !code:
		f = e.add(ruleNotCode, "the entry %s%s holds %s, which is no code (%s): %s the kernel jumps there",
			where, meant(c), holds(c), section, whenRuns(c.Table))
	case c.Offset > 0:
		f = e.add(ruleInside, "the entry %s%s points %d %s into %s (%s): %s the kernel starts to run that function in its middle",
			where, meant(c), c.Offset, verb(int(c.Offset), "byte", "bytes"), c.Name, holds(c), whenRuns(c.Table))
	case c.Symbol == "":
		f = e.add(ruleInside, "the entry %s%s holds %s in %s, where no function has a name: %s the kernel calls that",
			where, meant(c), holds(c), section, whenRuns(c.Table))
	case c.Table.Kind != elfscan.TableModule && !isText(section):
		f = e.add(ruleNotText, "the entry %s holds %s (%s), which lies in %s: that is not kept for code to be called from a table, yet %s the kernel calls it",
			where, called(c), holds(c), section, whenRuns(c.Table))
	case c.Mislabelled():
		f = e.add(ruleOtherName, "the entry %s holds %s (%s), but its symbol %s names %s: %s the kernel calls the former",
			where, called(c), holds(c), c.Entry, c.Parsed.Function, whenRuns(c.Table))
	default:
		return
	}
	f.about(c)
	if f.Function == "" {
		f.Function = c.Parsed.Function
	}
}

// meant says for whom an entry was made, if its symbol tells.
func meant(c *elfscan.Initcall) string {
	if c.Parsed.Function == "" {
		return ""
	}
	return ", made for " + c.Parsed.Function + ","
}

func holds(c *elfscan.Initcall) string {
	if !c.Target.Known {
		return "no address"
	}
	return fmt.Sprintf("%#x", c.Target.Addr)
}

// isNull reports whether all bytes of an entry are zero. Those of an object file
// are, for its relocations fill them in.
func (e *examiner) isNull(c *elfscan.Initcall) bool {
	if !e.im.Linked() || !c.Target.Known {
		return false
	}
	if c.Table.Encoding == elfscan.EncodingPrel32 {
		return c.Target.Addr == c.Slot.Addr
	}
	return c.Target.Addr == 0
}

// callsNull says what comes of a call through a zero entry.
func callsNull(c *elfscan.Initcall) string {
	if c.Table.Encoding == elfscan.EncodingPrel32 {
		return "takes the entry itself for the function, and faults; what follows in the table never runs"
	}
	return "calls address 0, and faults; what follows in the table never runs"
}

// targetSection returns the name of the section that an entry's function lies
// in, and whether there is code in it.
func (e *examiner) targetSection(c *elfscan.Initcall) (name string, code bool) {
	if !e.im.Linked() { // the decoder saw to it
		return c.Target.Section, c.Symbol != ""
	}
	if !c.Target.Known {
		return "no function descriptor", false
	}
	s, ok := e.sectionAt(c.Target.Addr)
	if !ok {
		return "in no section", false
	}
	return s.Name, s.Exec
}

// isText reports whether functions that a table refers to may lie in a section:
// .text, .init.text, .head.text and the like, but not code that is thrown away
// or kept apart for an end.
func isText(section string) bool {
	switch {
	case section == "", strings.HasPrefix(section, "segment "): // not known
		return true
	case section == ".init": // of ARM, 2.6.28 to 3.0
		return true
	case strings.HasPrefix(section, ".exit"):
		return false
	}
	return strings.Contains(section, "text")
}

// level holds the table and level that an entry is in against those that its
// symbol names.
func (e *examiner) level(c *elfscan.Initcall) {
	table, level, ok := c.Registered()
	if !ok || table == c.Table.Kind && (table != elfscan.TableInitcall || level.Base() == c.Level.Base() || c.Level == elfscan.LevelUnknown) {
		return
	}
	meant := string(table) + " table"
	if table == elfscan.TableInitcall {
		meant = "level " + level.Title()
	}
	late := "later than"
	if c.Level < level {
		late = "earlier than"
	}
	f := e.add(ruleWrongLevel, "%s is registered for %s (its entry symbol is %s), but its entry at %#x lies in %s: it runs %s, %s meant",
		called(c), meant, c.Entry, c.Slot.Addr, tablePlace(c), whenRuns(c.Table), late)
	f.about(c)
}

// registrations reports functions that more than one entry holds.
func (e *examiner) registrations() error {
	type function struct {
		place  elfscan.Place
		member string
	}
	first := map[function]*elfscan.Initcall{}
	for i := range e.survey.Initcalls {
		c := &e.survey.Initcalls[i]
		if !c.Sound() || !c.Target.Known || c.Table.Kind == elfscan.TableModule {
			continue
		}
		key := function{c.Target, c.Member}
		before, ok := first[key]
		if !ok {
			first[key] = c
			continue
		}
		// Linkers fold functions that are alike: two functions, one address.
		folded := before.Parsed.Function != c.Parsed.Function && before.Parsed.Function != "" && c.Parsed.Function != ""
		if before.Slot == c.Slot || folded {
			continue
		}
		e.registeredTwice(before, c)
	}
	return nil
}

func (e *examiner) registeredTwice(first, second *elfscan.Initcall) {
	rule, comes := ruleTwice, "it runs twice at boot"
	if (first.Table.Kind == elfscan.TableDeferred) != (second.Table.Kind == elfscan.TableDeferred) {
		rule, comes = ruleDouble, fmt.Sprintf("it runs at boot, and again %s", whenRuns(second.Table))
	} else if second.Table.Kind == elfscan.TableDeferred {
		rule, comes = ruleDouble, fmt.Sprintf("it runs twice %s", whenRuns(second.Table))
	}
	f := e.add(rule, "%s (%s) has an entry in %s, at %#x, and one in %s, at %#x: %s",
		called(second), holds(second), tablePlace(first), first.Slot.Addr, tablePlace(second), second.Slot.Addr, comes)
	f.about(second)
}
