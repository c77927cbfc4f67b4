package decompress

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// xzBlockHeader is what a block's header says of its data.
type xzBlockHeader struct {
	packed, size optional
	filters      []xzFilter // before LZMA2, in the order in which they were applied
	dict         int
}

type xzFilter struct {
	undo  branchFilter
	start uint32
}

// optional is a size that a header need not tell.
type optional struct {
	told  bool
	value uint64
}

func (o optional) wrong(v int) bool { return o.told && o.value != uint64(v) }

// blockHeader reads the header at s.at, and moves on to the data.
func (s *xzStream) blockHeader() (xzBlockHeader, error) {
	var h xzBlockHeader
	start := s.at
	end := start + int(s.src[start])*4 // of what the checksum is for
	if end+4 > len(s.src) {
		return h, io.ErrUnexpectedEOF
	}
	s.at = end
	if err := s.crc(start); err != nil {
		return h, fmt.Errorf("block header: %w", err)
	}
	after := s.at
	in := xzStream{src: s.src[:end], at: start + 2}
	if err := h.parse(&in, s.src[start+1]); err != nil {
		return h, fmt.Errorf("block header: %w", err)
	}
	s.at = after
	return h, nil
}

func (h *xzBlockHeader) parse(in *xzStream, flags byte) error {
	const packed, size, reserved = 0x40, 0x80, 0x3c
	if flags&reserved != 0 {
		return fmt.Errorf("reserved flags %#x", flags)
	}
	for _, field := range []struct {
		flag  byte
		value *optional
	}{{packed, &h.packed}, {size, &h.size}} {
		if flags&field.flag == 0 {
			continue
		}
		v, err := in.number()
		if err != nil {
			return err
		}
		*field.value = optional{true, v}
	}
	n := int(flags&(xzMaxChain-1)) + 1
	for i := range n {
		if err := h.filter(in, i == n-1); err != nil {
			return err
		}
	}
	if len(bytes.Trim(in.src[in.at:], "\x00")) > 0 {
		return errors.New("something behind the filters")
	}
	return nil
}

// filter reads one filter of the chain: LZMA2 last, others before it.
func (h *xzBlockHeader) filter(in *xzStream, last bool) error {
	id, err1 := in.number()
	n, err2 := in.number()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if n > uint64(len(in.src)-in.at) {
		return io.ErrUnexpectedEOF
	}
	properties := in.src[in.at : in.at+int(n)]
	in.at += int(n)
	undo, branch := branchFilters[id]
	switch {
	case last && id == xzLZMA2 && n == 1:
		dict, err := lzma.DecodeDictCap(properties[0])
		h.dict = int(min(dict, maxDict))
		return err
	case !last && branch && n == 0:
		h.filters = append(h.filters, xzFilter{undo, 0})
		return nil
	case !last && branch && n == 4:
		h.filters = append(h.filters, xzFilter{undo, le.Uint32(properties)})
		return nil
	}
	return fmt.Errorf("unknown filter %#x", id)
}

// xzCheck is how the data of each block is checked.
type xzCheck struct {
	size int // bytes
	sum  func(data []byte) []byte
}

var crc64Table = crc64.MakeTable(crc64.ECMA)

// xzCheckOf returns the check that the stream's flags name. One that is not
// known here is an error: what it would find must not pass.
func xzCheckOf(reserved, kind byte) (xzCheck, error) {
	switch {
	case reserved == 0 && kind == 0:
		return xzCheck{0, func([]byte) []byte { return nil }}, nil
	case reserved == 0 && kind == 1:
		return xzCheck{4, func(b []byte) []byte { return le.AppendUint32(nil, crc32.ChecksumIEEE(b)) }}, nil
	case reserved == 0 && kind == 4:
		return xzCheck{8, func(b []byte) []byte { return le.AppendUint64(nil, crc64.Checksum(b, crc64Table)) }}, nil
	case reserved == 0 && kind == 10:
		return xzCheck{sha256.Size, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }}, nil
	}
	return xzCheck{}, fmt.Errorf("unknown integrity check %#x", kind)
}

func (c xzCheck) holds(data, want []byte) bool { return bytes.Equal(c.sum(data), want) }
