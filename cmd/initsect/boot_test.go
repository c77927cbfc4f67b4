package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kernelFixtures are the fixtures that are whole kernels with a table that logs
// its calls.
func kernelFixtures(t *testing.T) map[string]string {
	t.Helper()
	kernels := fixtures(t)
	maps.DeleteFunc(kernels, func(path, _ string) bool {
		ext := filepath.Ext(path)
		return slices.Contains([]string{".o", ".a", ".ko", ".built-in"}, ext) || strings.HasSuffix(path, "vmlinux.o")
	})
	require.Greater(t, len(kernels), 20)
	return kernels
}

// logOf writes what a kernel would log that calls the rows of an expectation,
// one after the other, the nth for n µs.
func logOf(rows [][]string) string {
	var log strings.Builder
	for i, row := range rows {
		name, offset, inside := strings.Cut(row[5], "+0x")
		if !inside {
			offset = "0"
		}
		if row[5] == "-" {
			name = "0x" + row[4]
		} else {
			name += "+0x" + offset + "/0x40"
		}
		pid := 1
		switch row[1] {
		case "console":
			pid = 0
		case "deferred":
			pid = 30
		}
		fmt.Fprintf(&log, "[%5d.000000] calling  %s @ %d\n[%5d.%06d] initcall %s returned 0 after %d usecs\n", i+1, name, pid, i+1, i+1, name, i+1)
	}
	return log.String()
}

// Every call of a log that has the order of an expectation, which nm, objdump
// and readelf made, is joined with its row.
func TestBootFixtures(t *testing.T) {
	boot := compileSchema(t, "boot")
	for path, tsv := range kernelFixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			rows := readRows(t, tsv)
			if strings.Contains(path, "-rust-") { // a log has the names that the linker wrote
				_, raw, _ := initsect("list", "--no-demangle", "--format", "tsv", path)
				for i, line := range strings.Split(strings.TrimSpace(raw), "\n")[1:] {
					rows[i][5] = strings.Split(line, "\t")[5]
				}
			}
			if strings.Contains(path, "-lto-") { // which has that of the stub, where there is one
				for _, row := range rows {
					if stub, ok := strings.CutPrefix(row[8], "__initcall__"); ok && row[6] != "lto_names" {
						row[5] = "__initstub__" + stub
					}
				}
			}
			log := put(t, []byte(logOf(rows)))
			args := append([]string{"boot", log}, path)
			if p := fixtureArgs(path); len(p) > 1 {
				args = append(args, p[0], p[1])
			}
			doc := requireValid(t, boot, args...)
			calls := doc["calls"].([]any)
			require.Len(t, calls, len(rows))
			for i, c := range calls {
				call := c.(map[string]any)
				entry, ok := call["entry"].(map[string]any)
				require.True(t, ok, "%v", call)
				require.Equal(t, rows[i][0], fmt.Sprint(entry["order"]))
				require.Equal(t, fmt.Sprint(i+1), fmt.Sprint(call["duration_us"]))
				require.Equal(t, rows[i][2], call["level"])
			}
		})
	}
}

// What a document says is what its schema says, with and without an image.
func TestBootSchemas(t *testing.T) {
	boot, compare := compileSchema(t, "boot"), compileSchema(t, "bootcompare")
	logs, err := filepath.Glob("../../internal/bootlog/testdata/*.log")
	require.NoError(t, err)
	require.Len(t, logs, 3)
	for _, log := range logs {
		requireValid(t, boot, "boot", log)
	}
	requireValid(t, compare, "boot", "--compare", logs[0], logs[1])
	torn := put(t, []byte("calling  torn\n[    2.0] calling  7_f+0x0/0x20 @ 66\n[    2.5] async_continuing @ 1 after 5 usec\n"+
		"[    3.0] calling  a+0x0/0x1 [m] @ 9\nCalling user_initcall b group : g\n"))
	doc := requireValid(t, boot, "boot", torn)
	require.Len(t, doc["async"], 1)
	require.Len(t, doc["unended"], 1)
}

func TestBootStandardInput(t *testing.T) {
	text, err := os.ReadFile("../../internal/bootlog/testdata/deferred-6.12.log")
	require.NoError(t, err)
	_, want, _ := initsect("boot", "--format", "tsv", "../../internal/bootlog/testdata/deferred-6.12.log")
	var out, stderr strings.Builder
	require.Zero(t, run([]string{"boot", "--format", "tsv", "-"}, streams{in: strings.NewReader(string(text)), out: &out, err: &stderr}))
	require.Equal(t, want, out.String())
	require.Empty(t, stderr.String())
}
