package render

import (
	"fmt"
	"math"

	"github.com/initsect/initsect/internal/report"
)

// timeline is a boot laid out as bars in lanes, in microseconds of the log.
type timeline struct {
	From, To int64
	Lanes    []lane
	User     *int64 // when user space began, if that lies within
	NoTimes  int    // calls that have no place in it
}

// lane is a row of bars: a level, or a thread of it that is not the kernel's
// first.
type lane struct {
	Name string
	Bars []bar
	Top  int // of its bars, in units of the drawing
}

// bar is one call.
type bar struct {
	Call          int // its number, 0 for an asynchronous one
	Name          string
	Start, Length int64
	Took          int64 // what the kernel measured; Length where it measured nothing
	Class         string
	Top           int
}

const laneHeight = 24

// newTimeline lays out the calls whose times are known.
func newTimeline(doc *report.Boot) *timeline {
	t := &timeline{From: math.MaxInt64, To: math.MinInt64}
	candidate := map[int]bool{}
	for _, c := range doc.Candidates {
		candidate[c.Call] = true
	}
	lanes := map[string]int{}
	put := func(name string, measured *int64, b bar) {
		if b.Took = b.Length; measured != nil && *measured > 0 {
			b.Took = *measured
		}
		at, ok := lanes[name]
		if !ok {
			at = len(t.Lanes)
			lanes[name] = at
			t.Lanes = append(t.Lanes, lane{Name: name, Top: at * laneHeight})
		}
		b.Top = t.Lanes[at].Top
		t.Lanes[at].Bars = append(t.Lanes[at].Bars, b)
		t.From, t.To = min(t.From, b.Start), max(t.To, b.Start+b.Length)
	}
	for i := range doc.Calls {
		c := &doc.Calls[i]
		start, length, ok := extent(c.Start, c.End, c.Duration)
		if !ok {
			t.NoTimes++
			continue
		}
		put(laneName(c), c.Duration, bar{Call: c.Number, Name: c.Function, Start: start, Length: length, Class: barClass(c, candidate[c.Number])})
	}
	for i := range doc.Async {
		c := &doc.Async[i]
		if start, length, ok := extent(c.Start, c.End, c.Duration); ok {
			put("async", c.Duration, bar{Name: c.Function, Start: start, Length: length, Class: "async"})
		}
	}
	if u := doc.Log.UserSpace; u != nil && len(t.Lanes) > 0 {
		t.User = u
		t.From, t.To = min(t.From, *u), max(t.To, *u)
	}
	if t.To <= t.From {
		t.To = t.From + 1
	}
	return t
}

// extent is where a bar lies. A call that did not return has no length.
func extent(start, end, duration *int64) (from, length int64, ok bool) {
	switch {
	case start != nil && end != nil:
		return *start, max(0, *end-*start), true
	case start != nil && duration != nil:
		return *start, *duration, true
	case start != nil:
		return *start, 0, true
	case end != nil && duration != nil:
		return *end - *duration, *duration, true
	}
	return 0, 0, false
}

func laneName(c *report.BootCall) string {
	name := bootLevelTitle(c.Level)
	if c.PID != nil && *c.PID > 1 {
		name += fmt.Sprintf(" · thread %d", *c.PID)
	}
	return name
}

func barClass(c *report.BootCall, candidate bool) string {
	switch {
	case c.Kind == "deferred":
		return "deferred"
	case c.Kind == "module":
		return "module"
	case c.Error != nil:
		return "failed"
	case c.Duration == nil:
		return "unended"
	case candidate:
		return "candidate"
	}
	return "call"
}

// Height is that of all lanes.
func (t *timeline) Height() int { return len(t.Lanes) * laneHeight }

// Width is the time that the timeline spans.
func (t *timeline) Width() int64 { return t.To - t.From }

// tick is a mark of the time axis.
type tick struct {
	At    int64
	Label string
}

// ticks returns about n marks at round times.
func (t *timeline) ticks(n int) []tick {
	step := roundStep(float64(t.Width()) / float64(n))
	digits := 0
	for s := step; s < 1e6 && digits < 6; s *= 10 {
		digits++
	}
	var marks []tick
	first := t.From / step * step
	if first < t.From {
		first += step
	}
	for at := first; at <= t.To; at += step {
		marks = append(marks, tick{at, fmt.Sprintf("%.*f s", digits, float64(at)/1e6)})
	}
	return marks
}

// roundStep is the first of 1, 2, 5, 10, … microseconds that is not less.
func roundStep(least float64) int64 {
	for step := int64(1); ; step *= 10 {
		for _, s := range []int64{step, 2 * step, 5 * step} {
			if float64(s) >= least || s > math.MaxInt64/20 {
				return s
			}
		}
	}
}
