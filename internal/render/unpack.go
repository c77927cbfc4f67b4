package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/initsect/initsect/internal/report"
)

// Unpack prints the document of the unpack command.
func Unpack(w io.Writer, doc *report.Unpack, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return unpackGrid(doc) },
		text: func(w io.Writer, s Style) error { return unpackText(w, doc, s) },
	}
	return v.write(w, f, style)
}

// unpackGrid has a row for each step, and a last one for the kernel.
func unpackGrid(doc *report.Unpack) grid {
	g := grid{columns: []string{"step", "container", "offset", "size", "compression", "unpacked", "machine"}}
	for i, s := range doc.Steps {
		g.rows = append(g.rows, []string{
			strconv.Itoa(i + 1), or(s.Container), strconv.FormatInt(s.Offset, 16), strconv.FormatInt(s.Size, 10),
			s.Compression, strconv.FormatInt(s.Unpacked, 10), "-",
		})
	}
	size := strconv.FormatInt(doc.Kernel.Size, 10)
	g.rows = append(g.rows, []string{"kernel", doc.Kernel.Form, "0", size, "-", size, or(doc.Kernel.Machine)})
	return g
}

func unpackText(w io.Writer, doc *report.Unpack, style Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", style.paint(bold, Printable(doc.Path)))
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range doc.Steps {
		name := "compressed file"
		if s.Container != nil {
			name = *s.Container
		}
		fmt.Fprintf(tw, "  %s\tat %#x\t%d bytes", name, s.Offset, s.Size)
		if s.Compression != "none" {
			fmt.Fprintf(tw, "\t%s\t%d bytes unpacked", s.Compression, s.Unpacked)
		}
		if s.Decoys > 0 {
			fmt.Fprintf(tw, "\t%s tried before", count(s.Decoys, "decoy"))
		}
		fmt.Fprintln(tw)
	}
	tw.Flush() // to memory: cannot fail
	k := doc.Kernel
	machine := "unknown machine"
	if k.Machine != nil {
		machine = *k.Machine
	}
	fmt.Fprintf(&b, "  kernel: %s, %s, %d bytes", k.Form, machine, k.Size)
	for _, p := range []struct {
		name  string
		value *string
	}{{"text offset", k.TextOffset}, {"in memory", k.MemorySize}, {"loaded at", k.LoadAddress}} {
		if p.value != nil {
			fmt.Fprintf(&b, ", %s %s", p.name, *p.value)
		}
	}
	b.WriteByte('\n')
	if k.Behind > 0 {
		fmt.Fprintf(&b, "  behind it: %d bytes, not part of the ELF file\n", k.Behind)
	}
	if doc.Output != nil {
		fmt.Fprintf(&b, "  written to %s\n", Printable(*doc.Output))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
