package check

import (
	"fmt"
	"strings"

	"github.com/initsect/initsect/elfscan"
)

// whenRuns says when the kernel calls the entries of a table.
func whenRuns(t *elfscan.Table) string {
	switch {
	case t.Kind == elfscan.TableModule:
		return "when the module comes and goes"
	case t.Kind != elfscan.TableDeferred:
		return "at boot"
	case t.Trigger != "":
		return t.Trigger
	}
	return "when the deferred initcalls are run"
}

// tablePlace says where an entry lies: "entry 3 of the deferred table", "an entry
// of level 6".
func tablePlace(c *elfscan.Initcall) string {
	if c.Table.Kind == elfscan.TableInitcall && c.Level != elfscan.LevelUnknown {
		return "level " + c.Level.Title()
	}
	return fmt.Sprintf("the %s table", c.Table.Kind)
}

// maxNames is how many functions a sentence names.
const maxNames = 3

// naming lists the first few names: "3 entries (a, b, c)", "9 entries (a, b, c
// and 6 more)".
func naming(names []string) string {
	noun := "entries"
	if len(names) == 1 {
		noun = "entry"
	}
	if len(names) == 0 {
		return "no entries"
	}
	list := strings.Join(names[:min(len(names), maxNames)], ", ")
	if more := len(names) - maxNames; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d %s (%s)", len(names), noun, list)
}

// neverRun says that entries do not run. Their symbols may be gone with them.
func neverRun(names []string) string {
	if len(names) == 0 {
		return "what was registered for it never runs"
	}
	return naming(names) + verb(len(names), " never runs", " never run")
}

// verb is the form that goes with so many.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// called is what an initcall's function is called in a sentence.
func called(c *elfscan.Initcall) string {
	if name := c.Display(); name != "" {
		return name
	}
	if c.Parsed.Function != "" {
		return c.Parsed.Function
	}
	return "an entry without a name"
}
