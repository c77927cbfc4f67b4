// Package decompress undoes the compressions that a kernel build offers
// (Kconfig KERNEL_GZIP to KERNEL_ZSTD, scripts/Makefile.lib), with a bound on
// what may come out. It works on bytes in memory: a compressed kernel is 5 to
// 20 MB, and where its stream ends is part of the answer.
//
// The codecs are libraries'. The framings of XZ, LZO and legacy LZ4 are read
// here, because those of the libraries lack the branch filters that kernels
// are compressed with, or do not tell where the stream ends.
package decompress

import (
	"bytes"
	"errors"
	"fmt"
)

// Codec is a compression format, by the name of its command.
type Codec string

// The codecs.
const (
	Gzip  Codec = "gzip"
	Bzip2 Codec = "bzip2"
	LZMA  Codec = "lzma"
	XZ    Codec = "xz"
	LZO   Codec = "lzo"
	LZ4   Codec = "lz4" // the legacy frame that kernels have, and the modern one
	Zstd  Codec = "zstd"
)

// Errors that callers branch on.
var (
	ErrTooLarge    = errors.New("more comes out than is allowed")
	ErrUnsupported = errors.New("unknown compression")
)

// Error says which codec could not go on, and where in its input.
type Error struct {
	Codec    Codec
	Offset   int // in the compressed bytes; -1 if the library does not tell
	Err      error
	Produced int // bytes that came out before
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s: %v", e.Codec, e.Err)
	}
	return fmt.Sprintf("%s, at byte %#x of the compressed data: %v", e.Codec, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Bounds are what may come out of a stream.
type Bounds struct {
	Max  int // more bytes are an error
	Size int // how many are expected, 0 if that is not known; saves copying
}

// hintRatio bounds how far an expected size is believed before anything came
// out: it is read from the same untrusted file.
const hintRatio = 16

// room is how much to allocate before anything came out.
func (b Bounds) room(src []byte) int {
	return max(0, min(b.Size, b.Max, hintRatio*len(src)))
}

// grow makes room for n more bytes, and for as many again as there are: what
// comes out is large, and [slices.Grow] would copy it four times over.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, max(2*cap(b), len(b)+n)), b...)
}

// decoder undoes the stream that src begins with, appending to dst, and
// returns how many bytes of src it took. With an error, an [Error], it returns
// what came before it.
type decoder func(dst, src []byte, most int) (out []byte, consumed int, err error)

var decoders = map[Codec]decoder{
	Gzip:  gunzip,
	Bzip2: bunzip2,
	LZMA:  unlzma,
	XZ:    unxz,
	LZO:   unlzo,
	LZ4:   unlz4,
	Zstd:  unzstd,
}

// Decode undoes the compression of src, and returns how many bytes of src it
// took: other data may follow. Streams that follow one another count as one,
// as for the commands.
func Decode(c Codec, src []byte, b Bounds) (out []byte, consumed int, err error) {
	decode, ok := decoders[c]
	if !ok {
		return nil, 0, fmt.Errorf("%w %q", ErrUnsupported, c)
	}
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); fault {
				panic(r) // in mapped memory: not the codec's
			}
			err = &Error{Codec: c, Offset: -1, Err: fmt.Errorf("malformed data: %v", r), Produced: len(out)}
			out, consumed = nil, 0
		}
	}()
	out = make([]byte, 0, b.room(src))
	for {
		var n int
		if out, n, err = decode(out, src[consumed:], b.Max); err != nil {
			return nil, 0, within(err, consumed, len(out))
		}
		consumed += n
		if !continues(c, src[consumed:]) {
			return out, consumed, nil
		}
	}
}

// within completes the error of a stream that begins at start.
func within(err error, start, produced int) error {
	var e *Error
	if errors.As(err, &e) {
		e.Produced = produced
		if e.Offset >= 0 {
			e.Offset += start
		}
	}
	return err
}

// continues reports whether another stream of the codec follows.
func continues(c Codec, rest []byte) bool {
	switch c {
	case Gzip, XZ, Zstd:
		return bytes.HasPrefix(rest, []byte(signatures[c][0])) && Detect(rest) == c
	}
	return false
}
