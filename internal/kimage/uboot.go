package kimage

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// Offsets and values in the header of a legacy uImage (U-Boot's
// include/image.h). Numbers are big-endian.
const (
	uHeaderLen = 64
	uMagic     = 0x27051956
	uCRC       = 4
	uSize      = 12
	uLoad      = 16
	uDataCRC   = 24
	uArch      = 29
	uType      = 30
	uCodec     = 31

	uKernel       = 2
	uMulti        = 4
	uKernelNoLoad = 14
)

// uCodecs by IH_COMP_*.
var uCodecs = []string{None, "gzip", "bzip2", "lzma", "lzo", "lz4", "zstd"}

// uMachines by IH_ARCH_*, of those from which the byte order and the word size
// follow.
var uMachines = map[byte]string{2: "arm", 3: "i386", 12: "m68k", 22: "aarch64", 24: "x86_64"}

var errCRC = errors.New("checksum mismatch")

func uImage(b data) (Image, error) {
	if b.be32(0) != uMagic {
		return Image{}, ErrUnknown
	}
	header := append([]byte{}, b.at(0, uHeaderLen)...)
	copy(header[uCRC:], make([]byte, 4)) // is not part of itself
	if crc32.ChecksumIEEE(header) != b.be32(uCRC) {
		return Image{}, fmt.Errorf("header: %w", errCRC)
	}
	load := uint64(b.be32(uLoad))
	im := Image{Machine: uMachines[b.u8(uArch)], Load: &load}
	im.Payload = Payload{Offset: uHeaderLen, Size: int(b.be32(uSize))}
	if err := b.check(im.Payload); err != nil {
		return im, err
	}
	if crc32.ChecksumIEEE(b[uHeaderLen:uHeaderLen+im.Payload.Size]) != b.be32(uDataCRC) {
		return im, fmt.Errorf("data: %w", errCRC)
	}
	switch b.u8(uType) {
	case uKernel, uKernelNoLoad:
	case uMulti:
		if err := firstOfMulti(b, &im.Payload); err != nil {
			return im, err
		}
	default:
		return im, fmt.Errorf("it holds no kernel: its type is %d", b.u8(uType))
	}
	if int(b.u8(uCodec)) >= len(uCodecs) {
		return im, fmt.Errorf("unknown compression %d", b.u8(uCodec))
	}
	im.Payload.Compression = uCodecs[b.u8(uCodec)]
	return im, nil
}

// firstOfMulti narrows the payload to the first of several parts, which is the
// kernel. Before them lie their sizes, and a 0.
func firstOfMulti(b data, p *Payload) error {
	end := p.Offset + p.Size
	first := int(b.be32(p.Offset))
	at := p.Offset
	for ; at+4 <= end && b.be32(at) != 0; at += 4 {
	}
	at += 4
	if at >= end || first > end-at {
		return errors.New("the sizes of its parts lead beyond its end")
	}
	p.Offset, p.Size = at, first
	return nil
}
