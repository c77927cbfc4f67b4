package kimage

import (
	"bytes"
	"errors"
	"fmt"
)

// zbootCodecs are the names of drivers/firmware/efi/libstub/Makefile.zboot in
// commands' words.
var zbootCodecs = map[string]string{
	"gzip": "gzip", "lz4": "lz4", "lzma": "lzma", "lzo": "lzo", "xzkern": "xz", "zstd22": "zstd", "zstd": "zstd",
}

// zboot reads drivers/firmware/efi/libstub/zboot-header.S. The payload's size
// is without the size word.
func zboot(b data) (Image, error) {
	if !b.has(0, "MZ\x00\x00zimg") {
		return Image{}, ErrUnknown
	}
	im := Image{Machine: peMachine(b), Payload: Payload{Offset: int(b.le32(8)), Size: int(b.le32(12))}}
	name, _, _ := bytes.Cut(b.at(0x18, 32), []byte{0})
	codec, ok := zbootCodecs[string(name)]
	if !ok {
		return im, fmt.Errorf("unknown compression %q", name)
	}
	im.Payload.Compression = codec
	return im, nil
}

// peMachines are the COFF machine types of the EFI specification.
var peMachines = map[uint16]string{
	0x014c: "i386", 0x01c0: "arm", 0x01c2: "arm", 0x8664: "x86_64", 0xaa64: "aarch64",
	0x5032: "riscv", 0x5064: "riscv64", 0x6232: "loongarch", 0x6264: "loongarch64",
}

func peMachine(b data) string {
	pe := int(b.le32(0x3c))
	if !b.has(0, "MZ") || !b.has(pe, "PE\x00\x00") {
		return ""
	}
	return peMachines[b.le16(pe+4)]
}

// uki finds the section .linux of an EFI application (UAPI group, Unified
// Kernel Image specification). Its bytes are a boot image as it is.
func uki(b data) (Image, error) {
	const headerLen, sectionLen = 24, 40
	pe := int(b.le32(0x3c))
	if !b.has(0, "MZ") || !b.has(pe, "PE\x00\x00") {
		return Image{}, ErrUnknown
	}
	sections := int(b.le16(pe + 6))
	table := pe + headerLen + int(b.le16(pe+20))
	var found []Payload
	for i := range sections {
		at := table + i*sectionLen
		if !b.has(at, ".linux\x00\x00") {
			continue
		}
		// The smaller of the size in memory and that in the file, which is padded.
		virtual, raw := int(b.le32(at+8)), int(b.le32(at+16))
		if virtual == 0 {
			virtual = raw
		}
		found = append(found, Payload{Offset: int(b.le32(at + 20)), Size: min(virtual, raw)})
	}
	switch len(found) {
	case 0:
		return Image{}, ErrUnknown
	case 1:
		return Image{Machine: peMachine(b), Payload: found[0]}, nil
	}
	return Image{}, errors.New("it has several .linux sections")
}
