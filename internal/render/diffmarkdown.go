package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// diffMarkdown writes what one pastes into a merge request: the summary, the
// levels that changed, and the changes.
func diffMarkdown(w io.Writer, doc *report.Diff, stat bool) error {
	var b strings.Builder
	cell := func(s string) string { return markdownCell.Replace(Printable(s)) }
	fmt.Fprintf(&b, "**%s**\n\n", cell(diffSummary(doc)))
	fmt.Fprintf(&b, "- old: %s\n- new: %s\n", cell(sideText(doc.Old)), cell(sideText(doc.New)))
	for _, f := range doc.Facts {
		fmt.Fprintf(&b, "- %s\n", cell(factText(f)))
	}
	for _, note := range doc.Notes {
		fmt.Fprintf(&b, "- note: %s\n", cell(note))
	}
	grids := []grid{diffLevelsGrid(doc, stat)}
	if stat {
		for _, size := range sizeTexts(doc) {
			fmt.Fprintf(&b, "- %s\n", cell(size))
		}
	} else {
		grids = append(grids, diffChangesGrid(doc))
	}
	for _, g := range grids {
		if len(g.rows) == 0 {
			continue
		}
		b.WriteByte('\n')
		if err := g.printable().markdown(&b); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// diffLevelsGrid has the levels that changed, or all.
func diffLevelsGrid(doc *report.Diff, all bool) grid {
	g := grid{columns: []string{"level", "old", "new", "added", "removed", "moved in", "moved out", "reordered", "renamed"}}
	for _, l := range doc.Levels {
		if all || l.Old != l.Unchanged || l.New != l.Unchanged {
			cells := countCells(l.DiffCount)
			g.rows = append(g.rows, append([]string{diffTitle(l.Level), cells[0], cells[1]}, cells[3:]...))
		}
	}
	return g
}

func diffChangesGrid(doc *report.Diff) grid {
	g := grid{columns: []string{"change", "initcall", "module", "line", "level", ""}}
	for _, c := range doc.Changes {
		line := "-"
		if p := diffPlace(c); p.Line != nil {
			line = strconv.Itoa(*p.Line)
		}
		g.rows = append(g.rows, []string{
			c.Kind, changeName(c), or(diffPlace(c).Module), line, diffTitle(c.Level), changeText(c),
		})
	}
	return g
}
