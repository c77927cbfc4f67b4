package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/initsect/initsect/internal/report"
)

// bootPage is a boot's document on its way to text.
type bootPage struct {
	strings.Builder
	doc   *report.Boot
	top   int
	style Style
}

func bootText(w io.Writer, doc *report.Boot, top int, style Style) error {
	p := &bootPage{doc: doc, top: top, style: style}
	p.heading()
	p.levels()
	p.slowest()
	p.failures()
	p.unended()
	p.gaps()
	p.async()
	p.probes()
	p.notCalled()
	p.candidates()
	p.notes()
	_, err := io.WriteString(w, p.String())
	return err
}

// title begins a part of the page.
func (p *bootPage) title(format string, args ...any) {
	p.WriteString("\n" + p.style.paint(bold, fmt.Sprintf(format, args...)) + "\n")
}

// table prints rows whose cells are separated by tabs; the first columns are
// figures.
func (p *bootPage) table(figures int, rows []string) {
	width := make([]int, figures)
	for _, row := range rows {
		for i, cell := range strings.SplitN(row, "\t", figures+1)[:figures] {
			width[i] = max(width[i], len(cell))
		}
	}
	var text strings.Builder
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := strings.SplitN(row, "\t", figures+1)
		for i := range figures {
			cells[i] = strings.Repeat(" ", width[i]-len(cells[i])) + cells[i]
		}
		fmt.Fprintf(tw, "  %s\n", strings.Join(cells, "\t"))
	}
	tw.Flush() // to memory: cannot fail
	for line := range strings.Lines(text.String()) {
		p.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
}

// shown cuts a list of n to what text shows, and says what it leaves out.
func (p *bootPage) shown(n int) (int, string) {
	if p.top == 0 || n <= p.top {
		return n, ""
	}
	return p.top, fmt.Sprintf(", the first %d", p.top)
}

func (p *bootPage) heading() {
	d := p.doc
	who := string(d.Log.Source)
	if d.Log.Release != nil {
		who = "Linux " + *d.Log.Release
	}
	p.WriteString(p.style.paint(bold, Printable(d.Log.Path+": "+who)) + "\n")
	if d.Log.Banner != nil {
		p.WriteString(Printable(*d.Log.Banner) + "\n")
	}
	if d.Image != nil {
		called := 0
		for i := range d.Calls {
			if d.Calls[i].Entry != nil {
				called++
			}
		}
		fmt.Fprintf(p, "joined with %s: %d of %s called\n", Printable(d.Image.Path), called, count(called+len(d.NotCalled), "entry"))
	} else {
		p.WriteString("no image: levels and modules are those that the log tells\n")
	}
	p.WriteString(totalText(d.Total, "") + "\n")
	if d.Log.UserSpace != nil {
		fmt.Fprintf(p, "user space began at %s: %s\n", seconds(*d.Log.UserSpace), totalText(d.Before, " before"))
		if d.After.Calls > 0 {
			fmt.Fprintf(p, "after it: %s\n", totalText(d.After, ""))
		}
	}
}

func totalText(t report.BootTotals, when string) string {
	text := fmt.Sprintf("%s%s, %s in sum", count(t.Calls, "call"), when, millis(t.Sum))
	if t.Wall != nil {
		text += fmt.Sprintf(", %s by the clock", millis(*t.Wall))
	}
	if t.Measured < t.Calls {
		text += fmt.Sprintf(" (%d without a time)", t.Calls-t.Measured)
	}
	return text
}

// millis is a length of time, in the unit that initcalls are spoken of.
func millis(us int64) string { return fmt.Sprintf("%.3f ms", float64(us)/1000) }

// seconds is a point in time as printk writes it.
func seconds(us int64) string { return fmt.Sprintf("%.6f s", float64(us)/1e6) }

func orMillis(us *int64) string {
	if us == nil {
		return "-"
	}
	return millis(*us)
}

// bootLevelTitle is "6 device" for "6".
func bootLevelTitle(level string) string {
	word := levelTitles[strings.TrimSuffix(level, "s")]
	if word == "" {
		return level
	}
	if strings.HasSuffix(level, "s") {
		word += " sync"
	}
	return level + " " + word
}

func (p *bootPage) levels() {
	p.title("by level")
	for i, l := range p.doc.Levels {
		if i == 0 {
			p.WriteString("  " + p.style.paint(faint, fmt.Sprintf("%12s  %12s  %9s  level", "sum", "clock", "calls")) + "\n")
		}
		calls := fmt.Sprint(l.Calls)
		if l.Entries != nil && *l.Entries > 0 {
			calls = fmt.Sprintf("%d/%d", l.Calls, *l.Entries)
		}
		fmt.Fprintf(p, "  %12s  %12s  %9s  %s\n", millis(l.Sum), orMillis(l.Wall), calls, bootLevelTitle(l.Level))
	}
}

// call is a call as a row of a table speaks of it: function, level, origin.
func (p *bootPage) call(number int) string {
	c := &p.doc.Calls[number-1]
	var more []string
	if c.Entry != nil && c.Entry.Line != nil && c.Module != nil {
		more = append(more, fmt.Sprintf("%s:%d", *c.Module, *c.Entry.Line))
	} else if c.Module != nil {
		more = append(more, *c.Module)
	}
	if c.Kind == "deferred" {
		more = append(more, "deferred")
	} else if c.AfterBoot {
		more = append(more, "after user space began")
	}
	if c.Kind == "unknown" && p.doc.Image != nil {
		more = append(more, "of no entry")
	}
	if c.Ambiguous {
		more = append(more, "or another entry of this name")
	}
	if c.Remark != nil {
		more = append(more, *c.Remark)
	}
	return Printable(c.Function) + "\t" + bootLevelTitle(c.Level) + "\t" + Printable(strings.Join(more, ", "))
}

func (p *bootPage) slowest() {
	var calls []*report.BootCall
	for i := range p.doc.Calls {
		if c := &p.doc.Calls[i]; c.Duration != nil {
			calls = append(calls, c)
		}
	}
	slices.SortStableFunc(calls, func(a, b *report.BootCall) int { return cmp.Compare(*b.Duration, *a.Duration) })
	n, cut := p.shown(len(calls))
	if n == 0 {
		return
	}
	p.title("slowest%s", cut)
	var rows []string
	for _, c := range calls[:n] {
		rows = append(rows, millis(*c.Duration)+"\t"+p.call(c.Number))
	}
	p.table(1, rows)
}

func (p *bootPage) failures() {
	if len(p.doc.Failures) == 0 {
		return
	}
	p.title("returned an error")
	for _, f := range p.doc.Failures {
		var functions []string
		for _, n := range f.Calls {
			functions = append(functions, Printable(p.doc.Calls[n-1].Function))
		}
		n, cut := p.shown(len(functions))
		if cut != "" {
			functions = append(functions[:n], "…")
		}
		fmt.Fprintf(p, "  %s %d (%d): %s\n", errorText(f.Error, f.Assumed), f.Return, len(f.Calls), strings.Join(functions, ", "))
	}
}

func (p *bootPage) unended() {
	if len(p.doc.Unended) == 0 {
		return
	}
	p.title("without a return")
	var rows []string
	for _, n := range p.doc.Unended {
		rows = append(rows, p.doc.Calls[n-1].Status+"\t"+p.call(n))
	}
	p.table(0, rows)
	if p.doc.Log.Trouble != nil {
		fmt.Fprintf(p, "  the log says: %s\n", Printable(*p.doc.Log.Trouble))
	}
}

func (p *bootPage) gaps() {
	n, cut := p.shown(len(p.doc.Gaps))
	if n == 0 {
		return
	}
	p.title("gaps between calls%s", cut)
	var rows []string
	for _, g := range p.doc.Gaps[:n] {
		rows = append(rows, fmt.Sprintf("%s\tat %s\tbetween %s and %s", millis(g.Length), seconds(g.Start),
			Printable(p.doc.Calls[g.After-1].Function), Printable(p.doc.Calls[g.Before-1].Function)))
	}
	p.table(1, rows)
}

func (p *bootPage) async() {
	calls := slices.Clone(p.doc.Async)
	if len(calls)+len(p.doc.Waits) == 0 {
		return
	}
	slices.SortStableFunc(calls, func(a, b report.AsyncCall) int { return cmp.Compare(orZero(b.Duration), orZero(a.Duration)) })
	n, cut := p.shown(len(calls))
	p.title("asynchronous calls (%d, beside the others and not in their sums)%s", len(calls), cut)
	var rows []string
	for _, c := range calls[:n] {
		rows = append(rows, orMillis(c.Duration)+"\t"+Printable(c.Function)+"\tnumber "+Printable(c.Cookie))
	}
	for _, w := range p.doc.Waits {
		rows = append(rows, millis(w.Duration)+fmt.Sprintf("\tthread %d waited for some\t", w.PID))
	}
	p.table(1, rows)
}

func orZero(us *int64) int64 {
	if us == nil {
		return 0
	}
	return *us
}

func (p *bootPage) probes() {
	probes := slices.Clone(p.doc.Probes)
	slices.SortStableFunc(probes, func(a, b report.Probe) int { return cmp.Compare(b.Duration, a.Duration) })
	n, cut := p.shown(len(probes))
	if n == 0 {
		return
	}
	p.title("probes of devices (%d, within calls or beside them)%s", len(probes), cut)
	var rows []string
	for _, probe := range probes[:n] {
		rows = append(rows, millis(probe.Duration)+"\t"+Printable(probe.Device))
	}
	p.table(1, rows)
}

func (p *bootPage) notCalled() {
	if len(p.doc.NotCalled) == 0 {
		return
	}
	p.title("not called (%d)", len(p.doc.NotCalled))
	n, cut := p.shown(len(p.doc.NotCalled))
	var rows []string
	for _, e := range p.doc.NotCalled[:n] {
		origin := or(e.Module)
		if e.Line != nil {
			origin += fmt.Sprintf(":%d", *e.Line)
		}
		why := e.Reason
		if e.Detail != "" {
			why += ": " + e.Detail
		}
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s\t%s", e.Order, Printable(or(e.Symbol)), bootLevelTitle(e.Level),
			Printable(origin), Printable(why)))
	}
	p.table(1, rows)
	if cut != "" {
		fmt.Fprintf(p, "  and %d more\n", len(p.doc.NotCalled)-n)
	}
}

// The hint says what a log and an image cannot know.
const deferHint = `  A hint: these ran in the last levels before user space, and took long. Whether the root file system, the console
  or a later call needs one of them, neither the log nor the image tells.`

func (p *bootPage) candidates() {
	if len(p.doc.Candidates) == 0 {
		return
	}
	sum := int64(0)
	for _, c := range p.doc.Candidates {
		sum += c.Saves
	}
	n, cut := p.shown(len(p.doc.Candidates))
	p.title("candidates for deferral: %s would save up to %s%s", count(len(p.doc.Candidates), "call"), millis(sum), cut)
	var rows []string
	for _, c := range p.doc.Candidates[:n] {
		row := millis(c.Saves) + "\t" + p.call(c.Call)
		switch e := p.doc.Calls[c.Call-1].Error; {
		case e != nil:
			row += "\treturned " + *e + ": could it be left out?"
		case len(c.Devices) > 0:
			row += "\tmeanwhile probed: " + deviceText(c.Devices)
		}
		rows = append(rows, row)
	}
	p.table(1, rows)
	p.WriteString(p.style.paint(faint, deferHint) + "\n")
}

// deviceText names the first of some devices.
func deviceText(devices []string) string {
	const few = 3
	text := strings.Join(devices[:min(len(devices), few)], ", ")
	if len(devices) > few {
		text += fmt.Sprintf(" and %d more", len(devices)-few)
	}
	return Printable(text)
}

func (p *bootPage) notes() {
	if len(p.doc.Notes) == 0 && len(p.doc.Log.Samples) == 0 {
		return
	}
	p.title("notes")
	for _, note := range p.doc.Notes {
		fmt.Fprintf(p, "  - %s\n", Printable(note))
	}
	for _, s := range p.doc.Log.Samples {
		fmt.Fprintf(p, "  line %d: %s\n", s.Line, Printable(s.Text))
	}
}
