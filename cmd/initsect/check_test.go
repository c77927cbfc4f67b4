package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/render"
)

func TestCheckStatus(t *testing.T) {
	sound, lost := put(t, fixture.Sound().Bytes()), put(t, fixture.Lost().Bytes())
	spoilt := put(t, fixture.Sound().Bytes()[:1000])
	for _, f := range render.ForCheck {
		status, stdout, stderr := initsect("check", "--format", string(f), sound)
		require.Zero(t, status, stderr)
		require.NotEmpty(t, stdout, f)
		require.Empty(t, stderr)
		status, stdout, stderr = initsect("check", "--format", string(f), lost)
		require.Equal(t, 1, status, stderr)
		require.NotEmpty(t, stdout, f)
		require.Empty(t, stderr)
		status, stdout, stderr = initsect("check", "--format", string(f), spoilt)
		require.Equal(t, 2, status)
		require.Empty(t, stdout, f)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

func TestCheckSchemas(t *testing.T) {
	schema := compileSchema(t, "check")
	for path := range fixtures(t) {
		args := append([]string{"check"}, fixtureArgs(path)...)
		status, stdout, stderr := initsect(append(args, "--fail-on", "never", "--format", "json")...)
		require.Zero(t, status, stderr)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(doc), path)
	}
	status, stdout, _ := initsect("check", "--list-rules", "--format", "json")
	require.Zero(t, status)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
	require.NoError(t, err)
	require.NoError(t, compileSchema(t, "rules").Validate(doc))
}

// Nothing is written when one of the files cannot be, and what was there stays
// as it was.
func TestOutputsAreWholeOrNotAtAll(t *testing.T) {
	dir, image := t.TempDir(), put(t, fixture.Lost().Bytes())
	old := filepath.Join(dir, "old.sarif")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o600))
	for _, bad := range []string{filepath.Join(dir, "nope", "x.xml"), dir} {
		status, stdout, stderr := initsect("check", "--output", "sarif="+old, "--output", "junit="+bad, "--output", "text", image)
		require.Equal(t, 2, status)
		require.Empty(t, stdout)
		require.True(t, strings.HasPrefix(stderr, "initsect: "+bad+": "), stderr)
		require.Equal(t, 1, strings.Count(stderr, bad), "the file's name once: %s", stderr)
		text, err := os.ReadFile(old)
		require.NoError(t, err)
		require.Equal(t, "old", string(text))
		left, err := filepath.Glob(filepath.Join(dir, ".*"))
		require.NoError(t, err)
		require.Empty(t, left, "temporary files")
	}
}

// A new file has the permissions that any new file has; one that is replaced
// keeps its own, and a link stays a link.
func TestOutputPermissions(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir, image := t.TempDir(), put(t, fixture.Sound().Bytes())
	report, private, link := filepath.Join(dir, "new"), filepath.Join(dir, "private"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(private, nil, 0o600))
	require.NoError(t, os.Symlink("private", link))
	status, _, stderr := initsect("check", "--output", "json="+report, "--output", "tsv="+link, image)
	require.Zero(t, status, stderr)
	for path, want := range map[string]os.FileMode{report: 0o640, private: 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
		require.NotZero(t, info.Size())
	}
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, "private", target)
}

// What is no regular file is written to, not replaced. (A pipe stands for
// devices, which a test must not risk.)
func TestOutputToAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	r, err := os.OpenFile(pipe, os.O_RDWR, 0) // does not wait for a writer
	require.NoError(t, err)
	defer r.Close()
	status, _, stderr := initsect("check", "--output", "github="+pipe, put(t, fixture.Sound().Bytes()))
	require.Zero(t, status, stderr)
	info, err := os.Lstat(pipe)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeNamedPipe)
	got := make([]byte, 100)
	n, err := r.Read(got)
	require.NoError(t, err)
	require.Contains(t, string(got[:n]), "initsect check: passed: ")
}

// The image is never written over.
func TestOutputOverAnInput(t *testing.T) {
	image := put(t, fixture.Sound().Bytes())
	for _, flag := range []string{"--output=json=" + image, "--output=json=" + filepath.Dir(image) + "/./vmlinux", "--write-baseline=" + image} {
		status, stdout, stderr := initsect("check", flag, image)
		require.Equal(t, 2, status)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "would be written over")
		data, err := os.ReadFile(image)
		require.NoError(t, err)
		require.Equal(t, fixture.Sound().Bytes(), data)
	}
}

// A baseline of what was found lets it pass, and says what was mended.
func TestBaselines(t *testing.T) {
	base, lost, sound := filepath.Join(t.TempDir(), "base.json"), put(t, fixture.Lost().Bytes()), put(t, fixture.Sound().Bytes())
	status, _, stderr := initsect("check", "--write-baseline", base, lost)
	require.Equal(t, 1, status, stderr)
	status, stdout, stderr := initsect("check", "--baseline", base, lost)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "; 1 known\n")
	status, stdout, _ = initsect("check", "--baseline", base, sound)
	require.Zero(t, status)
	require.Contains(t, stdout, "IS107, lost_init, lost")
	require.Contains(t, stdout, "; 1 fixed\n")
}

func TestPolicies(t *testing.T) {
	dir, lost := t.TempDir(), put(t, fixture.Lost().Bytes())
	policy := filepath.Join(dir, "policy.yaml")
	write := func(format string, args ...any) {
		require.NoError(t, os.WriteFile(policy, fmt.Appendf(nil, format, args...), 0o600))
	}
	write("version: 1\nsuppress:\n  - {rule: IS107, function: lost_init, reason: a test}\n")
	status, stdout, stderr := initsect("check", "--policy", policy, lost)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "suppressed: a test")

	write("version: 1\nlevels:\n  bus_init: 5\n")
	status, stdout, stderr = initsect("check", "--policy", policy, "--format", "tsv", lost)
	require.Equal(t, 1, status, stderr)
	require.Contains(t, stdout, "\tIS303\t")

	write("version: 2\n")
	status, stdout, stderr = initsect("check", "--policy", policy, lost)
	require.Equal(t, 2, status)
	require.Empty(t, stdout)
	require.True(t, strings.HasPrefix(stderr, "initsect: "+policy+": line 1, column "), stderr)

	// The document of a frozen level is found from the policy's folder.
	k := fixture.Kernel{
		Arch: fixture.Arch{Class64: true, Machine: 62}, Encoding: fixture.Prel32, Era: fixture.PerLevel, Kmod: true,
		Calls: []fixture.Call{{Table: "initcall", Level: "4", Func: "bus_init", Module: "bus", Line: 7}},
	}
	_, listed, _ := initsect("list", "--format", "json", put(t, k.Build().Bytes()))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "saved.json"), []byte(listed), 0o600))
	write("version: 1\nfrozen:\n  baseline: saved.json\n  levels: [6]\n")
	status, stdout, stderr = initsect("check", "--policy", policy, "--format", "tsv", lost)
	require.Equal(t, 1, status, stderr)
	require.Contains(t, stdout, "\tIS305\tnew-in-level\tdriver_init\t")
	write("version: 1\nfrozen:\n  baseline: none.json\n  levels: [6]\n")
	status, _, stderr = initsect("check", "--policy", policy, lost)
	require.Equal(t, 2, status)
	require.Contains(t, stderr, "none.json: no such file")
}

func TestOutputFlag(t *testing.T) {
	var value []output
	f := &outputFlag{&value, render.ForCheck}
	for _, s := range []string{"text", "sarif=a=b", "junit=-"} {
		require.NoError(t, f.Set(s))
	}
	require.Equal(t, []output{{render.Text, ""}, {render.SARIF, "a=b"}, {render.JUnit, ""}}, value)
	require.ErrorContains(t, f.Set("xml=a"), "want one of text, tsv, csv, json, markdown, sarif, junit, github")
	require.ErrorContains(t, f.Set("json="), "no file")
	require.Len(t, value, 3, "bad values must not stay")

	require.ErrorContains(t, distinct(value), "only one format")
	require.NoError(t, distinct(value[:2]))
	require.ErrorContains(t, distinct([]output{{render.JSON, "a"}, {render.CSV, "./a"}}), "same file ./a")
}
