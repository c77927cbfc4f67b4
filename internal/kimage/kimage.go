// Package kimage recognises the containers in which kernels are booted, and
// finds where in them the kernel lies. It decompresses nothing: what it cuts
// out may be compressed, or be another container.
//
// Sources are named beside each format: paths are the Linux kernel's, v6.12.
package kimage

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is a container, by the name that its makers give it.
type Kind string

// The kinds of containers.
const (
	BzImage Kind = "bzImage" // x86, and the zImage of old that has the same header
	ZImage  Kind = "zImage"  // arm
	RawKind Kind = "Image"   // arm64, riscv, loongarch: the kernel itself behind a header
	Zboot   Kind = "zboot"   // EFI application that decompresses itself
	S390    Kind = "s390 bzImage"
	Wrapper Kind = "ELF wrapper" // mips vmlinuz, powerpc zImage
	UImage  Kind = "uImage"
	FIT     Kind = "FIT"
	Android Kind = "boot.img"
	UKI     Kind = "UKI" // unified kernel image
)

// Compressions that headers name; the others have the names of their commands.
const (
	Unknown = "" // the header does not tell
	None    = "none"
)

// Image is a recognised container.
type Image struct {
	Kind    Kind
	Machine string // as package safeelf names it; "" if the container does not tell
	Payload Payload
	// Kernel is set if the payload is the kernel itself, not compressed and
	// without ELF headers.
	Kernel *Placement
	// Load is where the boot loader puts the payload, if the container tells.
	Load *uint64
}

// Payload is the part of a container in which the kernel lies.
type Payload struct {
	Offset, Size int
	Compression  string
	// Search is set if the kernel begins somewhere in this range, at a place
	// that the header does not tell.
	Search bool
	// Unpacked is the size in bytes that the container promises, 0 if it does
	// not.
	Unpacked int
}

// Placement is what the header of a raw kernel says of its place in memory.
type Placement struct {
	TextOffset uint64 // from a boundary of 2 MiB (arm64, riscv) or from the start of memory (loongarch)
	Size       uint64 // in memory, with .bss; 0 if a kernel before 3.17 does not tell
	Entry      uint64 // physical address (loongarch)
}

// ErrUnknown is returned for bytes that are no container of a known kind.
var ErrUnknown = errors.New("no boot image of a known kind")

// FormatError says what is wrong with a container of a known kind.
type FormatError struct {
	Kind Kind
	Err  error
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s: %v", e.Kind, e.Err) }
func (e *FormatError) Unwrap() error { return e.Err }

// formats in the order in which they are tried: the header of a zImage, a
// bzImage or an Image may also be that of an EFI application, which a UKI is.
var formats = []struct {
	kind Kind
	read func(data) (Image, error)
}{
	{BzImage, bzImage},
	{ZImage, zImage},
	{Zboot, zboot},
	{RawKind, arm64Image},
	{RawKind, riscvImage},
	{RawKind, loongarchImage},
	{S390, s390Image},
	{UImage, uImage},
	{FIT, fit},
	{Android, androidImage},
	{UKI, uki},
}

// Recognize returns the container that b begins with. The error is ErrUnknown,
// a [FormatError], or [OtherError] for what is known not to hold a kernel.
func Recognize(b []byte) (Image, error) {
	for _, f := range formats {
		im, err := f.read(b)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		im.Kind = f.kind
		if err == nil {
			err = data(b).check(im.Payload)
		}
		if err != nil {
			return Image{}, &FormatError{f.kind, err}
		}
		return im, nil
	}
	if what := other(b); what != "" {
		return Image{}, &OtherError{what}
	}
	return Image{}, ErrUnknown
}

// check refuses a payload that the file does not hold in full.
func (b data) check(p Payload) error {
	if p.Offset < 0 || p.Size <= 0 || p.Offset > len(b) || p.Size > len(b)-p.Offset {
		return fmt.Errorf("its payload is %#x bytes at offset %#x, but the file ends at %#x: is it truncated?", p.Size, p.Offset, len(b))
	}
	return nil
}

// data reads numbers at offsets; behind the end they are 0.
type data []byte

func (b data) at(off, n int) []byte {
	if off < 0 || off > len(b)-n {
		return make([]byte, n)
	}
	return b[off : off+n]
}

func (b data) u8(off int) byte     { return b.at(off, 1)[0] }
func (b data) le16(off int) uint16 { return binary.LittleEndian.Uint16(b.at(off, 2)) }
func (b data) le32(off int) uint32 { return binary.LittleEndian.Uint32(b.at(off, 4)) }
func (b data) le64(off int) uint64 { return binary.LittleEndian.Uint64(b.at(off, 8)) }
func (b data) be32(off int) uint32 { return binary.BigEndian.Uint32(b.at(off, 4)) }

func (b data) has(off int, s string) bool {
	return off >= 0 && off <= len(b)-len(s) && string(b[off:off+len(s)]) == s
}
