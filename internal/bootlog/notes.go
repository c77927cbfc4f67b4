package bootlog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Notes says what a reader of the figures must know of the log, one sentence
// each.
func (j *Join) Notes() []string {
	l := j.Log
	notes := append(j.beginning(), j.tables()...)
	if j.Kernel == nil && j.count(func(c *Joined) bool { return levelIDs[c.Level] != "" }) > 0 || j.Kernel != nil && !j.Kernel.Sync {
		notes = append(notes, "sync levels are not told from their base levels")
	}
	if l.Dropped > 0 {
		notes = append(notes, fmt.Sprintf("messages that were dropped before anybody could read them: %d; calls may be missing", l.Dropped))
	}
	if l.Unreadable > 0 {
		notes = append(notes, fmt.Sprintf("lines that speak of an initcall and could not be read: %d, the first is line %d", l.Unreadable, l.Samples[0].Line))
	}
	if l.Repeated > 0 {
		notes = append(notes, fmt.Sprintf("lines that are there twice in a row, and count once: %d", l.Repeated))
	}
	if l.Mended > 0 {
		notes = append(notes, fmt.Sprintf("lines that other output tore, but that could be read: %d", l.Mended))
	}
	if n := j.count(func(c *Joined) bool { return !c.Announced }); n > 0 {
		notes = append(notes, fmt.Sprintf("calls without the line that announces them, so that when they began is not known: %d", n))
	}
	if n := j.count(func(c *Joined) bool { return c.Status == Lost }); n > 0 {
		notes = append(notes, fmt.Sprintf("calls without the line of their return, though their thread went on, so that how long they took is not known: %d", n))
	}
	return append(notes, l.about()...)
}

func (j *Join) count(is func(*Joined) bool) int {
	n := 0
	for i := range j.Calls {
		if is(&j.Calls[i]) {
			n++
		}
	}
	return n
}

// beginning says if the log does not begin where the boot does.
func (j *Join) beginning() []string {
	switch {
	case j.AfterStart > 0:
		return []string{fmt.Sprintf("the beginning of the log is missing: its first call is number %d of the table; a larger log_buf_len= on the kernel's command line keeps it", j.AfterStart+1)}
	case j.Log.Banner == "" && j.Log.Source == SourcePrintk && j.Kernel == nil:
		return []string{"the log has no line \"Linux version …\": its beginning may be missing; a larger log_buf_len= on the kernel's command line keeps it"}
	}
	return nil
}

// tables says what the join with the tables is worth.
func (j *Join) tables() []string {
	if j.Kernel == nil {
		return nil
	}
	var notes []string
	switch {
	case j.Log.Banner == "":
		notes = append(notes, "the log does not say which kernel wrote it: that it is this one follows from the order and the sizes of its functions")
	case !j.SameBanner && j.Kernel.Banner != "":
		notes = append(notes, "log and image are of two builds of one release: that their calls are the same follows from the order and the sizes of the functions")
	}
	if j.ByAddress {
		notes = append(notes, fmt.Sprintf("the log has addresses, no names: they are the image's, moved by %#x", j.Slide))
	}
	if n := j.count(func(c *Joined) bool { return c.Kind == KindUnknown }); n > 0 {
		notes = append(notes, fmt.Sprintf("calls of no entry of the tables: %d", n))
	}
	if n := j.count(func(c *Joined) bool { return c.Ambiguous }); n > 0 {
		notes = append(notes, fmt.Sprintf("calls that may be of another entry of the same name: %d", n))
	}
	unexplained := 0
	for _, m := range j.Missing {
		if m.Reason == ReasonUnknown && j.Kernel.Entries[m.Entry].Table != "deferred" {
			unexplained++
		}
	}
	if unexplained > 0 {
		notes = append(notes, fmt.Sprintf("entries without a call, and nothing in the log says why: %d; lines were taken out of it, or another build of this kernel wrote it", unexplained))
	}
	for _, e := range j.Kernel.Entries {
		if e.Direct {
			return append(notes, "the deferred table of this kernel is called without lines in the log")
		}
	}
	return notes
}

// about says what kind of log it is.
func (l *Log) about() []string {
	var notes []string
	if l.Boots > 1 {
		notes = append(notes, fmt.Sprintf("the log holds %d boots: this is number %d", l.Boots, l.Boot))
	}
	if l.BackLine > 0 {
		notes = append(notes, fmt.Sprintf("the times go back by %.3f s in line %d: another boot may begin there, whose calls are counted as well", float64(l.Back.US)/1e6, l.BackLine))
	}
	if l.NoReturns {
		notes = append(notes, "this kernel logs no returns: how long a call took is not known")
	}
	switch l.Clock {
	case ClockNone:
		notes = append(notes, "the lines have no times (printk.time=1 on the kernel's command line gives them): gaps and overlaps are not known")
	case ClockWall:
		notes = append(notes, "the lines have only times of day, counted here from the first: they may be those of whoever wrote them down")
	}
	if l.Others > 0 {
		notes = append(notes, fmt.Sprintf("the log tells of its calls twice: those of %s are used", l.Source))
	}
	if l.Source != SourcePrintk {
		notes = append(notes, "a trace has no durations: they are the times between its events")
	} else if slices.ContainsFunc(l.Calls, func(c Call) bool { return c.Units == 1000 }) {
		notes = append(notes, "a millisecond of this kernel's durations is 2^20 ns, and what is shorter is 0")
	} else if coarse(Release(l.Banner)) {
		notes = append(notes, "a microsecond of this kernel's durations is 1024 ns: they are 2.3 % low")
	}
	return notes
}

// coarse reports whether a release shifts nanoseconds by 10 bits to get
// microseconds, as all before 5.0 do from 2.6.28 on.
func coarse(release string) bool {
	major, rest, _ := strings.Cut(release, ".")
	n, err := strconv.Atoi(major)
	if err != nil || n == 2 && !strings.HasPrefix(rest, "6.") {
		return false
	}
	return n == 2 || n == 3 || n == 4
}
