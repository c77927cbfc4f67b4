package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// Bounds of a comment on a merge request: services refuse one that is longer
// than 64 KiB, and nobody reads one that long.
const (
	foldedRows   = 10     // a table with more is folded
	freshSize    = 40_000 // bytes of the table of findings that count
	settledSize  = 10_000 // of each of the others
	maxPlainText = 1000   // bytes of a cell before it is escaped
)

// checkMarkdown prints a comment for a merge request: the verdict, the findings
// that count, and folded below them those that do not.
func checkMarkdown(w io.Writer, doc *report.Check) error {
	var b strings.Builder
	word := "passed"
	if doc.Verdict.Failed {
		word = "failed"
	}
	fmt.Fprintf(&b, "## initsect check: %s\n\n", word)
	fmt.Fprintf(&b, "%s: %s\n", inline(imageName(doc.Image)), verdict(doc))

	help := map[string]string{}
	for _, r := range doc.Rules {
		help[r.ID] = r.Help
	}
	var fresh, settled [][]string
	for i := range doc.Findings {
		f := &doc.Findings[i]
		row := []string{f.Severity, fmt.Sprintf("[%s](%s) %s", f.Rule, help[f.Rule], f.Name), inline(or(f.Function)), inline(f.Message)}
		if f.Status == "new" {
			fresh = append(fresh, row)
		} else {
			settled = append(settled, append(row, inline(standing(f))))
		}
	}
	columns := []string{"severity", "rule", "function", "finding"}
	foldable(&b, count(len(fresh), "finding"), columns, fresh, len(fresh) > foldedRows, freshSize)
	foldable(&b, count(len(settled), "finding")+" known or suppressed", append(columns, "status"), settled, true, settledSize)
	var fixed [][]string
	for i := range doc.Fixed {
		fixed = append(fixed, []string{inline(fixedLine(&doc.Fixed[i]))})
	}
	foldable(&b, count(len(fixed), "finding")+" of the baseline fixed", []string{"finding"}, fixed, true, settledSize)
	_, err := io.WriteString(w, b.String())
	return err
}

// imageName is which kernel it is, for people.
func imageName(im report.Image) string {
	name := im.Path
	if im.Release != nil {
		name += " (Linux " + *im.Release + ", " + im.Machine + ")"
	}
	return name
}

// foldable prints a table of cells that are Markdown already, if it has rows,
// as many as there is room for.
func foldable(b *strings.Builder, summary string, columns []string, rows [][]string, folded bool, room int) {
	if len(rows) == 0 {
		return
	}
	b.WriteByte('\n')
	if folded {
		fmt.Fprintf(b, "<details><summary>%s</summary>\n\n", summary)
	}
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for i, row := range rows {
		line := fmt.Sprintf("| %s |\n", strings.Join(row, " | "))
		if room -= len(line); room < 0 {
			fmt.Fprintf(b, "\nand %d more; the other formats have all of them.\n", len(rows)-i)
			break
		}
		b.WriteString(line)
	}
	if folded {
		b.WriteString("\n</details>\n")
	}
}

// inline makes a text that may be hostile plain words within Markdown: no
// markup, no HTML, no link, no table cell, and nobody is notified.
func inline(s string) string {
	s = Printable(s)
	if len(s) > maxPlainText {
		s = strings.ToValidUTF8(s[:maxPlainText], "") + "…"
	}
	return inlineEscapes.Replace(s)
}

var inlineEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "|", `\|`, "#", `\#`, "!", `\!`, "$", `\$`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
	"://", `\://`, "www.", `www\.`, // bare addresses are made links
	"@", "@\u200b", // and names of users are told
)
