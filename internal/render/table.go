package render

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// grid is a document as columns and rows of text.
type grid struct {
	columns []string
	rows    [][]string
}

// printable makes every cell safe to print; none keeps a tab or a line feed.
func (g grid) printable() grid {
	for _, row := range g.rows {
		for i, cell := range row {
			row[i] = Printable(cell)
		}
	}
	return g
}

func (g grid) tsv(w io.Writer) error {
	var b strings.Builder
	for _, row := range append([][]string{g.columns}, g.rows...) {
		for i, cell := range row {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g grid) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(g.columns); err != nil {
		return err
	}
	return out.WriteAll(g.rows)
}

func (g grid) markdown(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteByte('|')
		for _, cell := range cells {
			fmt.Fprintf(&b, " %s |", markdownCell.Replace(cell))
		}
		b.WriteByte('\n')
	}
	line(g.columns)
	b.WriteString("|" + strings.Repeat(" --- |", len(g.columns)) + "\n")
	for _, row := range g.rows {
		line(row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownCell takes from a text what Markdown would take for a mark, a link or
// the end of a cell.
var markdownCell = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "_", `\_`, "*", `\*`, "~", `\~`, "[", `\[`, "]", `\]`, "`", "\\`", "<", "&lt;", "&", "&amp;",
)

func writeJSON(w io.Writer, doc any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(doc)
}

// or returns the value behind p, "-" if there is none.
func or[T any](p *T) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}

// bare is or for addresses, without the 0x.
func bare(p *string) string { return strings.TrimPrefix(or(p), "0x") }
