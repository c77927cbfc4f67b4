package bootlog

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a log holds, reading it gives calls or an error, and everything that
// is done with calls can be done with them.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/amd64-6.12.log", "testdata/deferred-6.12.log", "testdata/trace-6.12.log"} {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Add(worked)
	f.Add("Calling initcall 0xc03d1a0a: a_init+0x0/0x10()\ninitcall 0xc03d1a0a: a_init+0x0/0x10() returned 0.\ninitcall 0xc03d1a0a ran for 3 msecs: a_init+0x0/0x10()\n")
	f.Add(" swapper/0-1 [000] ..... 1.043321: initcall_start: func=a+0x0/0x10\n swapper/0-1 [000] ..... 1.1: initcall_finish: func=a+0x0/0x10 ret=0\n")
	f.Add("[    2.0] calling  7_f+0x0/0x20 @ 66\n[    2.5] initcall 7_f+0x0/0x20 returned after 500000 usecs\ncalling  0xffffffff8338d2e0 @ 1\n")
	f.Add("Nov 21 23:10:01 host kernel: calling  b+0x0/0x9 @ 1[    1.2] initcall b+0x0/0x9 returned 0 after 7 usecs\r50%\r<7>7,1,2,-,caller=T1;calling  c+0x0/0x9 @ 1\n")
	k := kernel("console:console:con", "initcall:4:a", "initcall:6:init", "initcall:6:b", "initcall:7:init", "deferred:deferred:slow")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Read(strings.NewReader(text), Options{})
		if err != nil {
			require.Nil(t, l)
			return
		}
		require.NotEmpty(t, l.Calls)
		for i := range l.Calls {
			c := &l.Calls[i]
			require.NotEmpty(t, c.Status)
			if c.Status != Returned {
				require.False(t, c.End.Known || c.Code || c.Duration.Known)
			}
			require.LessOrEqual(t, c.Line, l.Lines)
			require.Positive(t, c.Line)
		}
		j := Alone(l)
		s := Summarize(j, SummaryOptions{})
		require.Equal(t, len(l.Calls), s.All.Calls)
		require.Equal(t, s.All.Calls, s.Boot.Calls+s.After.Calls)
		_, err = Compare(l, l, Thresholds{US: 1})
		require.NoError(t, err)
		if j, err := With(l, k); err == nil {
			Summarize(j, SummaryOptions{Gap: 1})
			require.Len(t, j.Calls, len(l.Calls))
			j.Notes()
		}
	})
}
