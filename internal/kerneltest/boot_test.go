//go:build kernels

package kerneltest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// booted is what is compared of the document of `initsect boot`.
type booted struct {
	Log struct {
		Unreadable int `json:"unreadable_lines"`
		Mended     int `json:"mended_lines"`
	} `json:"log"`
	Calls []struct {
		Kind     string
		Function string
		Entry    *struct{ Order int }
		PID      int   `json:"pid"`
		Start    int64 `json:"start_us"`
		End      int64 `json:"end_us"`
		Took     int64 `json:"duration_us"`
		Return   int
		Status   string
	}
	NotCalled []any `json:"not_called"`
	Notes     []string
}

// boots runs `initsect boot`.
func boots(t *testing.T, initsect, log, image string) (doc booted, stderr string, status int) {
	var out, messages bytes.Buffer
	command := exec.Command(initsect, "boot", "--format", "json", log, image)
	command.Stdout, command.Stderr = &out, &messages
	_ = command.Run()
	if out.Len() > 0 {
		require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	}
	return doc, messages.String(), command.ProcessState.ExitCode()
}

// explained fails the test unless every call of a boot is that of the entry whose turn it is, and
// every figure that of the log's own lines. It returns the number of calls.
func explained(t *testing.T, initsect, log, image string) int {
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	want, err := spokenOf(string(text))
	require.NoError(t, err)
	require.NotEmpty(t, want)
	doc, stderr, status := boots(t, initsect, log, image)
	require.Equal(t, 0, status, "%s", stderr)
	require.Len(t, doc.Calls, len(want))
	for i, c := range doc.Calls {
		require.NotNil(t, c.Entry, "%s", c.Function)
		require.Equal(t, i+1, c.Entry.Order, "%s", c.Function)
		require.Equal(t, "returned", c.Status)
		if c.PID == 0 {
			require.Equal(t, "console", c.Kind)
		}
		require.Equal(t, want[i], spoken{c.Function, c.PID, c.Start, c.End, c.Took, c.Return})
	}
	require.Empty(t, doc.NotCalled)
	for _, note := range doc.Notes { // the only one that a boot image without the entries' symbols may have
		require.Equal(t, "sync levels are not told from their base levels", note)
	}
	require.Zero(t, doc.Log.Unreadable+doc.Log.Mended)
	return len(doc.Calls)
}

// refused fails the test unless the log of another kernel is refused, with its banner and without.
func refused(t *testing.T, initsect, log, otherImage string) {
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	var bare strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "Linux version ") {
			bare.WriteString(line)
		}
	}
	nameless := filepath.Join(t.TempDir(), "boot.log")
	require.NoError(t, os.WriteFile(nameless, []byte(bare.String()), 0o644))
	for _, log := range []string{log, nameless} {
		_, stderr, status := boots(t, initsect, log, otherImage)
		require.Equal(t, 2, status, "%s joined with %s", log, otherImage)
		require.Contains(t, stderr, "the log is another kernel's")
		t.Log(stderr)
	}
}
