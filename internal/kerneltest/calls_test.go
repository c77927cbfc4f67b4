package kerneltest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Every line of a log that announces a call, and of those the ones of initcalls:
//
//	[    1.484674] calling  init_hw_perf_events+0x0/0x700 @ 1
//
// The mark of the caller ([    T1]) is there with CONFIG_PRINTK_CALLER.
var (
	anyCall      = regexp.MustCompile(`calling  ?\S`)
	initcallLine = regexp.MustCompile(
		`^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ` +
			`calling  ([A-Za-z_][\w.$]*)\+0x0/0x[0-9a-f]+ @ \d+$`)
	// Calls of other kinds: PCI quirks ("pci 0000:00:01.3: calling  quirk_…") and asynchronous
	// functions, whose names begin with a number ("calling  7_fn+…").
	otherCall = regexp.MustCompile(`\] \S.*: calling  \S+ @ \d+$|\] calling  \d+_\S+ @ \d+$`)
)

// callsOf returns the functions that the kernel called as initcalls, in its order, and the lines
// that speak of a call in no known way: a torn line must fail the comparison, not escape it.
// A real-time kernel prints a line again, time and all, where another thread takes over the console.
func callsOf(log string) (functions, strange []string) {
	last := ""
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		if line == last {
			continue
		}
		last = line
		switch m := initcallLine.FindStringSubmatch(line); {
		case m != nil:
			functions = append(functions, m[1])
		case anyCall.MatchString(line) && !otherCall.MatchString(line):
			strange = append(strange, line)
		}
	}
	return functions, strange
}

func TestCallsOf(t *testing.T) {
	for _, test := range []struct {
		name, line        string
		function, strange string
	}{
		{"plain", "[    0.614701] calling  con_init+0x0/0x250 @ 0", "con_init", ""},
		{"carriage return", "[    0.6] calling  con_init+0x0/0x250 @ 0\r", "con_init", ""},
		{"caller", "[    0.614701][    T1] calling  a.b+0x0/0xb @ 1", "a.b", ""},
		{"level prefix", "<7>[    0.614701] calling  f+0x0/0xb @ 1", "f", ""},
		{"quirk", "[    2.1] pci 0000:00:00.0: calling  quirk+0x0/0x20 @ 1", "", ""},
		{"asynchronous", "[    2.1] calling  7_do_scan_async+0x0/0x20 @ 66", "", ""},
		{"return", "[    2.1] initcall f+0x0/0x20 returned 0 after 9 usecs", "", ""},
		{"torn tail", "[    2.1] calling  f+0x0/0x", "", "[    2.1] calling  f+0x0/0x"},
		{"no name", "[    2.1] calling  0xc0de @ 1", "", "[    2.1] calling  0xc0de @ 1"},
		{"printed again", "[    2.1] calling  f+0x0/0x9 @ 1\r\n[    2.1] calling  f+0x0/0x9 @ 1", "f", ""},
		{"called again", "[    2.1] calling  f+0x0/0x9 @ 1\n[    2.2] calling  f+0x0/0x9 @ 1", "f+f", ""},
		{
			"two in a line", "[    2.1] calling  f+0x0/0x9 @ 1[    2.2] calling  g+0x0/0x9 @ 1",
			"", "[    2.1] calling  f+0x0/0x9 @ 1[    2.2] calling  g+0x0/0x9 @ 1",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			functions, strange := callsOf(test.line + "\n")
			assert.Equal(t, test.function, strings.Join(functions, "+"))
			assert.Equal(t, test.strange, strings.Join(strange, "+"))
		})
	}
}
