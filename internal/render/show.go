package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/initsect/initsect/internal/report"
)

// Show prints the document of the show command.
func Show(w io.Writer, doc *report.Show, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return showGrid(doc) },
		text: func(w io.Writer, s Style) error { return showText(w, doc, s) },
	}
	return v.write(w, f, style)
}

// showGrid has a row for each property, so that several initcalls of one
// function follow one another.
func showGrid(doc *report.Show) grid {
	g := grid{columns: []string{"order", "property", "value"}}
	for i := range doc.Initcalls {
		d := &doc.Initcalls[i]
		for _, p := range properties(d) {
			g.rows = append(g.rows, []string{strconv.Itoa(d.Order), p.name, p.value})
		}
	}
	return g
}

func showText(w io.Writer, doc *report.Show, style Style) error {
	var b strings.Builder
	imageHeading(&b, doc.Image, style)
	for i := range doc.Initcalls {
		d := &doc.Initcalls[i]
		fmt.Fprintf(&b, "\n%s\n", style.paint(bold, symbolText(&d.Initcall)))
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, p := range properties(d) {
			switch {
			case p.value != "-":
				fmt.Fprintf(tw, "  %s\t%s\n", p.name, Printable(p.value))
			case p.name == "module" || p.name == "line": // which every initcall has
				fmt.Fprintf(tw, "  %s\tnot known\n", p.name)
			}
		}
		tw.Flush() // to memory: cannot fail
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type property struct{ name, value string }

func properties(d *report.Detail) []property {
	entry, entryID := "-", "-"
	if d.Entry != nil {
		entry, entryID = d.Entry.Symbol, or(d.Entry.ID)
	}
	aliases := "-"
	if len(d.Aliases) > 0 {
		aliases = strings.Join(d.Aliases, " ")
	}
	return []property{
		{"symbol", or(d.Symbol)},
		{"order", strconv.Itoa(d.Order)},
		{"table", d.Table},
		{"level", d.Level},
		{"position", fmt.Sprintf("%d of %d", d.Position, d.Of)},
		{"slot", or(d.Slot)},
		{"slot section", or(d.SlotSection)},
		{"target", or(d.Target)},
		{"target section", or(d.TargetSection)},
		{"init memory", yesNo(d.InitMemory)},
		{"size", or(d.Size)},
		{"raw symbol", or(d.RawSymbol)},
		{"aliases", aliases},
		{"module", or(d.Module)},
		{"line", or(d.Line)},
		{"entry symbol", entry},
		{"entry symbol's id", entryID},
		{"group", or(d.Group)},
		{"member", or(d.Member)},
		{"runs after", neighborText(d.Before)},
		{"runs before", neighborText(d.After)},
	}
}

func neighborText(n *report.Neighbor) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%s (level %s, order %d)", or(n.Symbol), n.Level, n.Order)
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "-"
	case *b:
		return "yes"
	}
	return "no"
}
