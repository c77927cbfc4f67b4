package kimage

import "errors"

// Offsets in the setup header (Documentation/arch/x86/boot.rst).
const (
	x86SetupSects    = 0x1f1
	x86BootFlag      = 0x1fe
	x86Magic         = 0x202
	x86Version       = 0x206
	x86XLoadFlags    = 0x236
	x86PayloadOffset = 0x248
	x86PayloadLength = 0x24c

	x86Kernel64      = 1 << 0 // of xloadflags
	x86HasPayload    = 0x208  // the version from which on the payload is told (2.6.26)
	x86HasXLoadFlags = 0x20c
	x86DefaultSects  = 4
	x86Sector        = 512
)

func bzImage(b data) (Image, error) {
	if !b.has(x86Magic, "HdrS") || b.le16(x86BootFlag) != 0xaa55 {
		return Image{}, ErrUnknown
	}
	sectors := int(b.u8(x86SetupSects))
	if sectors == 0 {
		sectors = x86DefaultSects
	}
	protected := (sectors + 1) * x86Sector
	version := b.le16(x86Version)
	im := Image{}
	if version >= x86HasXLoadFlags {
		im.Machine = "i386"
		if b.le16(x86XLoadFlags)&x86Kernel64 != 0 {
			im.Machine = "x86_64"
		}
	}
	if version < x86HasPayload {
		im.Payload = Payload{Offset: protected, Size: len(b) - protected, Search: true}
		return im, nil
	}
	p := Payload{Offset: protected + int(b.le32(x86PayloadOffset)), Size: int(b.le32(x86PayloadLength))}
	if err := b.check(p); err != nil {
		return im, err
	}
	var err error
	im.Payload, err = b.cutSizeWord(p)
	return im, err
}

// cutSizeWord takes the size word off the end of a payload: the build appends
// the unpacked size to all but gzip, whose own last word it is (size_append in
// scripts/Makefile.lib).
func (b data) cutSizeWord(p Payload) (Payload, error) {
	if p.Size <= 4 {
		return p, errors.New("its payload is empty")
	}
	p.Unpacked = int(b.le32(p.Offset + p.Size - 4))
	if !b.has(p.Offset, "\x1f\x8b") {
		p.Size -= 4
	}
	return p, nil
}
