package render

import (
	"cmp"
	_ "embed"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

//go:embed boot/still.css
var stillCSS string

// Measures of the still picture, in pixels.
const (
	svgWidth   = 1600
	svgLeft    = 170 // for the names of the lanes
	svgRight   = 20
	svgTop     = 96
	svgBottom  = 64
	svgPlot    = svgWidth - svgLeft - svgRight
	svgLetter  = 7.1 // a letter of a label, about
	svgLabel   = 3.0 // shortest bar that has a label
	svgGap     = 0.6 // between bars that follow one another at once
	svgMinimum = 0.8 // narrowest bar, so that each call is seen
)

// bootSVG draws the timeline as one picture.
func bootSVG(w io.Writer, doc *report.Boot) error {
	t := newTimeline(doc)
	var b strings.Builder
	height := svgTop + t.Height() + svgBottom
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
		svgWidth, height, svgWidth, height)
	fmt.Fprintf(&b, "<style>\n%s</style>\n<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n", stillCSS)
	fmt.Fprintf(&b, "<title>%s</title>\n", svgText(bootTitle(doc)))
	fmt.Fprintf(&b, "<text class=\"title\" x=\"20\" y=\"34\">%s</text>\n", svgText(bootTitle(doc)))
	fmt.Fprintf(&b, "<text class=\"sub\" x=\"20\" y=\"58\">%s</text>\n", svgText(totalText(doc.Total, "")))
	if len(t.Lanes) == 0 {
		b.WriteString("<text class=\"sub\" x=\"20\" y=\"90\">The lines of this log have no times.</text>\n</svg>\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	svgAxis(&b, t)
	svgLanes(&b, t)
	svgUser(&b, t)
	svgLegend(&b, t, float64(height)-24)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// bootTitle names the boot.
func bootTitle(doc *report.Boot) string {
	if doc.Log.Release != nil {
		return "Boot of Linux " + *doc.Log.Release
	}
	return "Boot in " + doc.Log.Path
}

// svgText makes a text fit to stand in SVG, whatever it holds.
func svgText(s string) string { return html.EscapeString(Printable(strings.ToValidUTF8(s, "?"))) }

// x is where a time lies in the still picture.
func (t *timeline) x(us int64) float64 {
	return svgLeft + float64(us-t.From)/float64(t.Width())*svgPlot
}

func svgAxis(b *strings.Builder, t *timeline) {
	for _, mark := range t.ticks(12) {
		x := t.x(mark.At)
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, svgTop-6, svgTop+t.Height())
		fmt.Fprintf(b, "<text class=\"tick\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, svgTop-12, mark.Label)
	}
}

func svgLanes(b *strings.Builder, t *timeline) {
	for i, l := range t.Lanes {
		y := svgTop + l.Top
		fmt.Fprintf(b, "<g class=\"lane\">")
		if i%2 == 0 {
			fmt.Fprintf(b, "<rect class=\"stripe\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>", y, svgWidth, laneHeight)
		}
		fmt.Fprintf(b, "<text class=\"name\" x=\"20\" y=\"%d\">%s</text>\n", y+16, svgText(l.Name))
		for _, r := range l.Bars {
			width := max(svgMinimum, t.x(r.Start+r.Length)-t.x(r.Start))
			if width > svgLabel {
				width -= svgGap
			}
			fmt.Fprintf(b, "<rect class=\"bar %s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>%s %s</title></rect>\n",
				r.Class, t.x(r.Start), y+3, width, laneHeight-6, svgText(r.Name), millis(r.Took))
		}
		svgLabels(b, t, l, y)
		b.WriteString("</g>\n")
	}
}

// svgLabels names a lane's long bars: in the bar where it has room, else beside
// the lane's bars, the longest first.
func svgLabels(b *strings.Builder, t *timeline, l lane, y int) {
	left, right := float64(svgWidth), float64(svgLeft)
	var beside []string
	for _, r := range l.Bars {
		left, right = min(left, t.x(r.Start)), max(right, t.x(r.Start+r.Length))
	}
	for _, r := range longest(l.Bars) {
		width := t.x(r.Start+r.Length) - t.x(r.Start)
		if width < svgLabel {
			continue
		}
		text := r.Name + " " + roundMillis(r.Took)
		if svgLetter*float64(len(text))+8 < width {
			fmt.Fprintf(b, "<text class=\"label inside\" x=\"%.1f\" y=\"%d\">%s</text>\n", t.x(r.Start)+4, y+16, svgText(text))
			continue
		}
		beside = append(beside, text)
	}
	class, x, room := "label", right+6, svgWidth-right-12
	if left-svgLeft > room {
		class, x, room = "label before", left-6, left-svgLeft-12
	}
	if text := fitting(beside, room/svgLetter); text != "" {
		fmt.Fprintf(b, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n", class, x, y+16, svgText(text))
	}
}

// longest returns some bars, the longest first.
func longest(bars []bar) []bar {
	sorted := slices.Clone(bars)
	slices.SortStableFunc(sorted, func(a, b bar) int { return cmp.Compare(b.Took, a.Took) })
	return sorted
}

// fitting joins as many of some texts as have room for their letters.
func fitting(texts []string, letters float64) string {
	joined := ""
	for i, text := range texts {
		if i > 0 {
			text = joined + " · " + text
		}
		if float64(len(text)) > letters {
			break
		}
		joined = text
	}
	return joined
}

// roundMillis is a length of time for a label.
func roundMillis(us int64) string {
	if us < 10_000 {
		return fmt.Sprintf("%.1f ms", float64(us)/1000)
	}
	return fmt.Sprintf("%.0f ms", float64(us)/1000)
}

func svgUser(b *strings.Builder, t *timeline) {
	if t.User == nil {
		return
	}
	x := t.x(*t.User)
	fmt.Fprintf(b, "<line class=\"user\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, svgTop-4, svgTop+t.Height()+8)
	fmt.Fprintf(b, "<text class=\"usertext\" x=\"%.1f\" y=\"%d\">user space begins</text>\n", x-6, svgTop+t.Height()+20)
}

// legendEntry names a kind of bars.
type legendEntry struct{ Class, Text string }

var legend = []legendEntry{
	{"call", "initcall"},
	{"candidate", "candidate for deferral"},
	{"deferred", "deferred"},
	{"module", "of a module"},
	{"async", "asynchronous"},
	{"failed", "returned an error"},
	{"unended", "did not return"},
}

// Legend names the kinds of bars that there are.
func (t *timeline) Legend() []legendEntry {
	var some []legendEntry
	for _, entry := range legend {
		if slices.ContainsFunc(t.Lanes, func(l lane) bool {
			return slices.ContainsFunc(l.Bars, func(b bar) bool { return b.Class == entry.Class })
		}) {
			some = append(some, entry)
		}
	}
	return some
}

func svgLegend(b *strings.Builder, t *timeline, y float64) {
	x := 20.0
	for _, l := range t.Legend() {
		fmt.Fprintf(b, "<rect class=\"bar %s\" x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"12\"/>", l.Class, x, y-10)
		fmt.Fprintf(b, "<text class=\"name\" x=\"%.0f\" y=\"%.0f\">%s</text>\n", x+20, y, l.Text)
		x += 20 + svgLetter*float64(len(l.Text)) + 30
	}
}
