package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/initsect/initsect/internal/report"
)

// Sections prints the document of the sections command.
func Sections(w io.Writer, doc *report.Sections, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return sectionsGrid(doc) },
		text: func(w io.Writer, s Style) error { return sectionsText(w, doc, s) },
	}
	return v.write(w, f, style)
}

// sectionsGrid has a row for each table, below it one for each of its levels,
// and one for each sibling table.
func sectionsGrid(doc *report.Sections) grid {
	g := grid{columns: []string{
		"kind", "name", "start", "end", "start_symbol", "end_symbol",
		"section", "region", "encoding", "entry_size", "count", "bytes",
	}}
	for _, t := range doc.Tables {
		g.rows = append(g.rows, []string{
			"table", t.Table, bare(t.Start.Address), bare(t.End.Address), or(t.Start.Symbol), or(t.End.Symbol),
			or(t.Section), region(t.InitMemory), or(t.Encoding), strconv.Itoa(t.EntrySize), strconv.Itoa(t.Count), strconv.FormatUint(t.Bytes, 10),
		})
		for i, l := range t.Levels {
			end := t.End
			if i+1 < len(t.Levels) {
				end = t.Levels[i+1].Start
			}
			g.rows = append(g.rows, []string{
				"level", l.Level, bare(l.Start.Address), bare(end.Address), or(l.Start.Symbol), or(end.Symbol),
				or(t.Section), region(t.InitMemory), or(t.Encoding), strconv.Itoa(t.EntrySize), strconv.Itoa(l.Count), strconv.Itoa(l.Count * t.EntrySize),
			})
		}
	}
	for _, s := range doc.Siblings {
		g.rows = append(g.rows, []string{
			"sibling", s.Name, bare(s.Start.Address), bare(s.End.Address), or(s.Start.Symbol), or(s.End.Symbol),
			or(s.Section), region(s.InitMemory), "-", or(s.EntrySize), or(s.Count), strconv.FormatUint(s.Bytes, 10),
		})
	}
	return g
}

// region says whether a table is in the memory that the kernel frees after
// boot.
func region(init *bool) string {
	switch {
	case init == nil:
		return "-"
	case *init:
		return "init"
	}
	return "kept"
}

func sectionsText(w io.Writer, doc *report.Sections, style Style) error {
	var b strings.Builder
	imageHeading(&b, doc.Image, style)
	for _, t := range doc.Tables {
		fmt.Fprintf(&b, "\n%s: %s of %d bytes (%s), %d bytes", style.paint(bold, t.Table+" table"), count(t.Count, "entry"), t.EntrySize, how(t), t.Bytes)
		if t.Section != nil {
			fmt.Fprintf(&b, ", in %s", Printable(*t.Section))
		}
		if t.InitMemory != nil {
			fmt.Fprintf(&b, ", %s", memory(*t.InitMemory))
		}
		b.WriteByte('\n')
		if t.Table == "deferred" && t.Trigger != nil {
			fmt.Fprintf(&b, "  run %s\n", *t.Trigger)
		}
		for _, why := range t.Inferred {
			fmt.Fprintf(&b, "  inferred: %s\n", Printable(why))
		}
		levelRows(&b, t)
	}
	if len(doc.Siblings) > 0 {
		siblingRows(&b, doc.Siblings, style)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func how(t report.Table) string {
	if t.Layout != "plain" {
		return t.Layout
	}
	return or(t.Encoding)
}

func memory(init bool) string {
	if init {
		return "in init memory (__init_begin to __init_end)"
	}
	return "not in init memory"
}

func levelRows(b *strings.Builder, t report.Table) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, l := range t.Levels {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%d\n", l.Level, bare(l.Start.Address), or(l.Start.Symbol), l.Count)
	}
	if t.End.Address != nil {
		fmt.Fprintf(tw, "  end\t%s\t%s\n", bare(t.End.Address), or(t.End.Symbol))
	}
	tw.Flush() // to memory: cannot fail
}

func siblingRows(b *strings.Builder, siblings []report.Sibling, style Style) {
	fmt.Fprintf(b, "\n%s\n", style.paint(bold, "other tables that the linker builds"))
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  table\tstart\tend\tsection\tregion\tentry\tcount\tbytes")
	for _, s := range siblings {
		size := or(s.EntrySize)
		if len(s.Inferred) > 0 {
			size += " (inferred)"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", s.Name, bare(s.Start.Address), bare(s.End.Address),
			Printable(or(s.Section)), region(s.InitMemory), size, or(s.Count), s.Bytes)
	}
	tw.Flush()
}
