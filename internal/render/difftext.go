package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// marks begin the line of each kind of change, as in a diff, with the colour
// of that line.
var marks = map[string]struct{ sign, color string }{
	"added":     {"+", green},
	"removed":   {"-", red},
	"moved":     {">", cyan},
	"reordered": {"~", yellow},
	"renamed":   {"=", yellow},
}

func diffText(w io.Writer, doc *report.Diff, stat bool, style Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", style.paint(bold, "--- "+sideText(doc.Old)))
	fmt.Fprintf(&b, "%s\n", style.paint(bold, "+++ "+sideText(doc.New)))
	for _, f := range doc.Facts {
		fmt.Fprintf(&b, "%s\n", style.paint(yellow, "! "+factText(f)))
	}
	for _, note := range doc.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if stat {
		diffStatRows(&b, doc)
	} else {
		diffRows(&b, doc, style)
	}
	fmt.Fprintf(&b, "\n%s\n", diffSummary(doc))
	_, err := io.WriteString(w, b.String())
	return err
}

func diffStatRows(b *strings.Builder, doc *report.Diff) {
	b.WriteByte('\n')
	title := 0
	for _, l := range doc.Levels {
		title = max(title, len(diffTitle(l.Level)))
	}
	width := len(strconv.Itoa(max(doc.Total.Old, doc.Total.New)))
	for _, l := range doc.Levels {
		fmt.Fprintf(b, "%-*s  %*d -> %-*d  (%s)%s\n", title, diffTitle(l.Level), width, l.Old, width, l.New,
			diffSigns(l.DiffCount), movedText(l.DiffCount))
	}
	if sizes := sizeTexts(doc); len(sizes) > 0 {
		fmt.Fprintf(b, "\n%s\n", strings.Join(sizes, "\n"))
	}
}

// sizeTexts says of each table whose size changed which it was and is.
func sizeTexts(doc *report.Diff) []string {
	var texts []string
	for _, t := range doc.Tables {
		if was, is := sizeText(t.Old), sizeText(t.New); was != is {
			texts = append(texts, fmt.Sprintf("%s table: %s -> %s", t.Table, was, is))
		}
	}
	return texts
}

func sizeText(s *report.DiffSize) string {
	if s == nil {
		return "absent"
	}
	return fmt.Sprintf("%s, %d bytes", count(s.Count, "entry"), s.Bytes)
}

// movedText says how much of what came and went was moved.
func movedText(n report.DiffCount) string {
	var parts []string
	if n.MovedIn > 0 {
		parts = append(parts, fmt.Sprintf("%d moved in", n.MovedIn))
	}
	if n.MovedOut > 0 {
		parts = append(parts, fmt.Sprintf("%d moved out", n.MovedOut))
	}
	if parts == nil {
		return ""
	}
	return "  " + strings.Join(parts, ", ")
}

// diffRows writes the changes level by level.
func diffRows(b *strings.Builder, doc *report.Diff, style Style) {
	name, origin := 0, 0
	for _, c := range doc.Changes {
		name = max(name, len(changeName(c)))
		origin = max(origin, len(changeOrigin(c)))
	}
	for i, c := range doc.Changes {
		if i == 0 || c.Table != doc.Changes[i-1].Table || c.Level != doc.Changes[i-1].Level {
			b.WriteString("\n" + style.paint(bold, changeHeading(doc, c)) + "\n")
		}
		mark := marks[c.Kind]
		line := fmt.Sprintf("%s %-*s  %-*s  %s", mark.sign, name, changeName(c), origin, changeOrigin(c), changeText(c))
		b.WriteString(style.paint(mark.color, strings.TrimRight(line, " ")) + "\n")
	}
}

// changeHeading is the line above the changes of one level.
func changeHeading(doc *report.Diff, c report.DiffChange) string {
	for _, l := range doc.Levels {
		if l.Table == c.Table && l.Level == c.Level {
			return fmt.Sprintf("%s: %d -> %d", diffTitle(l.Level), l.Old, l.New)
		}
	}
	return diffTitle(c.Level) // one that was not asked for, of a move that was
}

func changeName(c report.DiffChange) string {
	if c.Kind == "renamed" {
		return Printable(or(c.Old.Symbol) + " -> " + or(c.New.Symbol))
	}
	return Printable(diffName(c))
}

func changeOrigin(c report.DiffChange) string {
	p := diffPlace(c)
	switch {
	case p.Module == nil:
		return ""
	case p.Line == nil:
		return Printable(*p.Module)
	}
	return Printable(fmt.Sprintf("%s:%d", *p.Module, *p.Line))
}

// changeText says of a change what name and origin do not.
func changeText(c report.DiffChange) string {
	switch c.Kind {
	case "moved":
		return fmt.Sprintf("%s -> %s", placeText(c.Old), placeText(c.New))
	case "reordered":
		return Printable(orderText(c))
	case "renamed":
		return "a guess: same module and line"
	}
	return ""
}

func placeText(p *report.DiffPlace) string {
	title := levelTitle(p.Level, true)
	if p.Level == "unknown" {
		title = "level unknown"
	}
	if p.Group != nil {
		title += ", group " + Printable(*p.Group)
	}
	return title
}

// orderText says what a reordered initcall runs after.
func orderText(c report.DiffChange) string {
	if c.Old.After != nil && c.New.After != nil && *c.Old.After == *c.New.After {
		return "still after " + *c.New.After + ", in another place"
	}
	return "now " + afterText(c.New) + ", was " + afterText(c.Old)
}

func afterText(p *report.DiffPlace) string {
	if p.After == nil {
		return "first"
	}
	return "after " + *p.After
}
