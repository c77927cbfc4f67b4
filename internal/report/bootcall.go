package report

import (
	"slices"
	"strconv"

	"github.com/initsect/initsect/internal/bootlog"
)

// bootBuilder makes the parts of a boot's document.
type bootBuilder struct {
	j       *bootlog.Join
	list    *List
	machine string
}

func (b *bootBuilder) entry(i int) *BootEntry {
	if i < 0 {
		return nil
	}
	c := &b.list.Initcalls[i]
	return &BootEntry{c.Order, c.Table, c.Level, c.Symbol, c.Module, c.Line}
}

func (b *bootBuilder) call(i int) BootCall {
	c := &b.j.Calls[i]
	doc := BootCall{
		Number: i + 1, Kind: string(c.Kind), Level: b.j.Level(c), Function: bootFunction(c.Function),
		Module: known(c.Module), Entry: b.entry(c.Entry), Ambiguous: c.Ambiguous, PID: bootPID(c.PID),
		Start: us(c.Start), End: us(c.End), Duration: us(c.Duration), FromTimes: c.FromTimes,
		AfterBoot: !b.j.Log.BeforeUser(c.Call),
		Status:    string(c.Status), Remark: known(c.Remark), Group: known(c.Group), LogLine: c.Line,
	}
	if doc.Entry != nil {
		doc.Module = doc.Entry.Module
		if doc.Entry.Symbol != nil {
			doc.Function = *doc.Entry.Symbol
		}
	}
	if c.Code {
		code := c.Return
		doc.Return = &code
		if code < 0 {
			name, assumed := bootlog.Errno(-code, b.machine)
			doc.Error, doc.Assumed = known(name), assumed
		}
	}
	return doc
}

// bootFunction is a function as the log names it.
func bootFunction(f bootlog.Function) string {
	switch {
	case f.Name == "":
		return "0x" + strconv.FormatUint(f.Address, 16)
	case f.Offset != 0:
		return f.Name + "+0x" + strconv.FormatUint(f.Offset, 16)
	}
	return f.Name
}

func bootPID(pid int) *int {
	if pid < 0 {
		return nil
	}
	return &pid
}

// failures gathers the calls that returned an error by the error, that of the
// most calls first.
func (b *bootBuilder) failures(failed []int) []Failure {
	list := []Failure{}
	places := map[int]int{} // in the list, by the error
	for _, i := range failed {
		code := b.j.Calls[i].Return
		at, seen := places[code]
		if !seen {
			name, assumed := bootlog.Errno(-code, b.machine)
			at = len(list)
			places[code] = at
			list = append(list, Failure{Return: code, Error: known(name), Assumed: assumed})
		}
		list[at].Calls = append(list[at].Calls, i+1)
	}
	slices.SortStableFunc(list, func(a, b Failure) int { return len(b.Calls) - len(a.Calls) })
	return list
}

// aside adds what a log says beside its initcalls.
func (b *bootBuilder) aside(doc *Boot) {
	l := b.j.Log
	for i := range l.Async {
		c := &l.Async[i]
		doc.Async = append(doc.Async, AsyncCall{
			c.Cookie, bootFunction(c.Function), bootPID(c.PID), us(c.Start), us(c.End), us(c.Duration), string(c.Status),
		})
	}
	for _, w := range l.Waits {
		doc.Waits = append(doc.Waits, AsyncWait{w.PID, us(w.End), w.Duration.US})
	}
	for _, p := range l.Probes {
		code := p.Return
		doc.Probes = append(doc.Probes, Probe{p.Device, &code, us(p.End), p.Duration.US})
	}
}
