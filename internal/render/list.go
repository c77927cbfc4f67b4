package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// List prints the document of the list command.
func List(w io.Writer, doc *report.List, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return listGrid(doc) },
		text: func(w io.Writer, s Style) error { return listText(w, doc, s) },
	}
	return v.write(w, f, style)
}

func listGrid(doc *report.List) grid {
	g := grid{columns: []string{"order", "table", "level", "slot", "target", "symbol", "module", "line", "entry"}}
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		entry := "-"
		if c.Entry != nil {
			entry = c.Entry.Symbol
		}
		g.rows = append(g.rows, []string{
			strconv.Itoa(c.Order), c.Table, c.Level, bare(c.Slot), bare(c.Target),
			or(c.Symbol), or(c.Module), or(c.Line), entry,
		})
	}
	return g
}

func listText(w io.Writer, doc *report.List, style Style) error {
	var b strings.Builder
	imageHeading(&b, doc.Image, style)
	fmt.Fprintf(&b, "%s\n", count(len(doc.Initcalls), "initcall"))
	for _, note := range listNotes(doc) {
		fmt.Fprintf(&b, "%s\n", Printable(note))
	}
	width := listWidths(doc)
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		if i == 0 || c.Table != doc.Initcalls[i-1].Table || c.Level != doc.Initcalls[i-1].Level {
			b.WriteString("\n" + style.paint(bold, levelHeading(doc, i)) + "\n")
		}
		line := fmt.Sprintf("%*d  %*s  %-*s  %s", width.order, c.Order, width.target, bare(c.Target),
			width.symbol, symbolText(c), style.paint(faint, origin(c)))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// listNotes says what of the whole list was concluded, not read, and what is not
// known of any initcall.
func listNotes(doc *report.List) []string {
	var notes []string
	for _, t := range doc.Tables {
		for _, reason := range t.Inferred {
			notes = append(notes, t.Table+" table, inferred: "+reason)
		}
	}
	untold := func(c report.Initcall) bool { return c.Module == nil && c.Line == nil }
	if len(doc.Initcalls) > 0 && !slices.ContainsFunc(doc.Initcalls, func(c report.Initcall) bool { return !untold(c) }) {
		notes = append(notes, "modules and source lines are not known: no symbol tells them")
	}
	return notes
}

// imageHeading says which kernel was read and how.
func imageHeading(b *strings.Builder, im report.Image, style Style) {
	who := im.Container
	if im.Release != nil {
		who = "Linux " + *im.Release
	}
	fmt.Fprintf(b, "%s\n", style.paint(bold, Printable(fmt.Sprintf("%s: %s", im.Path, who))))
	fmt.Fprintf(b, "%s, %d-bit, %s-endian", im.Machine, im.Bits, im.ByteOrder)
	if im.BuildID != nil {
		fmt.Fprintf(b, ", build id %s", *im.BuildID)
	}
	b.WriteByte('\n')
	if im.Banner != nil {
		fmt.Fprintf(b, "%s\n", Printable(*im.Banner))
	}
	var how []string
	for _, step := range im.Unpacked {
		how = append(how, Printable(unpackedText(step)))
	}
	if im.Encoding != nil {
		how = append(how, "encoding "+*im.Encoding)
	}
	how = append(how, "names from "+im.Symbols)
	if im.Map != nil {
		how = append(how, "map "+Printable(*im.Map))
	}
	if im.MapShift != nil {
		how = append(how, "its KASLR offset "+*im.MapShift+" taken off")
	}
	fmt.Fprintf(b, "%s\n", strings.Join(how, ", "))
}

// unpackedText says what one step out of a boot image was.
func unpackedText(step report.Unpacked) string {
	switch {
	case step.Container == nil:
		return "unpacked with " + step.Compression
	case step.Compression == "none":
		return "taken from " + *step.Container
	}
	return fmt.Sprintf("unpacked from %s with %s", *step.Container, step.Compression)
}

type widths struct{ order, target, symbol int }

func listWidths(doc *report.List) widths {
	var w widths
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		w.order = max(w.order, len(strconv.Itoa(c.Order)))
		w.target = max(w.target, len(bare(c.Target)))
		w.symbol = max(w.symbol, len(symbolText(c)))
	}
	w.order = max(w.order+2, 4)
	return w
}

func symbolText(c *report.Initcall) string { return Printable(or(c.Symbol)) }

// origin says where an initcall comes from, and what else a table's structure
// says of it.
func origin(c *report.Initcall) string {
	var parts []string
	switch {
	case c.Module != nil && c.Line != nil:
		parts = append(parts, fmt.Sprintf("%s:%d", *c.Module, *c.Line))
	case c.Module != nil:
		parts = append(parts, *c.Module)
	}
	if c.Level == "unknown" && c.Entry != nil && c.Entry.ID != nil {
		parts = append(parts, "its entry symbol says level "+*c.Entry.ID)
	}
	if c.Group != nil {
		parts = append(parts, "group "+*c.Group)
	}
	if c.Member != nil {
		parts = append(parts, *c.Member)
	}
	return Printable(strings.Join(parts, "  "))
}

// levelTitles are the kernel's words for the numbered levels.
var levelTitles = map[string]string{
	"0": "pure", "1": "core", "2": "postcore", "3": "arch", "4": "subsys", "5": "fs", "6": "device", "7": "late",
}

// levelTitle is the id of a level with the kernel's word for it.
func levelTitle(id string, syncKnown bool) string {
	word, ok := levelTitles[strings.TrimSuffix(id, "s")]
	switch {
	case !ok:
		return id
	case strings.HasSuffix(id, "s"):
		return id + " " + word + " sync"
	case !syncKnown:
		return id + " " + word + " or sync"
	}
	return id + " " + word
}

// levelHeading is the line above the entries of one level, of which row i is
// the first.
func levelHeading(doc *report.List, i int) string {
	c := doc.Initcalls[i]
	n := 0
	for _, other := range doc.Initcalls[i:] {
		if other.Table != c.Table || other.Level != c.Level {
			break
		}
		n++
	}
	title := levelTitle(c.Level, doc.SyncKnown)
	if c.Level == "unknown" {
		title = "level unknown: this kernel has no boundary symbol that tells it"
	}
	title += fmt.Sprintf(" (%d)", n)
	if c.Table == "deferred" {
		title += " " + triggerText(doc)
	}
	return title
}

func triggerText(doc *report.List) string {
	for _, t := range doc.Tables {
		if t.Table == "deferred" && t.Trigger != nil {
			return "— run " + *t.Trigger
		}
	}
	if doc.Image.Container != "elf" {
		return "— run when user space asks for it"
	}
	return "— what runs them does not show in the image"
}

// count says "1 initcall" or "2 initcalls".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
