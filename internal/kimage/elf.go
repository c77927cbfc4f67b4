package kimage

import (
	"errors"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/safeelf"
)

// FromELF tells what an ELF file is. Its Payload is where the kernel lies: the
// whole file if it is the kernel (isKernel), a section of a powerpc zImage, or
// somewhere in the file if that cannot be told from its headers. A file that is
// neither linked nor loadable is an [OtherError].
func FromELF(f *safeelf.File, size int64) (im Image, isKernel bool, err error) {
	switch f.Type {
	case safeelf.TypeRel:
		return im, false, &OtherError{"an object file or a loadable module"}
	case safeelf.TypeCore:
		return im, false, &OtherError{"a memory dump"}
	}
	im = Image{Kind: Wrapper, Machine: f.MachineName(), Payload: Payload{Size: int(size), Search: true}}
	// arch/powerpc/boot/wrapper adds the kernel as a section of this name.
	if i := slices.IndexFunc(f.Sections, func(s safeelf.Section) bool { return strings.HasPrefix(s.Name, ".kernel:vmlinux") }); i >= 0 {
		im.Payload = Payload{Offset: int(f.Sections[i].Off), Size: int(f.Sections[i].Size)}
		return im, false, nil
	}
	return im, slices.ContainsFunc(f.Sections, kernelSection), nil
}

// kernelSection reports whether a section is one that every linker script of
// the kernel makes, and nobody else's.
func kernelSection(s safeelf.Section) bool {
	return s.Alloc() && (s.Name == ".init.text" || s.Name == ".text.init" || s.Name == "__ksymtab")
}

// ELFSize returns how many bytes of the file belong to it: other data may lie
// behind it, as the relocations of x86 do.
func ELFSize(f *safeelf.File) (int64, error) {
	header := make(data, 64)
	n, err := f.ReadAt(header, 0)
	if n < 52 {
		return 0, err
	}
	// The tables' places and sizes in ELF headers of 32 and 64 bits.
	tables, entries := f.Word(header[28:]), 42
	sections := f.Word(header[32:])
	if f.Class64 {
		tables, sections, entries = f.Word(header[32:]), f.Word(header[40:]), 54
	}
	half := func(off int) uint64 { return uint64(f.Order().Uint16(header[off:])) }
	end := tables + half(entries)*half(entries+2)
	if len(f.Sections) > 0 { // their number may be too large for the header
		end = max(end, sections+half(entries+4)*uint64(len(f.Sections)))
	}
	for _, s := range f.Sections {
		if s.HasBytes() {
			end = max(end, s.Off+s.Size)
		}
	}
	for _, p := range f.Segments {
		end = max(end, p.Off+p.FileSize)
	}
	if int64(end) < int64(n) {
		return 0, errors.New("its headers tell no size")
	}
	return int64(end), nil
}
