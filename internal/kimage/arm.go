package kimage

import (
	"encoding/binary"
	"errors"
)

// Offsets in the header of a zImage (arch/arm/boot/compressed/head.S and
// vmlinux.lds.S). The table is there from 4.15 on.
const (
	zMagic  = 0x24
	zStart  = 0x28
	zEnd    = 0x2c
	zEndian = 0x30
	zTabled = 0x34
	zTable  = 0x38
	zCode   = 0x40

	zMagicValue  = 0x016f2818
	zTabledValue = 0x45454545
	zTableValue  = 0x5a534c4b
)

// zImage finds the range in which the payload lies. Where it begins is known
// to the decompressor's code alone.
func zImage(b data) (Image, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if b.be32(zMagic) == zMagicValue { // big-endian code, before ARMv6
		order = binary.BigEndian
	} else if b.le32(zMagic) != zMagicValue {
		return Image{}, ErrUnknown
	}
	word := func(off int) int { return int(order.Uint32(b.at(off, 4))) }
	im := Image{Machine: "arm"}
	if b.has(zEndian, "\x04\x03\x02\x01") {
		im.Machine = "armeb"
	}
	size := word(zEnd) - word(zStart)
	if size <= zCode {
		return im, errors.New("its end lies before its start")
	}
	im.Payload = Payload{Offset: zCode, Size: size - zCode, Search: true}
	if err := b.check(im.Payload); err != nil {
		return im, err
	}
	if table := word(zTable); word(zTabled) == zTabledValue && word(table+4) == zTableValue {
		sizeWord := word(table + 8)
		if sizeWord <= zCode || sizeWord > size-4 {
			return im, errors.New("its table leads beyond its end")
		}
		im.Payload.Size = sizeWord + 4 - zCode
		im.Payload.Unpacked = int(b.le32(sizeWord)) // little-endian on every machine
	}
	return im, nil
}
