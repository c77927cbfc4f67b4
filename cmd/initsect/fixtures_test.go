package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const fixtureDir = "../../testdata/vmlinux-fixtures"

// fixtures returns the fixtures that have an expectation, by path. The
// expectations were made with nm, objdump and readelf.
func fixtures(t *testing.T) map[string]string {
	t.Helper()
	tsvs, err := filepath.Glob(filepath.Join(fixtureDir, "*.tsv"))
	require.NoError(t, err)
	require.Greater(t, len(tsvs), 45, "fixtures are missing")
	found := map[string]string{}
	for _, tsv := range tsvs {
		found[strings.TrimSuffix(tsv, ".tsv")] = tsv
	}
	return found
}

// fixtureArgs are the arguments that a fixture needs: a stripped one its map.
func fixtureArgs(path string) []string {
	if name, ok := strings.CutSuffix(path, ".stripped"); ok {
		return []string{"--map", name + ".map", path}
	}
	return []string{path}
}

// initsect runs the command as a user would.
func initsect(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(args, streams{in: strings.NewReader(""), out: &out, err: &err})
	return status, out.String(), err.String()
}

func TestListFixtures(t *testing.T) {
	for path, tsv := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, err := os.ReadFile(tsv)
			require.NoError(t, err)
			status, stdout, stderr := initsect(append([]string{"list", "--format", "tsv"}, fixtureArgs(path)...)...)
			require.Empty(t, stderr)
			require.Zero(t, status)
			require.Equal(t, string(want), stdout)
		})
	}
}

// A map given beside a symbol table changes nothing but where the names are
// said to come from.
func TestMapBesideSymtab(t *testing.T) {
	maps, err := filepath.Glob(filepath.Join(fixtureDir, "*.stripped"))
	require.NoError(t, err)
	require.NotEmpty(t, maps)
	for _, stripped := range maps {
		image := strings.TrimSuffix(stripped, ".stripped")
		want, err := os.ReadFile(image + ".tsv")
		require.NoError(t, err)
		status, stdout, stderr := initsect("list", "--format", "tsv", "--map", image+".map", image)
		require.Empty(t, stderr)
		require.Zero(t, status)
		require.Equal(t, string(want), stdout)
	}
}
