package decompress

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// The XZ container (xz-file-format.txt, version 1.2.1): a header, blocks, each
// a chain of filters over LZMA2, an index with the sizes of the blocks, and a
// footer. Padding and numbers follow that text's words.
const (
	xzHeaderLen = 12
	xzFooterLen = 12
	xzLZMA2     = 0x21 // filter id
	xzMaxChain  = 4
)

// xzStream is one stream, as far as it was read.
type xzStream struct {
	src    []byte
	at     int
	check  xzCheck
	blocks []xzBlock
}

// xzBlock is what the index repeats of a block.
type xzBlock struct{ unpadded, size uint64 }

func unxz(dst, src []byte, most int) ([]byte, int, error) {
	s := &xzStream{src: src}
	err := s.header()
	for err == nil && s.at < len(src) && src[s.at] != 0 { // else it is the index
		dst, err = s.block(dst, most)
	}
	if err == nil && s.at >= len(src) {
		err = io.ErrUnexpectedEOF
	}
	start := s.at
	if err == nil {
		err = s.index()
	}
	if err == nil {
		err = s.footer(s.at - start)
	}
	if err != nil {
		return dst, 0, &Error{Codec: XZ, Offset: s.at, Err: err}
	}
	return dst, s.at, nil
}

func (s *xzStream) header() error {
	if len(s.src) < xzHeaderLen {
		return io.ErrUnexpectedEOF
	}
	if Detect(s.src) != XZ {
		return errors.New("no sound header")
	}
	var err error
	s.check, err = xzCheckOf(s.src[6], s.src[7])
	s.at = xzHeaderLen
	return err
}

// block appends what a block holds to dst.
func (s *xzStream) block(dst []byte, most int) ([]byte, error) {
	start := s.at
	header, err := s.blockHeader()
	if err != nil {
		return dst, err
	}
	begin := s.at
	packed, size, err := lzma2Sizes(s.src[begin:])
	if err != nil {
		return dst, err
	}
	if size > most-len(dst) {
		return dst, ErrTooLarge
	}
	if header.packed.wrong(packed) || header.size.wrong(size) {
		return dst, errors.New("the block's header tells other sizes than its data")
	}
	dst = grow(dst, size)
	data := dst[len(dst) : len(dst)+size]
	if err := unlzma2(data, s.src[begin:begin+packed], header.dict); err != nil {
		return dst, err
	}
	for _, f := range slices.Backward(header.filters) {
		f.undo(data, f.start)
	}
	s.at += packed
	unpadded := uint64(s.at - start + s.check.size)
	for ; s.at%4 != start%4; s.at++ {
		if s.at >= len(s.src) || s.src[s.at] != 0 {
			return dst, errors.New("no padding behind the block")
		}
	}
	if len(s.src)-s.at < s.check.size {
		return dst, io.ErrUnexpectedEOF
	}
	if !s.check.holds(data, s.src[s.at:s.at+s.check.size]) {
		return dst, errChecksum
	}
	s.at += s.check.size
	s.blocks = append(s.blocks, xzBlock{unpadded, uint64(size)})
	return dst[:len(dst)+size], nil
}

// unlzma2 decodes a block's LZMA2 data, which fills dst.
func unlzma2(dst, src []byte, dict int) error {
	if len(dst) == 0 {
		return nil
	}
	// A distance never reaches behind the begin of the block.
	dict = max(min(dict, len(dst)), lzma.MinDictCap)
	r, err := lzma.Reader2Config{DictCap: dict}.NewReader2(bytes.NewReader(src))
	if err != nil {
		return err
	}
	_, err = io.ReadFull(r, dst)
	return err
}

// lzma2Sizes returns how long the LZMA2 data is that b begins with, and how
// much it holds. Each chunk tells both in its header, except that nothing
// tells the last but a zero.
func lzma2Sizes(b []byte) (packed, size int, err error) {
	for at := 0; ; {
		if at >= len(b) {
			return 0, 0, io.ErrUnexpectedEOF
		}
		control := b[at]
		if control == 0 {
			return at + 1, size, nil
		}
		if len(b)-at < 6 {
			return 0, 0, io.ErrUnexpectedEOF
		}
		low := int(be.Uint16(b[at+1:])) + 1
		switch {
		case control <= 2: // stored
			size += low
			at += 3 + low
		case control < 0x80:
			return 0, 0, fmt.Errorf("unknown LZMA2 chunk %#x", control)
		default:
			size += int(control&0x1f)<<16 + low
			at += 5 + int(be.Uint16(b[at+3:])) + 1
			if control >= 0xc0 { // new parameters
				at++
			}
		}
	}
}

// index compares the index with the blocks that were read.
func (s *xzStream) index() error {
	start := s.at
	s.at++ // the zero that is no block header's size
	n, err := s.number()
	if err != nil {
		return err
	}
	if n != uint64(len(s.blocks)) {
		return fmt.Errorf("the index has %d blocks, the stream %d", n, len(s.blocks))
	}
	for _, b := range s.blocks {
		unpadded, err1 := s.number()
		size, err2 := s.number()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if (xzBlock{unpadded, size}) != b {
			return errors.New("the index tells other sizes than the blocks")
		}
	}
	for ; (s.at-start)%4 != 0; s.at++ {
		if s.at >= len(s.src) || s.src[s.at] != 0 {
			return errors.New("no padding behind the index")
		}
	}
	return s.crc(start)
}

// footer compares the footer with the header and the index's length.
func (s *xzStream) footer(indexLen int) error {
	if len(s.src)-s.at < xzFooterLen {
		return io.ErrUnexpectedEOF
	}
	f := s.src[s.at : s.at+xzFooterLen]
	switch {
	case string(f[10:]) != "YZ":
		return errors.New("no footer")
	case crc32.ChecksumIEEE(f[4:10]) != le.Uint32(f):
		return fmt.Errorf("footer: %w", errChecksum)
	case (int64(le.Uint32(f[4:]))+1)*4 != int64(indexLen) || !bytes.Equal(f[8:10], s.src[6:8]):
		return errors.New("the footer contradicts the header or the index")
	}
	s.at += xzFooterLen
	return nil
}

// crc compares the CRC32 at s.at with the bytes from start to there.
func (s *xzStream) crc(start int) error {
	if len(s.src)-s.at < 4 {
		return io.ErrUnexpectedEOF
	}
	if le.Uint32(s.src[s.at:]) != crc32.ChecksumIEEE(s.src[start:s.at]) {
		return errChecksum
	}
	s.at += 4
	return nil
}

// number reads a multibyte integer: seven bits a byte, low ones first.
func (s *xzStream) number() (uint64, error) {
	v := uint64(0)
	for shift := 0; shift < 63; shift += 7 {
		if s.at >= len(s.src) {
			return 0, io.ErrUnexpectedEOF
		}
		b := s.src[s.at]
		s.at++
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			return v, nil
		}
	}
	return 0, errors.New("a number of more than nine bytes")
}
