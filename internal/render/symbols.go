package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// Symbols prints the document of the symbols command. Its text is a System.map.
func Symbols(w io.Writer, doc *report.Symbols, f Format, style Style) error {
	v := view{
		doc:  doc,
		grid: func() grid { return symbolsGrid(doc) },
		text: func(w io.Writer, _ Style) error { return systemMap(w, doc) },
	}
	return v.write(w, f, style)
}

func symbolsGrid(doc *report.Symbols) grid {
	g := grid{columns: []string{"address", "type", "name"}}
	for _, s := range doc.Symbols {
		g.rows = append(g.rows, []string{bare(&s.Address), s.Type, s.Name})
	}
	return g
}

// systemMap writes lines as nm does, with addresses of the image's width.
func systemMap(w io.Writer, doc *report.Symbols) error {
	var b strings.Builder
	for _, s := range doc.Symbols {
		fmt.Fprintf(&b, "%0*s %s %s\n", doc.Image.Bits/4, bare(&s.Address), s.Type, Printable(s.Name))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
