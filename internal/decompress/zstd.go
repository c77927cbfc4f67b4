package decompress

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdWindow bounds the window that a frame may ask for. A kernel's is 128 MiB
// (zstd --ultra -22); it is not allocated, for the output serves as the window.
const zstdWindow = 128 << 20

func unzstd(dst, src []byte, most int) ([]byte, int, error) {
	end, err := zstdEnd(src)
	if err != nil {
		return dst, 0, err
	}
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(uint64(max(most, zstdWindow))))
	if err != nil {
		return dst, 0, &Error{Codec: Zstd, Offset: -1, Err: err}
	}
	defer r.Close()
	out, err := r.DecodeAll(src[:end], dst)
	if err == nil && len(out) > most {
		err = ErrTooLarge
	}
	if err != nil {
		return out, 0, &Error{Codec: Zstd, Offset: -1, Err: err}
	}
	return out, end, nil
}

// zstdEnd returns where the frame ends that src begins with: the library
// decodes all that it is given, and takes what follows a frame for another.
// Each block has its size and whether it is the last before it (RFC 8878,
// section 3.1.1).
func zstdEnd(src []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(src); err != nil {
		return 0, &Error{Codec: Zstd, Offset: 0, Err: err}
	}
	if h.Skippable {
		return cut(src, h.HeaderSize, int(h.SkippableSize))
	}
	const runLength = 1 // a block type: one byte, repeated
	at := h.HeaderSize
	for last := false; !last; {
		if len(src)-at < 3 {
			return 0, &Error{Codec: Zstd, Offset: at, Err: io.ErrUnexpectedEOF}
		}
		word := int(src[at]) | int(src[at+1])<<8 | int(src[at+2])<<16
		size := word >> 3
		if word>>1&3 == runLength {
			size = 1
		}
		last = word&1 != 0
		next, err := cut(src, at+3, size)
		if err != nil {
			return 0, err
		}
		at = next
	}
	if h.HasCheckSum {
		return cut(src, at, 4)
	}
	return at, nil
}

// cut returns the end of n bytes at at, if src has so many.
func cut(src []byte, at, n int) (int, error) {
	if uint64(n) > uint64(len(src)-at) {
		return 0, &Error{Codec: Zstd, Offset: at, Err: io.ErrUnexpectedEOF}
	}
	return at + n, nil
}
