package filemap_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/filemap"
)

// pattern is n bytes of which no two pages are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func put(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// Every way to open a file serves the same bytes, small ranges and large ones,
// at odd offsets and up to the end.
func TestBytes(t *testing.T) {
	want := pattern(300 << 10)
	fromDisk, err := filemap.Open(put(t, want))
	require.NoError(t, err)
	padded, err := filemap.Open(put(t, append(append(pattern(777), want...), "tail"...)))
	require.NoError(t, err)
	part, err := padded.Part(777, int64(len(want)))
	require.NoError(t, err)
	partOfPart, err := padded.Part(700, int64(len(want))+80)
	require.NoError(t, err)
	partOfPart, err = partOfPart.Part(77, int64(len(want)))
	require.NoError(t, err)
	stream, err := filemap.Read(bytes.NewReader(want))
	require.NoError(t, err)
	unsized, err := filemap.OpenStream(put(t, want))
	require.NoError(t, err)
	for name, f := range map[string]*filemap.File{
		"disk": fromDisk, "part": part, "part of a part": partOfPart,
		"memory": filemap.FromBytes(want), "stream": stream, "stream of a path": unsized,
	} {
		t.Run(name, func(t *testing.T) {
			require.EqualValues(t, len(want), f.Size())
			for _, r := range [][2]int64{{0, 1}, {0, 100}, {1, 70000}, {4095, 2}, {4096, 66000}, {5000, 200000}, {0, f.Size()}, {f.Size() - 1, 1}, {f.Size(), 0}} {
				b, err := f.Bytes(r[0], r[1])
				require.NoError(t, err)
				require.True(t, bytes.Equal(want[r[0]:r[0]+r[1]], b), "%v", r)
				require.Equal(t, len(b), cap(b), "nobody can append into the file")
				copied := make([]byte, r[1])
				_, err = f.ReadAt(copied, r[0])
				require.True(t, err == nil || r[1] == 0, "%v: %v", r, err)
				require.True(t, bytes.Equal(want[r[0]:r[0]+r[1]], copied))
			}
			const most = 1<<63 - 1
			for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, f.Size() + 1}, {f.Size(), 1}, {f.Size() + 1, 0}, {most, 1}, {1, most}, {most, most}} {
				_, err := f.Bytes(r[0], r[1])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%v", r)
				_, err = f.Part(r[0], r[1])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%v", r)
			}
			_, err := f.ReadAt(make([]byte, 10), f.Size()-5)
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, f.CheckUnchanged())
		})
	}
	require.NoError(t, fromDisk.Close())
	require.NoError(t, part.Close())
	require.NoError(t, padded.Close())
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for path, words := range map[string]string{
		dir:                         "is a directory",
		filepath.Join(dir, "nope"):  "no such file",
		os.DevNull:                  "is a device",
		filepath.Join(dir, "a\x00"): "invalid",
	} {
		f, err := filemap.Open(path)
		require.ErrorContains(t, err, words)
		require.Nil(t, f)
	}
	_, err := filemap.OpenStream(dir)
	require.Error(t, err)
	_, err = filemap.Read(failing{})
	require.ErrorIs(t, err, errBroken)
}

var errBroken = errors.New("broken pipe")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// A file may shrink while it is mapped. Reading what is gone is a fault, and
// the guard makes it an error of the function that did so.
func TestShrunkFile(t *testing.T) {
	data := pattern(1 << 20)
	path := put(t, data)
	f, err := filemap.Open(path)
	require.NoError(t, err)
	defer f.Close()
	b, err := f.Bytes(0, f.Size())
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 100))

	require.ErrorIs(t, sum(b), filemap.ErrChanged)
	require.NoError(t, sum(b[:100]))
	require.ErrorIs(t, f.CheckUnchanged(), filemap.ErrChanged)
	_, err = f.Bytes(200, 50) // is copied
	require.ErrorIs(t, err, filemap.ErrChanged)
	_, err = f.ReadAt(make([]byte, 50), 200)
	require.Error(t, err)
}

// sum reads every byte.
func sum(b []byte) (err error) {
	defer filemap.Guard(&err)()
	n := 0
	for _, c := range b {
		n += int(c)
	}
	if n < 0 {
		return errBroken
	}
	return nil
}

// The guard is for faults alone: a bug must crash and an error must pass.
func TestGuardPassesOthers(t *testing.T) {
	require.PanicsWithValue(t, "bug", func() {
		var err error
		defer filemap.Guard(&err)()
		panic("bug")
	})
	require.Panics(t, func() {
		var err error
		defer filemap.Guard(&err)()
		_ = pattern(1)[len(os.Args)+5]
	})
	err := func() (err error) {
		defer filemap.Guard(&err)()
		return errBroken
	}()
	require.Equal(t, errBroken, err)
}

func TestCheckUnchanged(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.Truncate(path, 20) },
		"shorter": func(path string) error { return os.Truncate(path, 5) },
		"shorter, by stealth": func(path string) error {
			info, err := os.Stat(path)
			return errors.Join(err, os.Truncate(path, 5), os.Chtimes(path, time.Time{}, info.ModTime()))
		},
		"other time": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute)) },
	} {
		path := put(t, pattern(10))
		f, err := filemap.Open(path)
		require.NoError(t, err)
		require.NoError(t, f.CheckUnchanged())
		require.NoError(t, change(path))
		require.ErrorIs(t, f.CheckUnchanged(), filemap.ErrChanged, name)
		require.NoError(t, f.Close())
	}
}
