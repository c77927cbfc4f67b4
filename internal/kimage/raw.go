package kimage

// The headers that arm64, riscv and loongarch kernels begin with. What follows
// them is the kernel: the file as a whole is the memory from _text on.

// arm64Image reads Documentation/arch/arm64/booting.rst, section 4.
func arm64Image(b data) (Image, error) {
	const bigEndian = 1 << 0 // of the flags
	if !b.has(0x38, "ARM\x64") {
		return Image{}, ErrUnknown
	}
	im := rawImage(b, "aarch64", Placement{TextOffset: b.le64(0x08), Size: b.le64(0x10)})
	if b.le64(0x18)&bigEndian != 0 {
		im.Machine = "aarch64eb"
	}
	return im, nil
}

// riscvImage reads Documentation/arch/riscv/boot-image-header.rst. The header
// does not tell the word size, but each has a text offset of its own
// (arch/riscv/kernel/head.S), other than in machine mode.
func riscvImage(b data) (Image, error) {
	if !b.has(0x30, "RISCV\x00\x00\x00") && !b.has(0x38, "RSC\x05") {
		return Image{}, ErrUnknown
	}
	im := rawImage(b, "", Placement{TextOffset: b.le64(0x08), Size: b.le64(0x10)})
	switch im.Kernel.TextOffset {
	case 2 << 20:
		im.Machine = "riscv64"
	case 4 << 20:
		im.Machine = "riscv"
	}
	return im, nil
}

// loongarchImage reads arch/loongarch/kernel/head.S: the header of an EFI
// application for the machine, with a word that Linux gave a meaning.
func loongarchImage(b data) (Image, error) {
	const (
		linuxMagic = 0x818223cd // LINUX_PE_MAGIC, include/linux/pe.h
		machine64  = 0x6264
		machine32  = 0x6232
	)
	pe := int(b.le32(0x3c))
	if !b.has(0, "MZ") || b.le32(0x38) != linuxMagic || !b.has(pe, "PE\x00\x00") {
		return Image{}, ErrUnknown
	}
	place := Placement{Entry: b.le64(0x08), Size: b.le64(0x10), TextOffset: b.le64(0x18)}
	switch b.le16(pe + 4) {
	case machine64:
		return rawImage(b, "loongarch64", place), nil
	case machine32:
		return rawImage(b, "loongarch", place), nil
	}
	return Image{}, ErrUnknown
}

func rawImage(b data, machine string, place Placement) Image {
	return Image{
		Machine: machine,
		Payload: Payload{Size: len(b), Compression: None},
		Kernel:  &place,
	}
}

// s390Image recognises the boot image by the mark at its second entry point
// (arch/s390/boot/head.S), and older ones by their first words. Nothing in it
// tells where the payload is.
func s390Image(b data) (Image, error) {
	const entry = 0x10008
	const loader = "\x02\x00\x00\x18\x60\x00\x00\x50\x02\x00\x00\x68\x60\x00\x00\x50\x40\x40\x40\x40" // channel commands at 8, in EBCDIC spaces
	if !b.has(entry, "S390EP") && !b.has(8, loader) {
		return Image{}, ErrUnknown
	}
	return Image{Machine: "s390x", Payload: Payload{Size: len(b), Search: true}}, nil
}
