package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/initsect/initsect/internal/report"
)

var severityColors = map[string]string{"error": red, "warning": yellow, "note": cyan}

// checkText prints the findings rule by rule; one line if there are none.
func checkText(w io.Writer, doc *report.Check, style Style) error {
	var b strings.Builder
	if len(doc.Findings)+len(doc.Fixed) > 0 {
		imageHeading(&b, doc.Image, style)
		findingsText(&b, doc, style)
		fixedText(&b, doc, style)
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: %s\n", Printable(doc.Image.Path), verdictPainted(doc, style))
	_, err := io.WriteString(w, b.String())
	return err
}

func verdictPainted(doc *report.Check, style Style) string {
	if doc.Verdict.Failed {
		return style.paint(bold, style.paint(red, verdict(doc)))
	}
	return style.paint(bold, verdict(doc))
}

func findingsText(b *strings.Builder, doc *report.Check, style Style) {
	titles := map[string]report.CheckedRule{}
	for _, r := range doc.Rules {
		titles[r.ID] = r
	}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		if i == 0 || f.Rule != doc.Findings[i-1].Rule || f.Severity != doc.Findings[i-1].Severity {
			fmt.Fprintf(b, "\n%s %s: %s\n", style.paint(severityColors[f.Severity], f.Severity),
				style.paint(bold, f.Rule+" "+f.Name), titles[f.Rule].Title)
			fmt.Fprintf(b, "  %s\n", style.paint(faint, titles[f.Rule].Help))
		}
		fmt.Fprintf(b, "  - %s\n", Printable(f.Message))
		for _, line := range []string{whereabouts(f), Printable(standing(f))} {
			if line != "" {
				fmt.Fprintf(b, "    %s\n", style.paint(faint, line))
			}
		}
	}
}

func fixedText(b *strings.Builder, doc *report.Check, style Style) {
	if len(doc.Fixed) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: in the baseline, and not found any more\n", style.paint(bold, "fixed"))
	for i := range doc.Fixed {
		fmt.Fprintf(b, "  - %s\n", Printable(fixedLine(&doc.Fixed[i])))
	}
}

func fixedLine(f *report.FixedFinding) string {
	parts := []string{f.Rule}
	for _, p := range []*string{f.Function, f.Module, f.Table, f.Section, f.Symbol, f.Other} {
		if p != nil {
			parts = append(parts, *p)
		}
	}
	return strings.Join(parts, ", ")
}

func rulesText(w io.Writer, doc *report.Rules) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range doc.Rules {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Name, r.Title)
	}
	return tw.Flush()
}
