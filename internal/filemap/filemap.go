// Package filemap gives read access to ranges of a file without copying them:
// a kernel's symbol and string table are 10 MB that a caller passes over twice
// and keeps little of, and reading them into fresh memory costs four times
// what passing over them does.
//
// A mapped file can shrink while it is read, which the operating system
// reports as a fault in the middle of ordinary code. Code that reads mapped
// bytes therefore runs under [Guard], which turns the fault into an error.
package filemap

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
)

// ErrChanged is returned when a file was changed while it was read.
var ErrChanged = errors.New("the file changed while it was read")

// File is a file whose bytes can be read by copying or by mapping.
type File struct {
	r     io.ReaderAt
	size  int64
	file  *os.File // nil if the bytes are in memory, or whole's
	bytes []byte   // the bytes in memory
	maps  []mapping

	modified time.Time // when the file was opened

	whole *File // the file that this is a part of, and where in it
	start int64
}

// mapping is a mapped range of a file.
type mapping struct {
	start int64
	bytes []byte
}

// Open opens a regular file. A pipe or a terminal is read to its end first; a
// directory or a device is an error.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = errors.New("is a directory")
	case info.Mode().IsRegular():
		return &File{r: f, size: info.Size(), modified: info.ModTime(), file: f}, nil
	case info.Mode()&os.ModeNamedPipe != 0 || info.Mode()&os.ModeSocket != 0:
		defer f.Close()
		return Read(f)
	default:
		err = errors.New("is a device, not a file")
	}
	f.Close()
	return nil, err
}

// OpenStream reads a file to its end that does not tell its size, as those of
// /proc do not.
func OpenStream(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f)
}

// MaxStream bounds what is read from a stream, which does not tell its size:
// several times the largest debug vmlinux.
const MaxStream int64 = 4 << 30

// Read reads a stream to its end and serves it from memory.
func Read(r io.Reader) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxStream+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > MaxStream {
		return nil, fmt.Errorf("more than %d bytes on a stream", MaxStream)
	}
	return FromBytes(b), nil
}

// FromBytes serves b as a file.
func FromBytes(b []byte) *File {
	return &File{r: bytesReader(b), size: int64(len(b)), bytes: b}
}

// Part serves n bytes of f from offset off as a file of their own, until f is
// closed.
func (f *File) Part(off, n int64) (*File, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, fmt.Errorf("bytes %#x to %#x of a file of %#x: %w", off, off+n, f.size, io.ErrUnexpectedEOF)
	}
	return &File{r: io.NewSectionReader(f, off, n), size: n, whole: f, start: off}, nil
}

// CheckUnchanged returns ErrChanged if the file's size or time of change is
// no longer what it was when the file was opened. A mapping of a file that
// shrank reads as zero up to the end of a page, without a fault.
func (f *File) CheckUnchanged() error {
	if f.file == nil {
		return nil
	}
	now, err := f.file.Stat()
	if err != nil {
		return err
	}
	if now.Size() != f.size || !now.ModTime().Equal(f.modified) {
		return ErrChanged
	}
	return nil
}

// Size is the size in bytes when the file was opened.
func (f *File) Size() int64 { return f.size }

// ReadAt implements [io.ReaderAt].
func (f *File) ReadAt(b []byte, off int64) (int, error) { return f.r.ReadAt(b, off) }

// Bytes returns n bytes from offset off, which the caller must not change and
// may use until Close, under [Guard].
func (f *File) Bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, fmt.Errorf("bytes %#x to %#x of a file of %#x: %w", off, off+n, f.size, io.ErrUnexpectedEOF)
	}
	if n == 0 {
		return nil, nil
	}
	if f.whole != nil {
		return f.whole.Bytes(f.start+off, n)
	}
	if f.file == nil {
		return f.bytes[off : off+n : off+n], nil
	}
	if n < minMapped {
		b := make([]byte, n)
		if _, err := f.r.ReadAt(b, off); err != nil {
			return nil, fmt.Errorf("%w: bytes %#x to %#x: %w", ErrChanged, off, off+n, err)
		}
		return b, nil
	}
	return f.mapRange(off, n)
}

// minMapped is the size from which on a range is mapped. An archive has ten
// small ranges for each of 5,000 members; Linux allows 65,530 mappings.
const minMapped = 64 << 10

// Close unmaps and closes the file.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.unmapAll()
	return errors.Join(err, f.file.Close())
}

// Guard makes a fault in mapped memory an error of the calling function:
//
//	func (t *Table) At(…) (found …, err error) {
//		defer filemap.Guard(&err)()
func Guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			panic(r)
		}
		*err = fmt.Errorf("%w (fault at %#x)", ErrChanged, fault.Addr())
	}
}

type bytesReader []byte

func (b bytesReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
