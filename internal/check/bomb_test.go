package check

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The largest policies there can be, of what takes longest, are read and
// judged in no time that anybody would notice.
func TestLargePolicies(t *testing.T) {
	repeat := func(head, line string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len()+len(line)+8 < maxPolicy; i++ {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	data := modern().Build().Bytes()
	for what, text := range map[string]string{
		"functions":    repeat("version: 1\ndeferred:\n", "- {function: a%x, optional: true}\n"),
		"levels":       repeat("version: 1\nlevels:\n", " a%x: {level: 6, optional: true}\n"),
		"orders":       repeat("version: 1\norder:\n", "- {first: usb_init, then: probe_wait} #%x\n"),
		"suppressions": repeat("version: 1\nsuppress:\n", "- {rule: IS106, function: a%x, optional: true, reason: r}\n"),
		"keys":         "{" + strings.Repeat("a: 1, ", maxPolicy/6-2) + "}",
		"nested":       strings.Repeat("[", maxPolicy),
		"aliases":      "version: [&a a" + strings.Repeat(", *a", maxPolicy/4-8) + "]",
	} {
		t.Run(what, func(t *testing.T) {
			start := time.Now()
			p, err := ParsePolicy([]byte(text))
			if strings.HasPrefix(text, "version: 1") {
				require.NoError(t, err)
				_, err = judge(t, data, text, nil)
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				require.Nil(t, p)
			}
			require.Less(t, time.Since(start), 10*time.Second)
		})
	}
}
