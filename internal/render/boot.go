package render

import (
	"io"
	"strconv"

	"github.com/initsect/initsect/internal/report"
)

// The formats that only the boot command has.
const (
	HTML Format = "html"
	SVG  Format = "svg"
)

// BootFormats are the formats of the boot command.
var BootFormats = []Format{Text, TSV, CSV, JSON, Markdown, HTML, SVG}

// Boot prints the document of the boot command. Of long lists text shows the
// first top rows, or all if top is 0.
func Boot(top int) func(io.Writer, *report.Boot, Format, Style) error {
	return func(w io.Writer, doc *report.Boot, f Format, style Style) error {
		switch f {
		case HTML:
			return bootHTML(w, doc)
		case SVG:
			return bootSVG(w, doc)
		}
		v := view{
			doc:  doc,
			grid: func() grid { return bootGrid(doc) },
			text: func(w io.Writer, s Style) error { return bootText(w, doc, top, s) },
		}
		return v.write(w, f, style)
	}
}

// bootGrid has a row for each call, and then one for each entry that was not
// called, which has a reason instead of a status.
func bootGrid(doc *report.Boot) grid {
	g := grid{columns: []string{
		"call", "order", "kind", "level", "function", "module", "line", "pid",
		"start_us", "duration_us", "return", "error", "status", "log_line", "ambiguous",
	}}
	for i := range doc.Calls {
		c := &doc.Calls[i]
		order, line := "-", "-"
		if c.Entry != nil {
			order, line = strconv.Itoa(c.Entry.Order), or(c.Entry.Line)
		}
		g.rows = append(g.rows, []string{
			strconv.Itoa(c.Number), order, c.Kind, c.Level, c.Function, or(c.Module), line, or(c.PID),
			or(c.Start), or(c.Duration), or(c.Return), errorText(c.Error, c.Assumed), c.Status, strconv.Itoa(c.LogLine), yesNo(ambiguous(c)),
		})
	}
	for _, e := range doc.NotCalled {
		g.rows = append(g.rows, []string{
			"-", strconv.Itoa(e.Order), e.Table, e.Level, or(e.Symbol), or(e.Module), or(e.Line), "-",
			"-", "-", "-", "-", e.Reason, "-", "-",
		})
	}
	return g
}

// errorText is the name of an error, with a mark if it is assumed.
func errorText(name *string, assumed bool) string {
	if name != nil && assumed {
		return *name + "?"
	}
	return or(name)
}

// ambiguous says whether a call may be another entry's; of a call without one
// there is nothing to say.
func ambiguous(c *report.BootCall) *bool {
	if c.Entry == nil {
		return nil
	}
	return &c.Ambiguous
}
