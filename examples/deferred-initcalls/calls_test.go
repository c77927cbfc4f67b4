//go:build deferred

package deferredinitcalls

import (
	"regexp"
	"strings"
)

var (
	anyCall = regexp.MustCompile(`calling  ?\S`)
	// [    1.484674] calling  init_hw_perf_events+0x0/0x700 @ 1
	//
	// A defect makes the kernel call what is no function: "calling  ehci_hcd_cleanup+0x3/0x1f @ 35",
	// "calling  0xffffffff7a79e6b8 @ 36".
	initcallLine = regexp.MustCompile(
		`^\[ *\d+\.\d+\] calling  (?:([A-Za-z_][\w.]*\+0x[0-9a-f]+)/0x[0-9a-f]+|(0x[0-9a-f]+)) @ \d+$`)
	// PCI quirks ("pci 0000:00:01.3: calling  quirk_…"), asynchronous functions ("calling  7_fn+…")
	otherCall = regexp.MustCompile(`\] \S.*: calling  \S+ @ \d+$|\] calling  \d+_\S+ @ \d+$`)
)

// event is a line of a boot log that the example is about.
type event struct {
	call string // the function called as an initcall, or empty
	text string // else the whole line, without its time
}

// eventsOf returns the initcalls of a log and the lines between them that say where in the boot they
// ran. A line that speaks of a call in no known way is in strange: a torn line must not escape.
func eventsOf(log string) (events []event, strange []string) {
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		switch m := initcallLine.FindStringSubmatch(line); {
		case m != nil:
			events = append(events, event{call: strings.TrimSuffix(m[1], "+0x0") + m[2]})
		case anyCall.MatchString(line):
			if !otherCall.MatchString(line) {
				strange = append(strange, line)
			}
		default:
			_, text, _ := strings.Cut(line, "] ")
			events = append(events, event{text: text})
		}
	}
	return events, strange
}

// callsOf returns the functions that were called, in order.
func callsOf(events []event) []string {
	var calls []string
	for _, e := range events {
		if e.call != "" {
			calls = append(calls, e.call)
		}
	}
	return calls
}
