package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
)

// testKernel is sound until a test spoils it.
func testKernel() *fixture.Image {
	k := fixture.Kernel{
		Arch: fixture.Arch{Class64: true, Machine: 62}, Encoding: fixture.Prel32, Era: fixture.PerLevel, Kmod: true,
		Deferred: fixture.Original,
	}
	for i, level := range strings.Fields("early 0 1 2 3 4 5 rootfs 6 6s 7") {
		k.Calls = append(k.Calls, fixture.Call{
			Table: "initcall", Level: level, Func: fmt.Sprintf("driver_%c_init", 'a'+i), Module: "m", Line: 10 + i,
		})
	}
	k.Calls = append(k.Calls, fixture.Call{Table: "deferred", Func: "slow_init"})
	return k.Build()
}

// put writes the bytes of a file, and returns its path.
func put(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vmlinux")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// Bounds of what a refusal may cost: most is what the reader of ELF headers
// takes for the headers, and what Go's runtime takes for anything at all.
const (
	maxSeconds  = 5
	allocFactor = 8
	allocFixed  = 4 << 20
)

// refused runs every command that reads an image. Each must exit with status 2,
// an empty standard output and one line on standard error that names the file,
// soon and without much memory. It returns what list said.
func refused(t *testing.T, path string, words ...string) string {
	t.Helper()
	size := int64(0)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	var said string
	for _, args := range [][]string{{"show", path, "driver_a_init"}, {"sections", path}, {"list", path}} {
		status, stdout, stderr := bounded(t, int(size), args...)
		require.Equal(t, 2, status, "%s: %s", args[0], stderr)
		require.Empty(t, stdout)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "%q", stderr)
		require.True(t, strings.HasPrefix(stderr, "initsect: "+path+": ") && strings.HasSuffix(stderr, "\n"), "%q", stderr)
		require.Equal(t, 1, strings.Count(stderr, path), "%q", stderr)
		said = stderr
	}
	for _, w := range words {
		require.Contains(t, said, w)
	}
	return said
}

// bounded runs a command on a file of so many bytes, within the bounds.
func bounded(t *testing.T, size int, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	status, stdout, stderr = initsect(args...)
	seconds := time.Since(start).Seconds()
	runtime.ReadMemStats(&after)
	require.Less(t, seconds, float64(maxSeconds), "%s: %.300s", args[0], stderr)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(allocFactor*size+allocFixed), "%s: %.300s", args[0], stderr)
	return status, stdout, stderr
}

func TestNoImage(t *testing.T) {
	dir := t.TempDir()
	refused(t, dir, "is a directory")
	refused(t, filepath.Join(dir, "nope"), "no such file")
	refused(t, os.DevNull, "device")
	refused(t, put(t, nil), "empty file")
	refused(t, put(t, []byte("\x7fEL")), "kernel")
	refused(t, put(t, []byte("#!/bin/sh\necho hello\n")), "text file")
	refused(t, put(t, []byte("\x7fELF")), "malformed")
	refused(t, put(t, make([]byte, 1<<20)), "kernel")
	refused(t, put(t, []byte("BC\xc0\xde and so on")), "kernel")
}

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	write := func(data []byte) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write(data)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			panic(err)
		}
	}
	go write([]byte("nothing useful"))
	status, stdout, stderr := initsect("list", path)
	require.Equal(t, 2, status)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "kernel")

	data := testKernel().Bytes()
	_, want, _ := initsect("list", "--format", "tsv", put(t, data))
	go write(data)
	status, stdout, stderr = initsect("list", "--format", "tsv", path)
	require.Zero(t, status, stderr)
	require.Equal(t, want, stdout)
}

// A kernel is no program, and a program no kernel.
func TestUserProgram(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	said := refused(t, self)
	require.True(t, strings.Contains(said, "no table of initcalls") || strings.Contains(said, "no symbol table"), said)
}

// Cut off anywhere, a file is refused, or listed as if it were whole, if what
// is missing is of no account.
func TestTruncated(t *testing.T) {
	files := map[string][]byte{"built": testKernel().Bytes()}
	for _, name := range []string{"amd64-prel32-6.12", "arm64-rela-4.14", "ppc64-opd-6.1", "amd64-dummy.ko", "arm-absolute-6.1.o", "amd64-prel32-6.12.built-in.a"} {
		data, err := os.ReadFile(filepath.Join(fixtureDir, name))
		require.NoError(t, err)
		files[name] = data
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			path := put(t, data)
			status, want, stderr := initsect("list", "--format", "tsv", path)
			require.Zero(t, status, stderr)
			step := len(data)/2000 + 1
			for n := len(data) - 1; n >= 0; n -= step {
				require.NoError(t, os.Truncate(path, int64(n)))
				status, stdout, stderr := initsect("list", "--format", "tsv", path)
				if status == 0 {
					require.Equal(t, want, stdout, "%d of %d bytes", n, len(data))
					require.Empty(t, stderr)
					continue
				}
				require.Equal(t, 2, status)
				require.Empty(t, stdout)
				require.Equal(t, 1, strings.Count(stderr, "\n"), "%q", stderr)
			}
		})
	}
}

// What comes on standard input is bad in the same ways.
func TestBadStandardInput(t *testing.T) {
	for _, in := range []io.Reader{strings.NewReader(""), strings.NewReader("hello"), failing{}} {
		var out, err strings.Builder
		require.Equal(t, 2, run([]string{"list", "-"}, streams{in: in, out: &out, err: &err}))
		require.Empty(t, out.String())
		require.Equal(t, 1, strings.Count(err.String(), "\n"))
		require.Contains(t, err.String(), "standard input")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A result that cannot be written is trouble too.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	var stderr strings.Builder
	require.Equal(t, 2, run([]string{"list", put(t, testKernel().Bytes())}, streams{out: full, err: &stderr}))
	require.Contains(t, stderr.String(), "no space left")
}

// Archives are refused as a whole if one member cannot be read.
func TestBadArchives(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(fixtureDir, "amd64-prel32-6.12.built-in.a"))
	require.NoError(t, err)
	thin, err := os.ReadFile(filepath.Join(fixtureDir, "amd64-prel32-6.12.built-in.thin.a"))
	require.NoError(t, err)
	size := strings.Index(string(whole), "core.o/") + 48 // of that member, ten digits
	spoilt := func(at int, text string) []byte {
		data := slices.Clone(whole)
		copy(data[at:], text)
		return data
	}
	refused(t, put(t, whole[:len(whole)/2]), "archive")
	refused(t, put(t, whole[:20]), "archive", "cut off")
	refused(t, put(t, spoilt(size, "9999999999")), "archive")
	refused(t, put(t, spoilt(size, "12        ")), "archive")
	refused(t, put(t, spoilt(size+12, "BC\xc0\xde")), "archive", "core.o", "not an ELF file")
	refused(t, put(t, spoilt(size+12, "!<arch>\n")), "archive", "core.o", "not an ELF file")

	var out, stderr strings.Builder // its members are not where it is
	require.Equal(t, 2, run([]string{"list", put(t, thin)}, streams{out: &out, err: &stderr}))
	require.Empty(t, out.String())
	require.Contains(t, stderr.String(), "no such file")
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
}
