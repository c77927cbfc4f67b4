package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// Diff prints the document of the diff command: all changes, or with stat a
// line for each level. The JSON document has both.
func Diff(stat bool) func(io.Writer, *report.Diff, Format, Style) error {
	return func(w io.Writer, doc *report.Diff, f Format, style Style) error {
		if f == Markdown {
			return diffMarkdown(w, doc, stat)
		}
		v := view{
			doc:  doc,
			grid: func() grid { return diffGrid(doc) },
			text: func(w io.Writer, s Style) error { return diffText(w, doc, stat, s) },
		}
		if stat {
			v.grid = func() grid { return diffStatGrid(doc) }
		}
		return v.write(w, f, style)
	}
}

// diffGrid has a row for each fact, then one for each change. The values are
// those of a fact, the names of a renamed initcall, the groups of a moved one.
func diffGrid(doc *report.Diff) grid {
	g := grid{columns: []string{
		"kind", "name", "module", "old_table", "old_level", "old_order", "old_line",
		"new_table", "new_level", "new_order", "new_line", "old_value", "new_value",
	}}
	for _, f := range doc.Facts {
		g.rows = append(g.rows, []string{
			f.Kind, f.Fact, "-", or(f.Table), "-", "-", "-", or(f.Table), "-", "-", "-", f.Old, f.New,
		})
	}
	for _, c := range doc.Changes {
		row := []string{c.Kind, diffName(c), or(diffPlace(c).Module)}
		row = append(append(row, placeCells(c.Old)...), placeCells(c.New)...)
		was, is := "-", "-"
		switch c.Kind {
		case "renamed":
			was, is = or(c.Old.Symbol), or(c.New.Symbol)
		case "moved": // maybe from group to group of one level
			was, is = or(c.Old.Group), or(c.New.Group)
		}
		g.rows = append(g.rows, append(row, was, is))
	}
	return g
}

func placeCells(p *report.DiffPlace) []string {
	if p == nil {
		return []string{"-", "-", "-", "-"}
	}
	return []string{p.Table, p.Level, strconv.Itoa(p.Order), or(p.Line)}
}

// diffPlace is where a change's initcall is or, if it is removed, was.
func diffPlace(c report.DiffChange) *report.DiffPlace {
	if c.New == nil {
		return c.Old
	}
	return c.New
}

func diffName(c report.DiffChange) string { return or(diffPlace(c).Symbol) }

func diffStatGrid(doc *report.Diff) grid {
	g := grid{columns: []string{
		"table", "level", "old", "new", "unchanged", "added", "removed", "moved_in", "moved_out", "reordered", "renamed",
	}}
	for _, l := range doc.Levels {
		g.rows = append(g.rows, append([]string{l.Table, l.Level}, countCells(l.DiffCount)...))
	}
	g.rows = append(g.rows, append([]string{"total", "-"}, countCells(doc.Total.DiffCount)...))
	return g
}

func countCells(n report.DiffCount) []string {
	var cells []string
	for _, figure := range []int{n.Old, n.New, n.Unchanged, n.Added, n.Removed, n.MovedIn, n.MovedOut, n.Reordered, n.Renamed} {
		cells = append(cells, strconv.Itoa(figure))
	}
	return cells
}

// diffTitle names a level of a comparison.
func diffTitle(id string) string {
	if id == "unknown" {
		return "levels not told apart"
	}
	return levelTitle(id, true)
}

// diffSigns are the figures of a level as a diff has them, and add up: the old
// count, plus what came, less what went, is the new one.
func diffSigns(n report.DiffCount) string {
	return fmt.Sprintf("+%d -%d ~%d", n.Added+n.MovedIn, n.Removed+n.MovedOut, n.Reordered+n.Renamed)
}

// diffSummary says in a line what became of all initcalls.
func diffSummary(doc *report.Diff) string {
	n := doc.Total
	var parts []string
	for _, part := range []struct {
		figure int
		what   string
	}{
		{n.Added, "added"},
		{n.Removed, "removed"},
		{n.Moved, "moved"},
		{n.Reordered, "reordered"},
		{n.Renamed, "renamed (a guess)"},
	} {
		if part.figure > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.figure, part.what))
		}
	}
	if facts := tableFacts(doc); facts > 0 {
		parts = append(parts, count(facts, "table fact"))
	}
	if len(parts) == 0 {
		return count(n.Old, "initcall") + ": no difference"
	}
	return fmt.Sprintf("%d -> %s: %s; %d unchanged", n.Old, count(n.New, "initcall"), strings.Join(parts, ", "), n.Unchanged)
}

func tableFacts(doc *report.Diff) int {
	n := 0
	for _, f := range doc.Facts {
		if f.Table != nil {
			n++
		}
	}
	return n
}

// sideText names one side: what was given, what that was made from, and which
// kernel it is.
func sideText(s report.DiffSide) string {
	who := s.Image.Container
	if s.Image.Release != nil {
		who = "Linux " + *s.Image.Release
	}
	text := s.File
	if s.Saved {
		text += " (a list of " + s.Image.Path + ")"
	}
	return Printable(fmt.Sprintf("%s: %s, %s", text, who, s.Image.Machine))
}

// factText is one difference that is no initcall's.
func factText(f report.DiffFact) string {
	what := f.Fact
	switch {
	case f.Table != nil && f.Fact == "presence":
		what = *f.Table + " table"
	case f.Table != nil:
		what = *f.Table + " table: " + f.Fact
	}
	return Printable(fmt.Sprintf("%s: %s -> %s", what, f.Old, f.New))
}
