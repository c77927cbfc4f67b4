package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// diffs are pairs of fixtures: of one era and of several, with what one side
// does not know, of vendors, and not linked.
var diffs = [][2]string{
	{"amd64-prel32-6.12", "amd64-prel32-6.12"},
	{"amd64-lto-6.12", "amd64-prel32-6.12"},
	{"amd64-prel32-6.12", "arm64-prel32-6.12"},
	{"i386-absolute-2.6.24", "i386-prel32-6.1"},
	{"amd64-absolute-4.10", "amd64-prel32-6.12"},
	{"arm-lg-3.10.27", "arm-sony-3.0.27"},
	{"amd64-prel32-6.12.o", "amd64-prel32-6.12.vmlinux.o"},
	{"amd64-dummy.ko", "arm-dummy.ko"},
}

// The document is as its schema says, the exit status is what it counts, and
// status and figures are the same in each format.
func TestDiffDocuments(t *testing.T) {
	schema := compileSchema(t, "diff")
	for _, pair := range diffs {
		t.Run(pair[0]+" "+pair[1], func(t *testing.T) {
			args := []string{"diff", filepath.Join(fixtureDir, pair[0]), filepath.Join(fixtureDir, pair[1])}
			status, stdout, stderr := initsect(append(args, "--format", "json")...)
			require.Empty(t, stderr)
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(doc))
			differ := 0
			if pair[0] != pair[1] {
				differ = exitFound
			}
			require.Equal(t, differ, status)

			changes := len(doc.(map[string]any)["changes"].([]any))
			facts := len(doc.(map[string]any)["facts"].([]any))
			levels := len(doc.(map[string]any)["levels"].([]any))
			for _, format := range []string{"text", "tsv", "csv", "markdown"} {
				status, stdout, stderr := initsect(append(args, "--format", format)...)
				require.Empty(t, stderr)
				require.Equal(t, differ, status, format)
				if format == "tsv" || format == "csv" {
					require.Equal(t, 1+changes+facts, strings.Count(stdout, "\n"), format)
				}
				status, stdout, stderr = initsect(append(args, "--format", format, "--stat")...)
				require.Empty(t, stderr)
				require.Equal(t, differ, status, format)
				if format == "tsv" || format == "csv" {
					require.Equal(t, 1+levels+1, strings.Count(stdout, "\n"), format)
				}
			}
		})
	}
}

// Trouble is status 2, and not to be taken for a difference.
func TestDiffTrouble(t *testing.T) {
	image := filepath.Join(fixtureDir, "amd64-prel32-6.12")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for _, args := range [][]string{
		{image},
		{image, "no-such-file"},
		{"no-such-file", image},
		{image, empty},
		{image, filepath.Join(fixtureDir, "amd64-prel32-6.12.map")},
		{image, filepath.Join(fixtureDir, "riscv64-zero-6.12")},
		{"--only", "nothing", image, image},
	} {
		status, stdout, stderr := initsect(append([]string{"diff"}, args...)...)
		require.Equal(t, exitTrouble, status, "%v", args)
		require.Empty(t, stdout, "%v", args)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "%v: %s", args, stderr)
	}
}

// Either side may be a stream that can be read once only.
func TestDiffPipes(t *testing.T) {
	image := filepath.Join(fixtureDir, "amd64-prel32-6.12")
	status, list, _ := initsect("list", "--format", "json", image)
	require.Zero(t, status)
	bytes, err := os.ReadFile(image)
	require.NoError(t, err)
	for name, text := range map[string]string{"image": string(bytes), "document": list} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer r.Close()
			go func() {
				defer w.Close()
				_, _ = w.WriteString(text)
			}()
			status, stdout, stderr := initsect("diff", image, "/dev/fd/"+strconv.Itoa(int(r.Fd())))
			require.Empty(t, stderr)
			require.Zero(t, status)
			require.Contains(t, stdout, "40 initcalls: no difference\n")
		})
	}
}
