package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sharing are the fixtures of kernels whose port of the deferred initcalls puts
// them into .init.data, or .init, among other things (README.md there).
var sharing = map[string]bool{
	"amd64-ports-3.10": true, "arm-lg-3.10.27": true, "arm-sony-3.0.27": true, "arm64-samsung-3.10.61": true,
}

// Nothing is wrong with the fixtures of list, but for deferred tables that have
// no section of their own.
func TestCheckFixtures(t *testing.T) {
	for path := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			status, stdout, stderr := initsect(append([]string{"check", "--format", "json"}, fixtureArgs(path)...)...)
			require.Empty(t, stderr)
			var doc struct {
				Findings []struct{ Rule, Severity string } `json:"findings"`
			}
			require.NoError(t, json.Unmarshal([]byte(stdout), &doc))
			var wrong []string
			for _, f := range doc.Findings {
				if f.Severity == "error" {
					wrong = append(wrong, f.Rule)
				}
			}
			if sharing[filepath.Base(path)] {
				require.Equal(t, 1, status)
				require.Equal(t, []string{"IS202"}, wrong)
				return
			}
			require.Empty(t, wrong)
			require.Zero(t, status)
		})
	}
}
