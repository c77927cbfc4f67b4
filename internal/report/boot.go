package report

import (
	"fmt"
	"strconv"

	"github.com/initsect/initsect/internal/bootlog"
)

// BootLog says what a log is.
type BootLog struct {
	Path        string       `json:"path"`
	Source      string       `json:"source"` // printk, tp_printk, ftrace
	Clock       string       `json:"clock"`  // boot, wall, none
	Release     *string      `json:"release"`
	Banner      *string      `json:"banner"`
	CommandLine *string      `json:"command_line"`
	Boot        int          `json:"boot"`
	Boots       int          `json:"boots"`
	Lines       int          `json:"lines"`
	First       *int64       `json:"first_us"`
	Last        *int64       `json:"last_us"`
	UserSpace   *int64       `json:"user_space_us"`
	Dropped     int          `json:"dropped_messages"`
	Mended      int          `json:"mended_lines"`
	Unreadable  int          `json:"unreadable_lines"`
	Samples     []Unreadable `json:"unreadable_samples"`
	Trouble     *string      `json:"trouble"`
}

// Unreadable is a line that speaks of an initcall and could not be read.
type Unreadable struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// BootTotals are sums over calls. Times are in microseconds.
type BootTotals struct {
	Calls    int    `json:"calls"`
	Measured int    `json:"measured"`
	Sum      int64  `json:"sum_us"`
	Wall     *int64 `json:"wall_us"`
}

// BootLevel is the total of one level.
type BootLevel struct {
	Level   string `json:"level"`
	Entries *int   `json:"entries"`
	BootTotals
}

// BootEntry is the entry of a table that a call is of.
type BootEntry struct {
	Order  int     `json:"order"`
	Table  string  `json:"table"`
	Level  string  `json:"level"`
	Symbol *string `json:"symbol"`
	Module *string `json:"module"`
	Line   *int    `json:"line"`
}

// BootCall is one call of a log.
type BootCall struct {
	Number    int        `json:"number"` // in the log, from 1
	Kind      string     `json:"kind"`
	Level     string     `json:"level"`
	Function  string     `json:"function"`
	Module    *string    `json:"module"` // that was loaded, or that the entry says
	Entry     *BootEntry `json:"entry"`
	Ambiguous bool       `json:"ambiguous"`
	PID       *int       `json:"pid"`
	Start     *int64     `json:"start_us"`
	End       *int64     `json:"end_us"`
	Duration  *int64     `json:"duration_us"`
	FromTimes bool       `json:"duration_from_times"`
	AfterBoot bool       `json:"after_user_space"`
	Return    *int       `json:"return"`
	Error     *string    `json:"error"`
	Assumed   bool       `json:"error_assumed"` // the number is that of most machines
	Status    string     `json:"status"`
	Remark    *string    `json:"remark"`
	Group     *string    `json:"group"`
	LogLine   int        `json:"log_line"`
}

// NotCalled is an entry that the log shows no call of.
type NotCalled struct {
	BootEntry
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Failure is the calls that returned one error.
type Failure struct {
	Return  int     `json:"return"`
	Error   *string `json:"error"`
	Assumed bool    `json:"error_assumed"` // the number is that of most machines
	Calls   []int   `json:"calls"`
}

// Gap is time between two calls in which none ran.
type Gap struct {
	After  int   `json:"after"`
	Before int   `json:"before"`
	Start  int64 `json:"start_us"`
	Length int64 `json:"length_us"`
}

// Candidate is a call that deferring would take out of the boot. It is a hint.
type Candidate struct {
	Call    int      `json:"call"`
	Saves   int64    `json:"saves_us"`
	Devices []string `json:"devices"` // that were probed while it ran
}

// AsyncCall is the call of an asynchronous function.
type AsyncCall struct {
	Cookie   string `json:"cookie"`
	Function string `json:"function"`
	PID      *int   `json:"pid"`
	Start    *int64 `json:"start_us"`
	End      *int64 `json:"end_us"`
	Duration *int64 `json:"duration_us"`
	Status   string `json:"status"`
}

// AsyncWait is the time for which a thread waited for asynchronous functions.
type AsyncWait struct {
	PID      int    `json:"pid"`
	End      *int64 `json:"end_us"`
	Duration int64  `json:"duration_us"`
}

// Probe is the probe of a device.
type Probe struct {
	Device   string `json:"device"`
	Return   *int   `json:"return"`
	End      *int64 `json:"end_us"`
	Duration int64  `json:"duration_us"`
}

// Boot is the document of the boot command.
type Boot struct {
	Schema     Schema      `json:"schema"`
	Log        BootLog     `json:"log"`
	Image      *Image      `json:"image"` // null without one
	Total      BootTotals  `json:"total"`
	Before     BootTotals  `json:"before_user_space"`
	After      BootTotals  `json:"after_user_space"`
	Span       *int64      `json:"span_us"`
	Levels     []BootLevel `json:"levels"`
	Calls      []BootCall  `json:"calls"`
	NotCalled  []NotCalled `json:"not_called"`
	Failures   []Failure   `json:"failures"`
	Unended    []int       `json:"unended"`
	Gaps       []Gap       `json:"gaps"`
	Candidates []Candidate `json:"candidates"`
	Async      []AsyncCall `json:"async"`
	Waits      []AsyncWait `json:"async_waits"`
	Probes     []Probe     `json:"probes"`
	Notes      []string    `json:"notes"`
}

// BootKernel returns what a join needs of the document of an image.
// An object file or a module is no kernel that could have booted.
func BootKernel(list *List) (*bootlog.Kernel, error) {
	switch list.Image.Container {
	case "object", "module", "archive":
		return nil, fmt.Errorf("%s: is of kind %q, not the kernel that was booted", list.Image.Path, list.Image.Container)
	}
	k := &bootlog.Kernel{Sync: list.SyncKnown}
	if list.Image.Release != nil {
		k.Release = *list.Image.Release
	}
	if list.Image.Banner != nil {
		k.Banner = *list.Image.Banner
	}
	direct := map[string]bool{}
	for _, t := range list.Tables {
		direct[t.Table] = t.Table == "deferred" && t.Layout != "plain"
	}
	for i := range list.Initcalls {
		c := &list.Initcalls[i]
		e := bootlog.Entry{
			Names: append([]string{}, c.Aliases...), Offset: c.Offset,
			Table: c.Table, Level: c.Level, Direct: direct[c.Table],
		}
		if c.RawSymbol != nil {
			e.Raw = *c.RawSymbol
		}
		for _, name := range []*string{c.RawSymbol, c.Symbol} {
			if name != nil {
				e.Names = append(e.Names, *name)
			}
		}
		if c.Target != nil {
			e.Target, _ = strconv.ParseUint(*c.Target, 0, 64) // the document's own form
		}
		if c.Size != nil {
			e.Size = *c.Size
		}
		if c.Group != nil {
			e.Group = *c.Group
		}
		k.Entries = append(k.Entries, e)
	}
	return k, nil
}

// NewBoot makes the document of a log, joined with the image that list is the
// document of, or with none.
func NewBoot(path string, j *bootlog.Join, list *List, opt bootlog.SummaryOptions) *Boot {
	b := &bootBuilder{j: j, list: list}
	s := bootlog.Summarize(j, opt)
	doc := &Boot{
		Schema:     BootSchema,
		Log:        newBootLog(path, j.Log),
		Total:      newBootTotals(s.All),
		Before:     newBootTotals(s.Boot),
		After:      newBootTotals(s.After),
		Span:       us(s.Span),
		Levels:     []BootLevel{},
		Calls:      []BootCall{},
		NotCalled:  []NotCalled{},
		Unended:    numbers(s.Unended),
		Gaps:       []Gap{},
		Candidates: []Candidate{},
		Async:      []AsyncCall{},
		Waits:      []AsyncWait{},
		Probes:     []Probe{},
		Notes:      append([]string{}, j.Notes()...),
	}
	if list != nil {
		doc.Image = &list.Image
		b.machine = list.Image.Machine
	}
	for _, l := range s.Levels {
		level := BootLevel{Level: l.Level, BootTotals: newBootTotals(l.Totals)}
		if l.Entries >= 0 {
			level.Entries = &l.Entries
		}
		doc.Levels = append(doc.Levels, level)
	}
	for i := range j.Calls {
		doc.Calls = append(doc.Calls, b.call(i))
	}
	for _, m := range j.Missing {
		doc.NotCalled = append(doc.NotCalled, NotCalled{*b.entry(m.Entry), string(m.Reason), m.Detail})
	}
	doc.Failures = b.failures(s.Failed)
	for _, g := range s.Gaps {
		doc.Gaps = append(doc.Gaps, Gap{g.After + 1, g.Before + 1, g.At.US, g.Length})
	}
	for _, c := range s.Candidate {
		doc.Candidates = append(doc.Candidates, Candidate{c.Call + 1, c.Saves, append([]string{}, c.Devices...)})
	}
	b.aside(doc)
	return doc
}

func newBootLog(path string, l *bootlog.Log) BootLog {
	doc := BootLog{
		Path: path, Source: string(l.Source), Clock: string(l.Clock),
		Release: known(bootlog.Release(l.Banner)), Banner: known(l.Banner), CommandLine: known(l.CommandLine),
		Boot: l.Boot, Boots: l.Boots, Lines: l.Lines,
		First: us(l.First), Last: us(l.Last), UserSpace: us(l.UserSpace),
		Dropped: l.Dropped, Mended: l.Mended, Unreadable: l.Unreadable, Samples: []Unreadable{},
		Trouble: known(l.Trouble),
	}
	for _, s := range l.Samples {
		doc.Samples = append(doc.Samples, Unreadable(s))
	}
	return doc
}

func newBootTotals(t bootlog.Totals) BootTotals {
	return BootTotals{t.Calls, t.Measured, t.Sum, us(t.Wall)}
}

// us returns microseconds, nil if they are not known.
func us(t bootlog.Time) *int64 {
	if !t.Known {
		return nil
	}
	return &t.US
}

func numbers(indexes []int) []int {
	list := make([]int, 0, len(indexes))
	for _, i := range indexes {
		list = append(list, i+1)
	}
	return list
}
