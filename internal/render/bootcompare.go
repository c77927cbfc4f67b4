package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// BootCompare prints the document of boot --compare.
func BootCompare(top int) func(io.Writer, *report.BootCompare, Format, Style) error {
	return func(w io.Writer, doc *report.BootCompare, f Format, style Style) error {
		v := view{
			doc:  doc,
			grid: func() grid { return bootCompareGrid(doc) },
			text: func(w io.Writer, s Style) error { return bootCompareText(w, doc, top, s) },
		}
		return v.write(w, f, style)
	}
}

func bootCompareGrid(doc *report.BootCompare) grid {
	g := grid{columns: []string{"change", "function", "module", "old", "new", "old_us", "new_us", "saved_us"}}
	for i := range doc.Calls {
		c := &doc.Calls[i]
		g.rows = append(g.rows, []string{
			c.Change, c.Function, or(c.Module), or(c.Old), or(c.New), or(c.OldTime), or(c.NewTime), or(c.Saved),
		})
	}
	return g
}

// changeTitles are the parts of the page, in their order.
var changeTitles = []struct{ change, title string }{
	{"deferred", "deferred: they run after user space began"},
	{"slower", "slower"},
	{"faster", "faster"},
	{"gone", "gone"},
	{"new", "new"},
	{"not measured", "not measured: one of the logs does not tell how long they took"},
	{"moved", "moved: as fast as before, at another place"},
}

func bootCompareText(w io.Writer, doc *report.BootCompare, top int, style Style) error {
	p := &bootPage{top: top, style: style}
	for _, l := range []struct {
		which string
		log   *report.BootLog
		all   report.BootTotals
	}{{"old", &doc.Old, doc.OldTotal}, {"new", &doc.New, doc.NewTotal}} {
		who := ""
		if l.log.Release != nil {
			who = ": Linux " + *l.log.Release
		}
		p.WriteString(p.style.paint(bold, Printable(l.which+" "+l.log.Path+who)) + "\n")
		p.WriteString(totalText(l.all, "") + "\n")
	}
	fmt.Fprintf(p, "before user space: %s in sum, was %s: %s\n", millis(doc.NewBefore.Sum), millis(doc.OldBefore.Sum), savedText(doc.Saved.Before))
	fmt.Fprintf(p, "in all: %s\n", savedText(doc.Saved.Total))
	for _, part := range changeTitles {
		p.changes(doc, part.change, part.title)
	}
	same := 0
	for i := range doc.Calls {
		if doc.Calls[i].Change == "same" {
			same++
		}
	}
	fmt.Fprintf(p, "\n%s the same, within %s and %g %%\n", count(same, "call"), millis(doc.MinTime), doc.MinPercent)
	if len(doc.Notes) > 0 {
		p.title("notes")
	}
	for _, note := range doc.Notes {
		fmt.Fprintf(p, "  - %s\n", Printable(note))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func savedText(us int64) string {
	if us < 0 {
		return millis(-us) + " lost"
	}
	return millis(us) + " saved"
}

func (p *bootPage) changes(doc *report.BootCompare, change, title string) {
	var calls []*report.BootPair
	for i := range doc.Calls {
		if c := &doc.Calls[i]; c.Change == change {
			calls = append(calls, c)
		}
	}
	if len(calls) == 0 {
		return
	}
	slices.SortStableFunc(calls, func(a, b *report.BootPair) int { return cmp.Compare(weight(b), weight(a)) })
	n, cut := p.shown(len(calls))
	p.title("%s (%d)%s", title, len(calls), cut)
	var rows []string
	for _, c := range calls[:n] {
		name := c.Function
		if c.Module != nil {
			name += " [" + *c.Module + "]"
		}
		rows = append(rows, strings.Join([]string{signed(c.Saved), orMillis(c.OldTime), orMillis(c.NewTime), Printable(name)}, "\t"))
	}
	p.table(3, rows)
}

// signed is what a call takes more or less than before.
func signed(saved *int64) string {
	if saved == nil {
		return ""
	}
	return fmt.Sprintf("%+.3f ms", float64(-*saved)/1000)
}

// weight orders changes: that of the most time comes first.
func weight(c *report.BootPair) int64 {
	switch {
	case c.Saved != nil && c.Change != "deferred":
		return max(*c.Saved, -*c.Saved)
	case c.OldTime != nil:
		return *c.OldTime
	case c.NewTime != nil:
		return *c.NewTime
	}
	return 0
}
