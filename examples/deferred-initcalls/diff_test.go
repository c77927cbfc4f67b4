//go:build deferred

package deferredinitcalls

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDiff compares the kernel before and after: what the patch says is all that changed. Three initcalls
// moved, the file in /proc got one, and there is a table more.
func TestDiff(t *testing.T) {
	run(t, "./build", "original", "deferred")
	original, image := filepath.Join(folder("original"), "vmlinux"), filepath.Join(folder("deferred"), "vmlinux")
	want := [][]string{
		{"table", "presence", "deferred", "-", "deferred", "-"},
		{"added", "deferred_initcalls_init", "-", "-", "initcall", "5"},
	}
	for _, f := range deferred {
		want = append(want, []string{"moved", f, "initcall", "6", "deferred", "deferred"})
	}
	rows, status := diff(t, original, image)
	assert.Equal(t, want, rows)
	assert.Equal(t, 1, status)

	for i := range want { // the other way round
		was := want[i]
		want[i] = []string{was[0], was[1], was[4], was[5], was[2], was[3]}
	}
	want[1][0] = "removed"
	rows, status = diff(t, image, original)
	assert.ElementsMatch(t, want, rows)
	assert.Equal(t, 1, status)

	rows, status = diff(t, "--fail-on", "removed,reordered,renamed", original, image)
	assert.Len(t, rows, len(want))
	assert.Equal(t, 0, status)
	rows, status = diff(t, image, image)
	assert.Empty(t, rows)
	assert.Equal(t, 0, status)
}

// diff runs `initsect diff --format tsv` and returns of each row kind, name, and old and new table and level.
func diff(t *testing.T, args ...string) (rows [][]string, status int) {
	cmd := exec.Command(initsect, append([]string{"diff", "--format", "tsv"}, args...)...)
	out, _ := cmd.Output()
	require.NotNil(t, cmd.ProcessState)
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	require.Equal(t, "kind\tname\tmodule\told_table\told_level\told_order\told_line\t"+
		"new_table\tnew_level\tnew_order\tnew_line\told_value\tnew_value", lines[0])
	for _, line := range lines[1:] {
		f := strings.Split(line, "\t")
		require.Len(t, f, 13, "%s", line)
		rows = append(rows, []string{f[0], f[1], f[3], f[4], f[7], f[8]})
	}
	return rows, cmd.ProcessState.ExitCode()
}
