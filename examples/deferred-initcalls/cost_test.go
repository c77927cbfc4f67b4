//go:build deferred

package deferredinitcalls

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cost is a call of the document of `initsect boot`.
type cost struct {
	Kind      string
	Function  string
	Entry     *struct{ Order int }
	PID       int   `json:"pid"`
	Start     int64 `json:"start_us"`
	End       int64 `json:"end_us"`
	Took      int64 `json:"duration_us"`
	AfterUser bool  `json:"after_user_space"`
}

// costs runs `initsect boot` on the log of a variant, joined with the image of one.
func costs(t *testing.T, logOf, name, imageOf string) []cost {
	var doc struct {
		Calls     []cost
		NotCalled []any `json:"not_called"`
		Notes     []string
	}
	out, err := exec.Command(initsect, "boot", "--format", "json",
		filepath.Join(folder(logOf), name), filepath.Join(folder(imageOf), "vmlinux")).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &doc))
	require.Empty(t, doc.NotCalled)
	require.Empty(t, doc.Notes)
	for i, c := range doc.Calls {
		require.NotNil(t, c.Entry, "%s", c.Function)
		require.Equal(t, i+1, c.Entry.Order, "%s", c.Function)
	}
	return doc.Calls
}

// requireSpoken compares a call's figures with its two lines in the log.
func requireSpoken(t *testing.T, log string, c cost) {
	stamp := func(us int64) string { return fmt.Sprintf(`\[ *%d\.%06d\]`, us/1e6, us%1e6) }
	f := regexp.QuoteMeta(c.Function)
	require.Regexp(t, fmt.Sprintf(`(?m)%s calling  %s\+0x0/0x[0-9a-f]+ @ %d\r?$`, stamp(c.Start), f, c.PID), log)
	require.Regexp(t, fmt.Sprintf(`(?m)%s initcall %s\+0x0/0x[0-9a-f]+ returned -?\d+ after %d usecs\r?$`, stamp(c.End), f, c.Took), log)
}

// requireDeferred checks that the last calls of a boot are the deferred ones, after user space began.
func requireDeferred(t *testing.T, name string) {
	log, err := os.ReadFile(filepath.Join(folder("deferred"), name))
	require.NoError(t, err)
	calls := costs(t, "deferred", name, "deferred")
	n := len(calls) - len(deferred)
	for _, c := range calls[:n] {
		requireSpoken(t, string(log), c)
		assert.False(t, c.AfterUser, "%s", c.Function)
		assert.NotEqual(t, "deferred", c.Kind, "%s", c.Function)
	}
	for i, c := range calls[n:] {
		requireSpoken(t, string(log), c)
		assert.Equal(t, deferred[i], c.Function)
		assert.Equal(t, "deferred", c.Kind)
		assert.True(t, c.AfterUser)
		assert.Greater(t, c.PID, 1, "the reader's")
	}
}

// requireSaved checks that a comparison of the two variants finds what was deferred.
func requireSaved(t *testing.T) {
	out, err := exec.Command(initsect, "boot", "--compare", "--format", "json",
		filepath.Join(folder("original"), "boot.log"), filepath.Join(folder("deferred"), "boot.log")).Output()
	require.NoError(t, err)
	var doc struct {
		Calls []struct{ Change, Function string }
	}
	require.NoError(t, json.Unmarshal(out, &doc))
	var moved []string
	for _, c := range doc.Calls {
		if c.Change == "deferred" {
			moved = append(moved, c.Function)
		}
	}
	assert.Equal(t, deferred, moved)
}

// requireRefused checks that a log is not joined with the image of the other variant.
func requireRefused(t *testing.T, logOf, imageOf string) {
	out, err := exec.Command(initsect, "boot",
		filepath.Join(folder(logOf), "boot.log"), filepath.Join(folder(imageOf), "vmlinux")).Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(exit.Stderr), "the log is another kernel's")
	assert.Empty(t, out)
}
