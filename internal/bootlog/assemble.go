package bootlog

import "slices"

// assembler makes calls of events.
type assembler struct {
	log   *Log
	open  map[string][]*call // by name, in the order in which they began
	calls []*call
	async []*call
	last  map[int]*call // the last call of each thread
	level string
	any   bool // a return was read

	before event // the last that began or ended a call
}

// call is a call that is being put together.
type call struct {
	Call
	closed   bool
	unlogged bool
	old      bool // of a kernel that may be too old to log returns
}

func newAssembler(l *Log) *assembler {
	return &assembler{log: l, open: map[string][]*call{}, last: map[int]*call{}}
}

// speaks reports whether the log holds anything of initcalls.
func (a *assembler) speaks() bool { return len(a.calls) > 0 || a.log.Unreadable > 0 }

// count is how much is kept.
func (a *assembler) count() int {
	l := a.log
	return len(a.calls) + len(a.async) + len(l.Probes) + len(l.Waits) + len(l.Blacklisted)
}

// key tells functions apart, as far as the log does. The lines of one call
// agree in all of it.
func (e *event) key() string {
	if e.function.Name == "" {
		return string(appendHex(nil, e.function.Address))
	}
	return e.cookie + " " + e.function.Name + " " + e.function.Module
}

func appendHex(b []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[n>>shift&15])
	}
	return b
}

// add takes the next event of the log.
func (a *assembler) add(e *event) {
	if e.mended {
		a.log.Mended++
	}
	if a.again(e) {
		a.log.Others++
		return
	}
	if a.repeats(e) {
		a.log.Repeated++
		return
	}
	switch e.kind {
	case calling:
		a.begin(e).Announced = true
	case returned:
		a.finishCall(e)
	case ranFor:
		if c := a.find(e, func(c *call) bool { return c.closed && !c.Duration.Known }); c != nil {
			c.Duration, c.Units = e.duration, e.units
		} else {
			a.finishCall(e)
		}
	case remarked:
		if c := a.find(e, func(c *call) bool { return c.Remark == "" }); c != nil {
			c.Remark = e.text
		}
	case blacklisted:
		a.log.Blacklisted = append(a.log.Blacklisted, e.function.Name)
	case levelBegins:
		a.level = e.text
	case probed:
		a.log.Probes = append(a.log.Probes, Probe{e.text, e.code, e.duration, e.time, e.line})
	case waited:
		a.log.Waits = append(a.log.Waits, Wait{e.pid, e.time, e.duration})
	}
}

// repeats reports whether an event is the one before it, said twice: a thread
// does not begin, or end, two calls of one name in a row.
func (a *assembler) repeats(e *event) bool {
	if e.kind != calling && e.kind != returned {
		return false
	}
	last := a.before
	a.before = *e
	last.line = e.line
	return last == *e
}

// again reports whether an event tells of a call that another source has told
// of: initcall_debug and trace events together, or a dump of ftrace's buffer.
// The level is welcome from any but a dump, which comes when all is over.
func (a *assembler) again(e *event) bool {
	switch e.kind {
	case levelBegins:
		return e.source == SourceFtrace && a.log.Source != "" && a.log.Source != SourceFtrace
	case calling, returned:
		if a.log.Source == "" {
			a.log.Source = e.source
		}
		return e.source != a.log.Source
	}
	return false
}

// remembered is how many calls of one name may be waiting for their return.
const remembered = 64

// begin makes a call of the first event that tells of it.
func (a *assembler) begin(e *event) *call {
	c := &call{unlogged: e.unlogged, old: e.old, Call: Call{
		Function: e.function, Cookie: e.cookie, PID: e.pid, Group: e.group,
		Level: a.level, Line: e.line, Status: Running,
	}}
	if e.kind == calling {
		c.Start = e.time
	}
	key := e.key()
	like := append(a.open[key], c)
	a.open[key] = like[max(0, len(like)-remembered):]
	if e.cookie != "" {
		a.async = append(a.async, c)
		return c
	}
	a.calls = append(a.calls, c)
	a.last[e.pid] = c
	a.log.lastCall = e.line
	return c
}

// find returns the call that an event belongs to, nil if there is none.
func (a *assembler) find(e *event, may func(*call) bool) *call {
	var best *call
	for _, c := range slices.Backward(a.open[e.key()]) {
		if may(c) && (best == nil || a.fits(e, c) && !a.fits(e, best)) {
			best = c
		}
	}
	return best
}

// slack is by how much the kernel's own measure of a call and the times of its
// lines may differ: the lines are printed outside of what is measured.
const slack = 2000 // microseconds

// fits reports whether the thread or the times say that an event ends a call.
func (a *assembler) fits(e *event, c *call) bool {
	if e.pid >= 0 && c.PID >= 0 {
		return e.pid == c.PID
	}
	took := c.Start.Until(e.time)
	if !took.Known || !e.duration.Known {
		return true
	}
	off := took.US - e.duration.US
	return -slack <= off && off <= slack
}

// finishCall closes the call that has returned. One that was not announced, as
// its line is missing, is a call all the same.
func (a *assembler) finishCall(e *event) {
	a.any = true
	c := a.find(e, func(c *call) bool { return !c.closed && !a.gone(c) })
	if c == nil {
		c = a.begin(e)
	}
	c.closed, c.Status, c.End = true, Returned, e.time
	c.Return, c.Code = e.code, e.hasCode
	c.Duration, c.Units = e.duration, e.units
	if took := c.Start.Until(e.time); !e.duration.Known && e.source != SourcePrintk && took.Known {
		c.Duration, c.Units, c.FromTimes = took, 1, true
	}
}

// finish says of every call that did not return why, and hands the calls on.
func (a *assembler) finish() {
	for _, list := range [][]*call{a.calls, a.async} {
		for _, c := range list {
			switch {
			case c.closed:
			case c.unlogged, c.old && !a.any:
				c.Status = Unlogged
			case a.overtaken(c):
				c.Status = Lost
			}
		}
	}
	a.log.NoReturns = len(a.calls) > 0 && !slices.ContainsFunc(a.calls, func(c *call) bool { return c.Status != Unlogged })
	for _, c := range a.calls {
		a.log.Calls = append(a.log.Calls, c.Call)
	}
	for _, c := range a.async {
		a.log.Async = append(a.log.Async, c.Call)
	}
}

// gone reports whether the thread of a call has begun another since, so that it
// must have returned. What runs within a call has a thread or a cookie of its
// own.
func (a *assembler) gone(c *call) bool {
	return c.Cookie == "" && c.PID >= 0 && a.last[c.PID] != c
}

// overtaken reports whether the whole log shows that a call must have returned:
// its thread or, where that is not known, any has begun another since, or the
// boot went on without it.
func (a *assembler) overtaken(c *call) bool {
	switch {
	case c.Cookie != "":
		return false
	case c.PID < 0:
		return a.calls[len(a.calls)-1] != c
	case c.PID == 0 && a.last[1] != nil:
		return true
	}
	return a.gone(c) || c.PID <= 1 && a.log.UserLine > c.Line
}
