package render

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

var (
	//go:embed boot/page.html
	bootPageHTML string
	//go:embed boot/page.css
	bootPageCSS string
	//go:embed boot/page.js
	bootPageJS string
)

var bootTemplate = template.Must(template.New("boot").Funcs(template.FuncMap{
	"text": func(p any) string {
		switch p := p.(type) {
		case *string:
			return or(p)
		case *int:
			return or(p)
		}
		return "-"
	},
	"count":    count,
	"millis":   millis,
	"orMillis": orMillis,
	"level":    bootLevelTitle,
	"percent":  percent,
}).Parse(bootPageHTML))

// percent is a part of a whole for CSS.
func percent(part, whole int64) string {
	if whole <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", 100*float64(part)/float64(whole))
}

// bootData is what the page is made of.
type bootData struct {
	Doc      *report.Boot
	Title    string
	Total    string
	Timeline *timeline
	Ticks    []tick
	Longest  int64 // sum of the longest level
	Slowest  int64 // duration of the slowest call
	Saves    int64 // of all candidates
	Hint     string
	CSS      template.CSS
	JS       template.JS
}

// bootHTML makes one page that needs nothing else.
func bootHTML(w io.Writer, doc *report.Boot) error {
	data := bootData{
		Doc: doc, Title: bootTitle(doc), Total: totalText(doc.Total, ""), Timeline: newTimeline(doc),
		Hint: strings.Join(strings.Fields(deferHint), " "),
		CSS:  template.CSS(bootPageCSS), JS: template.JS(bootPageJS),
	}
	if len(data.Timeline.Lanes) > 0 {
		data.Ticks = data.Timeline.ticks(10)
	}
	for _, l := range doc.Levels {
		data.Longest = max(data.Longest, l.Sum)
	}
	for i := range doc.Calls {
		if d := doc.Calls[i].Duration; d != nil {
			data.Slowest = max(data.Slowest, *d)
		}
	}
	for _, c := range doc.Candidates {
		data.Saves += c.Saves
	}
	return bootTemplate.Execute(w, data)
}

// Call is the call that a candidate is.
func (d bootData) Call(number int) *report.BootCall { return &d.Doc.Calls[number-1] }

// Origin is where a call comes from.
func (d bootData) Origin(c *report.BootCall) string {
	switch {
	case c.Module == nil:
		return ""
	case c.Entry != nil && c.Entry.Line != nil:
		return fmt.Sprintf("%s:%d", *c.Module, *c.Entry.Line)
	}
	return *c.Module
}

// Outcome is what a call returned, or why it did not.
func (d bootData) Outcome(c *report.BootCall) string {
	switch {
	case c.Error != nil:
		return errorText(c.Error, c.Assumed)
	case c.Return != nil && *c.Return != 0:
		return fmt.Sprint(*c.Return)
	case c.Status != "returned":
		return c.Status
	}
	return ""
}

// Offset is a time from the beginning of the timeline.
func (d bootData) Offset(us int64) int64 { return us - d.Timeline.From }

// Seconds is a time as the kernel writes it.
func (d bootData) Seconds(us *int64) string {
	if us == nil {
		return ""
	}
	return fmt.Sprintf("%.6f", float64(*us)/1e6)
}
