package decompress

import (
	"bytes"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"
)

// The legacy frame (lib/decompress_unlz4.c, lz4_Frame_format.md): the magic,
// then blocks, each with its compressed size before it. All but the last hold
// 8 MiB. Nothing marks the end; a magic between blocks begins another frame.
const (
	lz4LegacyMagic = "\x02\x21\x4c\x18"
	lz4FrameMagic  = "\x04\x22\x4d\x18"

	lz4Block    = 8 << 20
	lz4MaxRatio = 255 // a byte of a length stands for that many at most
)

func unlz4(dst, src []byte, most int) ([]byte, int, error) {
	if bytes.HasPrefix(src, []byte(lz4FrameMagic)) {
		end, err := lz4FrameEnd(src)
		if err != nil {
			return dst, 0, &Error{Codec: LZ4, Offset: end, Err: err}
		}
		in := bytes.NewReader(src[:end])
		out, err := drain(dst, lz4.NewReader(in), most)
		return taken(LZ4, out, src[:end], in, err)
	}
	fail := func(at int, err error) ([]byte, int, error) { return dst, 0, &Error{Codec: LZ4, Offset: at, Err: err} }
	if !bytes.HasPrefix(src, []byte(lz4LegacyMagic)) {
		return fail(0, errors.New("no magic number"))
	}
	at := len(lz4LegacyMagic)
	for last := lz4Block; len(src)-at >= 4; {
		if bytes.HasPrefix(src[at:], []byte(lz4LegacyMagic)) {
			at, last = at+4, lz4Block
			continue
		}
		size := int64(le.Uint32(src[at:]))
		if last < lz4Block || size == 0 || size > int64(lz4.CompressBlockBound(lz4Block)) {
			break // the end, and what follows the stream
		}
		if size > int64(len(src)-at-4) {
			return fail(at, io.ErrUnexpectedEOF)
		}
		block := src[at+4 : at+4+int(size)]
		n, err := lz4.UncompressBlock(block, dst[len(dst):min(cap(dst), len(dst)+lz4Block)])
		if room := min(lz4Block, lz4MaxRatio*len(block)); err != nil && cap(dst)-len(dst) < room {
			dst = grow(dst, room) // for the last block of a size that was told, it was enough
			n, err = lz4.UncompressBlock(block, dst[len(dst):len(dst)+room])
		}
		if err != nil {
			return fail(at, err)
		}
		dst = dst[:len(dst)+n]
		if len(dst) > most {
			return fail(at, ErrTooLarge)
		}
		at, last = at+4+int(size), n
	}
	return dst, at, nil
}

// lz4FrameEnd returns where the modern frame ends that src begins with: the
// library takes what follows for another. A frame is a descriptor, then blocks
// with their sizes, up to a size of 0 (lz4_Frame_format.md, version 1.6).
func lz4FrameEnd(src []byte) (int, error) {
	const (
		contentSum = 1 << 2 // flags
		size       = 1 << 3
		blockSum   = 1 << 4
		dictionary = 1 << 0

		stored = 1 << 31 // in a block's size
	)
	at := len(lz4FrameMagic)
	if len(src) == at {
		return at, io.ErrUnexpectedEOF
	}
	flags := src[at]
	optional := func(flag byte, n int) int {
		if flags&flag == 0 {
			return 0
		}
		return n
	}
	at += 2 + optional(size, 8) + optional(dictionary, 4) + 1
	for {
		if len(src)-at < 4 {
			return len(src), io.ErrUnexpectedEOF
		}
		n := le.Uint32(src[at:]) &^ stored
		at += 4
		if n == 0 {
			break
		}
		if uint64(n) > uint64(len(src)-at) {
			return at, io.ErrUnexpectedEOF
		}
		at += int(n) + optional(blockSum, 4)
	}
	at += optional(contentSum, 4)
	if at > len(src) {
		return len(src), io.ErrUnexpectedEOF
	}
	return at, nil
}
