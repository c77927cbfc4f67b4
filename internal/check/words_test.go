package check

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Sentences about no, one and many entries.
func TestNeverRun(t *testing.T) {
	require.Equal(t, "what was registered for it never runs", neverRun(nil))
	require.Equal(t, "1 entry (a) never runs", neverRun([]string{"a"}))
	require.Equal(t, "2 entries (a, b) never run", neverRun([]string{"a", "b"}))
	require.Equal(t, "4 entries (a, b, c and 1 more) never run", neverRun([]string{"a", "b", "c", "d"}))
}
