package check

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

const fixtureDir = "../../testdata/vmlinux-fixtures"

// Whatever an image holds, it is judged or refused, and one of which nothing bad
// is said can be listed.
func FuzzRun(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(fixtureDir, "*"))
	require.NoError(f, err)
	seeds := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err == nil && bytes.HasPrefix(data, []byte("\x7fELF")) {
			f.Add(data)
			seeds++
		}
	}
	require.Greater(f, seeds, 30)
	f.Fuzz(func(t *testing.T, data []byte) {
		im, err := elfscan.OpenBytes("-", data, elfscan.Options{})
		if err != nil {
			return
		}
		defer im.Close()
		s, err := im.Survey(elfscan.ListOptions{})
		if err != nil {
			return
		}
		r, err := Run(im, s, Options{})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		for _, f := range r.Findings {
			require.Contains(t, Rules, f.Rule)
			require.Contains(t, Severities, f.Severity)
			require.NotEmpty(t, f.Message)
			require.Equal(t, New, f.Status)
		}
		if len(r.Findings) == 0 {
			_, err := im.List(elfscan.ListOptions{})
			require.NoError(t, err)
		}
	})
}

// IDs and names are unique and in order: they are what policies and baselines
// refer to.
func TestRules(t *testing.T) {
	var ids, names []string
	for _, r := range Rules {
		ids, names = append(ids, r.ID), append(names, r.Name)
		require.Regexp(t, `^IS[0-9]{3}$`, r.ID)
		require.Contains(t, Severities, r.Severity)
		require.False(t, strings.HasSuffix(r.Title, "."), r.Title)
	}
	require.True(t, slices.IsSorted(ids))
	slices.Sort(names)
	require.Len(t, slices.Compact(ids), len(Rules))
	require.Len(t, slices.Compact(names), len(Rules))
}
