package decompress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"

	"github.com/anchore/go-lzo"
)

// The format of lzop (its src/conf.h and the kernel's lib/decompress_unlzo.c):
// a header, then blocks, each with its sizes and checksums before it; a size
// of 0 ends them. Numbers are big-endian.
const (
	lzoAdlerData  = 1 << 0 // checksum of a block's data
	lzoAdlerBlock = 1 << 1 // and of its compressed bytes
	lzoExtra      = 1 << 6
	lzoCRCData    = 1 << 8
	lzoCRCBlock   = 1 << 9
	lzoFilter     = 1 << 11
	lzoCRCHeader  = 1 << 12

	lzoMaxBlock  = 64 << 20 // MAX_BLOCK_SIZE; lzop and the kernel use 256 KiB
	lzoNewHeader = 0x0940   // the version from which on it has three more fields
)

var errChecksum = errors.New("checksum mismatch")

func unlzo(dst, src []byte, most int) ([]byte, int, error) {
	in := &beReader{src: src}
	flags, err := lzoHeader(in)
	for err == nil {
		var done bool
		if dst, done, err = lzoBlock(dst, in, flags, most); done {
			return dst, in.at, nil
		}
	}
	return dst, 0, &Error{Codec: LZO, Offset: in.at, Err: err}
}

// lzoHeader reads the header and returns its flags.
func lzoHeader(in *beReader) (flags uint32, err error) {
	if string(in.take(len(signatures[LZO][0]))) != signatures[LZO][0] {
		return 0, errors.New("no magic number")
	}
	start := in.at
	version := in.u16()
	in.u16() // version of the library
	if version >= lzoNewHeader {
		in.u16() // version needed to extract
	}
	if method := in.u8(); in.err == nil && (method < 1 || method > 3) { // all three are LZO1X
		return 0, fmt.Errorf("unknown method %d", method)
	}
	if version >= lzoNewHeader {
		in.u8() // level
	}
	flags = in.u32()
	if flags&(lzoFilter|lzoExtra) != 0 {
		return 0, errors.New("filters and extra fields are not supported")
	}
	in.take(4 + 4) // mode, time
	if version >= lzoNewHeader {
		in.u32() // high half of the time
	}
	in.take(int(in.u8())) // file name
	sum := adler32.Checksum
	if flags&lzoCRCHeader != 0 {
		sum = crc32.ChecksumIEEE
	}
	end := in.at
	if want := in.u32(); in.err == nil && want != sum(in.src[start:end]) {
		return 0, fmt.Errorf("header: %w", errChecksum)
	}
	return flags, in.err
}

// lzoBlock appends the data of the next block to dst; done if there is none.
func lzoBlock(dst []byte, in *beReader, flags uint32, most int) (out []byte, done bool, err error) {
	size := in.u32()
	if size == 0 {
		return dst, in.err == nil, in.err
	}
	packed := in.u32()
	adler, crc := in.optional(flags&lzoAdlerData), in.optional(flags&lzoCRCData)
	if packed < size { // else it is stored, and has no second checksum
		in.optional(flags & lzoAdlerBlock)
		in.optional(flags & lzoCRCBlock)
	}
	switch {
	case in.err != nil:
		return dst, false, in.err
	case size > lzoMaxBlock || packed > size:
		return dst, false, fmt.Errorf("a block of %d bytes in %d", size, packed)
	case int(size) > most-len(dst):
		return dst, false, ErrTooLarge
	}
	block := in.take(int(packed))
	if in.err != nil {
		return dst, false, in.err
	}
	dst = grow(dst, int(size))
	data := dst[len(dst) : len(dst)+int(size)]
	if packed == size {
		copy(data, block)
	} else if n, err := lzo.Decompress(block, data); err != nil || n != int(size) {
		return dst, false, errors.Join(err, fmt.Errorf("a block of %d bytes gave %d", size, n))
	}
	if adler != nil && *adler != adler32.Checksum(data) || crc != nil && *crc != crc32.ChecksumIEEE(data) {
		return dst, false, errChecksum
	}
	return dst[:len(dst)+len(data)], false, nil
}

// beReader takes big-endian numbers off the front of src; those behind its end
// are 0, and err says so.
type beReader struct {
	src []byte
	at  int
	err error
}

func (r *beReader) take(n int) []byte {
	if n > len(r.src)-r.at {
		r.err = io.ErrUnexpectedEOF
		return make([]byte, min(n, 8))
	}
	r.at += n
	return r.src[r.at-n : r.at]
}

func (r *beReader) u8() byte    { return r.take(1)[0] }
func (r *beReader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *beReader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// optional reads a number that is there only if the flag is.
func (r *beReader) optional(flag uint32) *uint32 {
	if flag == 0 {
		return nil
	}
	v := r.u32()
	return &v
}
