package bootlog

import (
	"fmt"
	"slices"
	"strings"
)

// Reason says why an entry was not called, as far as the log shows it.
type Reason string

// The reasons.
const (
	ReasonBlacklisted  Reason = "blacklisted"
	ReasonNotTriggered Reason = "not triggered"   // deferred, and nobody asked for it
	ReasonNoLine       Reason = "not logged"      // the kernel calls it without saying so
	ReasonBefore       Reason = "before the log"  // the log's beginning is missing
	ReasonEnd          Reason = "after the log"   // the log ends before its turn
	ReasonRunning      Reason = "still running"   // the log ends in an earlier call
	ReasonHung         Reason = "hung"            // an earlier call did not return, and the kernel complains
	ReasonCrashed      Reason = "crashed"         // an earlier call did not return, and the kernel crashed
	ReasonLost         Reason = "lost"            // lines are missing or torn, its own may be among them
	ReasonUnknown      Reason = "not in the log"  // nothing in the log says why
	ReasonUnreadable   Reason = "unreadable line" // a torn line of the log has its name
)

// Missing is an entry that the log shows no call of.
type Missing struct {
	Entry  int
	Reason Reason
	Detail string // more about it, empty if there is no more
}

// finder finds out why entries were not called.
type finder struct {
	j           *Join
	blacklist   map[string]bool
	first, last int      // entries of the kernel's own order that were called; -1 without
	console     bool     // console calls are logged
	end         *Missing // why nothing follows the last
	deferred    *Missing // why a deferred entry was not called
}

func missing(j *Join, taken []bool) []Missing {
	f := newFinder(j)
	var found []Missing
	for i := range j.Kernel.Entries {
		if taken[i] {
			continue
		}
		m := f.why(i)
		m.Entry = i
		found = append(found, m)
		if m.Reason == ReasonBefore && j.Kernel.Entries[i].Table == "initcall" {
			j.AfterStart++
		}
	}
	return found
}

func newFinder(j *Join) *finder {
	f := &finder{j: j, blacklist: map[string]bool{}, first: -1, last: -1}
	for _, name := range append(Blacklist(j.Log.CommandLine), j.Log.Blacklisted...) {
		f.blacklist[linkName(name)] = true
	}
	var lastCall, lastDeferred *Call
	for _, c := range j.Calls {
		switch {
		case c.Kind == KindConsole:
			f.console = true
		case c.Kind == KindDeferred, c.Kind == KindUnknown && c.Status == Running && !j.Log.BeforeUser(c.Call):
			lastDeferred = c.Call // what is not known may be what a broken table holds
		case c.Kind == KindInitcall:
			if f.first < 0 {
				f.first = c.Entry
			}
			f.last, lastCall = c.Entry, c.Call
		}
	}
	if j.Log.UserLine == 0 || lastCall != nil && lastCall.Line > j.Log.UserLine {
		f.end = f.stopped(lastCall)
	}
	f.deferred = f.untriggered(lastDeferred)
	return f
}

// stopped says why the log ends with a call of the kernel's own order.
func (f *finder) stopped(c *Call) *Missing {
	l := f.j.Log
	switch {
	case c == nil || c.Status != Running && l.Trouble == "":
		return &Missing{Reason: ReasonEnd, Detail: "the log ends before its turn"}
	case c.Status != Running:
		return &Missing{Reason: ReasonEnd, Detail: "the log ends before its turn; it says: " + l.Trouble}
	case l.Trouble == "" || l.TroubleLine < c.Line:
		return &Missing{Reason: ReasonRunning, Detail: c.label() + " was still running when the log ends"}
	case strings.HasPrefix(l.Trouble, "INFO: task ") || strings.HasPrefix(l.Trouble, "watchdog: ") || strings.HasPrefix(l.Trouble, "rcu: "):
		return &Missing{Reason: ReasonHung, Detail: c.label() + " hung: " + l.Trouble}
	}
	return &Missing{Reason: ReasonCrashed, Detail: c.label() + " crashed: " + l.Trouble}
}

// untriggered says why a deferred entry was not called, given the last one that
// was.
func (f *finder) untriggered(last *Call) *Missing {
	switch {
	case last == nil && f.j.Log.Trouble != "":
		return &Missing{Reason: ReasonNotTriggered, Detail: "no deferred initcall was called; the log says: " + f.j.Log.Trouble}
	case last == nil:
		return &Missing{Reason: ReasonNotTriggered, Detail: "no deferred initcall was called"}
	case last.Status == Running:
		return f.stopped(last)
	}
	return &Missing{Reason: ReasonUnknown, Detail: "other deferred initcalls were called"}
}

func (f *finder) why(i int) Missing {
	e := &f.j.Kernel.Entries[i]
	l := f.j.Log
	if e.Table != "console" && slices.ContainsFunc(e.Names, func(name string) bool { return f.blacklist[linkName(name)] }) {
		return Missing{Reason: ReasonBlacklisted, Detail: "by initcall_blacklist= of the kernel's command line"}
	}
	if e.Direct {
		return Missing{Reason: ReasonNoLine, Detail: "this table's entries are called without a line in the log"}
	}
	if e.Table == "deferred" {
		if f.deferred.Reason == ReasonUnknown && e.Group != "" {
			return Missing{Reason: ReasonNotTriggered, Detail: "group " + e.Group + " was not asked for"}
		}
		return *f.deferred
	}
	if (e.Table == "console" || e.Table == "security") && !f.console && !f.beginsLate() {
		return Missing{Reason: ReasonNoLine, Detail: "only a kernel with trace events logs these calls"}
	}
	switch {
	case i < f.first && l.Banner == "":
		return Missing{Reason: ReasonBefore, Detail: "the beginning of the log is missing"}
	case i > f.last && f.end != nil:
		return *f.end
	}
	return f.lost(e)
}

// beginsLate reports whether the log misses calls of the table that every boot
// runs first.
func (f *finder) beginsLate() bool {
	if f.j.Log.Banner != "" {
		return false
	}
	for i := range max(f.first, 0) {
		if f.j.Kernel.Entries[i].Table == "initcall" {
			return true
		}
	}
	return false
}

// lost says whether lines that are missing or torn may be those of an entry.
func (f *finder) lost(e *Entry) Missing {
	l := f.j.Log
	for _, sample := range l.Samples {
		for _, name := range e.Names {
			if indexWord([]byte(sample.Text), []byte(name)) >= 0 {
				return Missing{Reason: ReasonUnreadable, Detail: fmt.Sprintf("line %d may be its own", sample.Line)}
			}
		}
	}
	switch {
	case l.Dropped > 0:
		return Missing{Reason: ReasonLost, Detail: fmt.Sprintf("messages that were dropped: %d", l.Dropped)}
	case l.Unreadable > 0:
		return Missing{Reason: ReasonLost, Detail: fmt.Sprintf("lines that could not be read: %d", l.Unreadable)}
	}
	return Missing{Reason: ReasonUnknown}
}
