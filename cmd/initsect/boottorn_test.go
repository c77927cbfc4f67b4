package main

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tear spoils some lines of a log, as a slow serial line, a full buffer and
// other writers do.
func tear(rng *rand.Rand, log string, most int) string {
	lines := strings.SplitAfter(log, "\n")
	for range 1 + rng.IntN(most) {
		i := rng.IntN(len(lines))
		if len(lines[i]) < 2 {
			continue
		}
		at := rng.IntN(len(lines[i]))
		switch rng.IntN(6) {
		case 0: // lost
			lines[i] = ""
		case 1: // cut
			lines[i] = lines[i][:at] + "\n"
		case 2: // another writer
			lines[i] = lines[i][:at] + "[  OK  ] Started it.\n" + lines[i][at:]
		case 3: // a letter lost
			lines[i] = lines[i][:at] + lines[i][at+1:]
		case 4: // two lines in one
			lines[i] = strings.TrimSuffix(lines[i], "\n")
		case 5: // said twice
			lines[i] += lines[i]
		}
	}
	return strings.Join(lines, "")
}

// However a log is torn: no call is joined with another's entry. The nth call
// of these logs begins n seconds after the boot, and takes n µs. A digit of one
// of the two may be lost.
func TestTornLogs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"amd64-prel32-6.12", "amd64-absolute-2.6.28", "arm64-prel32-6.12"} {
		path := filepath.Join(fixtureDir, name)
		whole := logOf(readRows(t, path+".tsv"))
		joined, refusals := 0, 0
		for range 150 {
			log := put(t, []byte(tear(rng, whole, 12)))
			status, tsv, stderr := initsect("boot", "--format", "tsv", log, path)
			if status != 0 {
				require.Equal(t, 2, status)
				require.Contains(t, stderr, "the log is another kernel's")
				refusals++
				continue
			}
			for row := range strings.Lines(tsv) {
				field := strings.Split(row, "\t")
				order, start, took := field[1], field[8], field[9]
				if field[0] == "call" || field[0] == "-" || order == "-" || strings.HasSuffix(row, "yes\n") {
					continue // no call, no entry, or one that is said to be doubtful
				}
				joined++
				seconds := strings.TrimSuffix(start, "000000")
				if start+took != "--" && seconds != order && took != order {
					t.Errorf("%s: joined with the wrong entry:\n%s\n%s", name, row, tsv)
				}
			}
		}
		require.Greater(t, joined, 100*30)
		require.Less(t, refusals, 75)
		t.Logf("%s: %d joined, %d logs refused", name, joined, refusals)
	}
}
