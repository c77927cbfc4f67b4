package kerneltest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// spoken is a call as the two lines of a log tell of it. Times are in microseconds.
type spoken struct {
	Function   string
	PID        int
	Start, End int64
	Took       int64
	Return     int
}

// Text of firmware may stand before the time: one of pSeries writes to the console while the kernel does.
var (
	calledLine   = regexp.MustCompile(`\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? calling  ([A-Za-z_][\w.$]*)\+0x0/0x[0-9a-f]+ @ (\d+)$`)
	returnedLine = regexp.MustCompile(
		`\[ *(\d+)\.(\d{6})\](?:\[ *[TC]\d+\])? initcall ([A-Za-z_][\w.$]*)\+0x0/0x[0-9a-f]+ returned (-?\d+) after (\d+) usecs$`)
)

// spokenOf returns the calls of a log in which one follows the other, each with its return.
func spokenOf(log string) ([]spoken, error) {
	var calls []spoken
	open := false
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		if m := calledLine.FindStringSubmatch(line); m != nil {
			if open {
				return nil, fmt.Errorf("a call within a call: %s", line)
			}
			calls = append(calls, spoken{Function: m[3], PID: int(decimalOf(m[4])), Start: decimalOf(m[1])*1e6 + decimalOf(m[2])})
			open = true
		}
		if m := returnedLine.FindStringSubmatch(line); m != nil {
			last := &calls[len(calls)-1]
			if !open || last.Function != m[3] {
				return nil, fmt.Errorf("a return from no call: %s", line)
			}
			last.End, last.Return, last.Took = decimalOf(m[1])*1e6+decimalOf(m[2]), int(decimalOf(m[4])), decimalOf(m[5])
			open = false
		}
	}
	return calls, nil
}

// decimalOf is for what a pattern has found to be one.
func decimalOf(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func TestSpokenOf(t *testing.T) {
	calls, err := spokenOf("[    1.000200] calling  f+0x0/0x9 @ 1\r\n[    1.1] pci: hello\r\n#1 SMP[    2.000001] initcall f+0x0/0x9 returned -19 after 34 usecs\r\n")
	assert.NoError(t, err)
	assert.Equal(t, []spoken{{"f", 1, 1_000_200, 2_000_001, 34, -19}}, calls)
	_, err = spokenOf("[    1.000200] calling  f+0x0/0x9 @ 1\n[    1.000201] calling  g+0x0/0x9 @ 1\n")
	assert.Error(t, err)
	_, err = spokenOf("[    1.000200] calling  f+0x0/0x9 @ 1\n[    2.000001] initcall g+0x0/0x9 returned 0 after 34 usecs\n")
	assert.Error(t, err)
}
