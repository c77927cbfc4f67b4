package bootlog

import (
	"cmp"
	"slices"
	"sort"
)

// Totals are the sums over calls. Calls that overlap, as a module's within the
// call that asked for it, are each in Sum, but Wall counts no moment twice.
type Totals struct {
	Calls    int
	Measured int   // those with a duration
	Sum      int64 // of the durations, microseconds
	Wall     Time  // during which a call ran, from the times of the lines
}

// LevelTotal is the total of one level.
type LevelTotal struct {
	Level   string
	Entries int // in the tables, -1 without an image
	Totals
}

// Gap is time between two calls of the kernel's own order in which none ran.
type Gap struct {
	After, Before int // indexes of the calls
	At            Time
	Length        int64 // microseconds
}

// Candidate is a call that deferring would take out of the boot.
type Candidate struct {
	Call    int
	Saves   int64    // microseconds
	Devices []string // that were probed while it ran
}

// Summary says where the time of a boot went.
type Summary struct {
	All       Totals
	Boot      Totals // before user space began
	After     Totals
	Span      Time // from the first call to the end of the last before user space
	Levels    []LevelTotal
	Gaps      []Gap // longest first
	Failed    []int // calls that returned an error
	Unended   []int // calls without a return
	Candidate []Candidate
}

// SummaryOptions are the bounds of what a summary names.
type SummaryOptions struct {
	Gap       int64 // shortest gap, microseconds
	Candidate int64 // shortest call that is worth deferring, microseconds
}

// Summarize says where the time went.
func Summarize(j *Join, opt SummaryOptions) *Summary {
	s := &Summary{}
	var all, boot, after span
	levels := map[string]*levelSpan{}
	var order []*levelSpan
	for i := range j.Calls {
		c := &j.Calls[i]
		all.add(c.Call)
		early := j.Log.BeforeUser(c.Call)
		if early {
			boot.add(c.Call)
		} else {
			after.add(c.Call)
		}
		name := j.Level(c)
		if levels[name] == nil {
			levels[name] = &levelSpan{level: name}
			order = append(order, levels[name])
		}
		levels[name].add(c.Call)
		switch {
		case c.Status != Returned && c.Status != Unlogged:
			s.Unended = append(s.Unended, i)
		case c.Code && c.Return < 0:
			s.Failed = append(s.Failed, i)
		}
		if c.Kind == KindInitcall || j.Kernel == nil && c.Kind == KindUnknown {
			if early && c.Status == Returned && deferrable(name) && c.Duration.Known && c.Duration.US >= opt.Candidate {
				s.Candidate = append(s.Candidate, Candidate{Call: i, Saves: c.Duration.US})
			}
		}
	}
	s.All, s.Boot, s.After = all.totals(), boot.totals(), after.totals()
	s.Span = boot.from.Until(boot.to)
	s.Levels = levelTotals(j, order)
	s.Gaps = gaps(j, opt.Gap)
	s.addDevices(j)
	slices.SortStableFunc(s.Candidate, func(a, b Candidate) int { return cmp.Compare(b.Saves, a.Saves) })
	return s
}

// addDevices gives each device to the candidate during which its probe ended:
// the last that was announced before, if it had not returned yet.
func (s *Summary) addDevices(j *Join) {
	call := func(n int) *Call { return j.Calls[s.Candidate[n].Call].Call }
	for _, p := range j.Log.Probes {
		n := sort.Search(len(s.Candidate), func(n int) bool { return call(n).Line > p.Line }) - 1
		if n >= 0 && call(n).Announced && call(n).End.Known && p.End.Known && p.End.US <= call(n).End.US {
			s.Candidate[n].Devices = append(s.Candidate[n].Devices, p.Device)
		}
	}
}

// BeforeUser reports whether a call began before user space did, by their places
// in the log: times of day are too coarse to tell. Where the log does not name
// the first process, its threads tell, too: a kernel with deferred initcalls
// frees init memory only after them.
func (l *Log) BeforeUser(c *Call) bool {
	if l.userNamed {
		return c.Line < l.UserLine
	}
	return (l.UserLine == 0 || c.Line < l.UserLine) && c.PID <= 1 && c.Group == ""
}

type levelSpan struct {
	level string
	span
}

func levelTotals(j *Join, order []*levelSpan) []LevelTotal {
	entries := map[string]int{}
	var totals []LevelTotal
	if j.Kernel != nil {
		for _, e := range j.Kernel.Entries {
			entries[e.Level]++
		}
	}
	for _, l := range order {
		t := LevelTotal{Level: l.level, Entries: -1, Totals: l.totals()}
		if j.Kernel != nil {
			t.Entries = entries[l.level]
		}
		totals = append(totals, t)
	}
	return totals
}

// span gathers calls.
type span struct {
	t        Totals
	from, to Time
	busy     [][2]int64
}

func (s *span) add(c *Call) {
	s.t.Calls++
	if c.Duration.Known {
		s.t.Measured++
		s.t.Sum += c.Duration.US
	}
	if !c.Start.Known || !c.End.Known || c.End.US < c.Start.US {
		return
	}
	s.busy = append(s.busy, [2]int64{c.Start.US, c.End.US})
	if !s.from.Known || c.Start.US < s.from.US {
		s.from = c.Start
	}
	if !s.to.Known || c.End.US > s.to.US {
		s.to = c.End
	}
}

func (s *span) totals() Totals {
	if len(s.busy) == 0 {
		return s.t
	}
	slices.SortFunc(s.busy, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	wall, until := int64(0), s.busy[0][0]
	for _, b := range s.busy {
		if b[1] > until {
			wall += b[1] - max(b[0], until)
			until = b[1]
		}
	}
	s.t.Wall = at(wall)
	return s.t
}

// gaps finds the times between calls of the kernel's own order.
func gaps(j *Join, shortest int64) []Gap {
	var found []Gap
	before := -1
	for i := range j.Calls {
		c := &j.Calls[i]
		if c.Kind == KindModule || !j.Log.BeforeUser(c.Call) {
			continue
		}
		if before >= 0 {
			end := j.Calls[before].End
			if idle := end.Until(c.Start); idle.Known && idle.US >= shortest {
				found = append(found, Gap{before, i, end, idle.US})
			}
		}
		before = i
	}
	slices.SortStableFunc(found, func(a, b Gap) int { return cmp.Compare(b.Length, a.Length) })
	return found
}
