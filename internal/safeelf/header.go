package safeelf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/initsect/initsect/internal/filemap"
)

// layout is where the fields of the headers lie in a file of one class
// (System V gABI, "ELF Header", "Sections", "Program Header"), in bytes.
type layout struct {
	header, section, segment int // sizes

	phOff, shOff, phEntSize int

	shFlags, shAddr, shOffset, shSize, shLink, shInfo int

	pFlags, pOffset, pAddr, pFileSize, pMemSize int
}

var (
	layout32 = layout{
		header: 52, section: 40, segment: 32,
		phOff: 28, shOff: 32, phEntSize: 42,
		shFlags: 8, shAddr: 12, shOffset: 16, shSize: 20, shLink: 24, shInfo: 28,
		pOffset: 4, pAddr: 8, pFileSize: 16, pMemSize: 20, pFlags: 24,
	}
	layout64 = layout{
		header: 64, section: 64, segment: 56,
		phOff: 32, shOff: 40, phEntSize: 54,
		shFlags: 8, shAddr: 16, shOffset: 24, shSize: 32, shLink: 40, shInfo: 44,
		pFlags: 4, pOffset: 8, pAddr: 16, pFileSize: 32, pMemSize: 40,
	}
)

// Bounds of what headers may ask for, besides the size of the file.
const (
	// maxSectionName is several times the longest name that a kernel can
	// look up (KSYM_NAME_LEN is 512), and sections are named after functions.
	maxSectionName = 4096

	pnXNum = 0xffff // the number of segments is in the first section header
)

// headers reads what the ELF header leads to.
type headers struct {
	layout
	f       *File
	order   binary.ByteOrder
	raw     []byte // the ELF header
	shNames uint64 // index of the section that holds the sections' names
}

// read fills in the file's type and its tables of headers.
func (f *File) read(data *filemap.File) error {
	ident := make([]byte, elf.EI_NIDENT)
	if _, err := data.ReadAt(ident, 0); err != nil {
		return fmt.Errorf("its header is cut off: %w", err)
	}
	h := headers{f: f, layout: layout32}
	switch elf.Class(ident[elf.EI_CLASS]) {
	case elf.ELFCLASS32:
	case elf.ELFCLASS64:
		f.Class64, h.layout = true, layout64
	default:
		return fmt.Errorf("class %#x", ident[elf.EI_CLASS])
	}
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
	case elf.ELFDATA2MSB:
		f.BigEndian = true
	default:
		return fmt.Errorf("byte order %#x", ident[elf.EI_DATA])
	}
	if v := elf.Version(ident[elf.EI_VERSION]); v != elf.EV_CURRENT {
		return fmt.Errorf("version %#x", int(v))
	}
	h.order = f.Order()
	h.raw = make([]byte, h.header)
	if _, err := data.ReadAt(h.raw, 0); err != nil {
		return fmt.Errorf("its header is cut off: %w", err)
	}
	f.Type = elf.Type(h.order.Uint16(h.raw[16:]))
	f.Machine = elf.Machine(h.order.Uint16(h.raw[18:]))
	return h.readTables()
}

func (h *headers) readTables() error {
	counts := h.raw[h.phEntSize:] // e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
	phSize, phNum := h.order.Uint16(counts), uint64(h.order.Uint16(counts[2:]))
	shSize, shNum := h.order.Uint16(counts[4:]), uint64(h.order.Uint16(counts[6:]))
	h.shNames = uint64(h.order.Uint16(counts[8:]))
	shOff, phOff := h.f.Word(h.raw[h.shOff:]), h.f.Word(h.raw[h.phOff:])
	if shOff != 0 {
		first, err := h.table("section", shOff, 1, int(shSize), h.section)
		if err != nil {
			return err
		}
		// Numbers that do not fit into 16 bits are in the first section header.
		if shNum == 0 {
			shNum = h.f.Word(first[h.shSize:])
		}
		if h.shNames == uint64(elf.SHN_XINDEX) {
			h.shNames = uint64(h.order.Uint32(first[h.shLink:]))
		}
		if phNum == pnXNum {
			phNum = uint64(h.order.Uint32(first[h.shInfo:]))
		}
	} else if shNum != 0 {
		return fmt.Errorf("%d section headers at no offset", shNum)
	}
	if err := h.readSections(shOff, shNum, int(shSize)); err != nil {
		return err
	}
	return h.readSegments(phOff, phNum, int(phSize))
}

// table returns the bytes of n headers, which the file must hold in full.
func (h *headers) table(what string, off, n uint64, size, want int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	fileSize := uint64(h.f.data.Size())
	switch {
	case size != want:
		return nil, fmt.Errorf("%s headers of %d bytes, not %d", what, size, want)
	case off > fileSize || n > (fileSize-off)/uint64(size):
		return nil, fmt.Errorf("%d %s headers at offset %#x, but the file ends at %#x: is it truncated?", n, what, off, fileSize)
	}
	return h.f.data.Bytes(int64(off), int64(n)*int64(size))
}

func (h *headers) readSections(off, n uint64, size int) error {
	raw, err := h.table("section", off, n, size, h.section)
	if err != nil || n == 0 {
		return err
	}
	if h.shNames >= n {
		return fmt.Errorf("section %d holds the names of sections, but there are %d", h.shNames, n)
	}
	f := h.f
	f.Sections = make([]Section, n)
	for i := range f.Sections {
		b := raw[i*size:]
		f.Sections[i] = Section{
			Index: i,
			Type:  elf.SectionType(h.order.Uint32(b[4:])),
			Flags: elf.SectionFlag(f.Word(b[h.shFlags:])),
			Addr:  f.Word(b[h.shAddr:]),
			Off:   f.Word(b[h.shOffset:]),
			Size:  f.Word(b[h.shSize:]),
			Link:  h.order.Uint32(b[h.shLink:]),
			Info:  h.order.Uint32(b[h.shInfo:]),
		}
	}
	if h.shNames == uint64(elf.SHN_UNDEF) {
		return nil
	}
	return h.nameSections(raw, size)
}

// nameSections gives the sections their names, all of which are parts of one
// string: a file can make them overlap as it likes.
func (h *headers) nameSections(raw []byte, size int) error {
	sections := h.f.Sections
	if t := sections[h.shNames].Type; t != elf.SHT_STRTAB {
		return fmt.Errorf("section %d holds the names of sections, but is of type %v", h.shNames, t)
	}
	b, err := h.f.Bytes(sections[h.shNames])
	if err != nil {
		return err
	}
	all := string(b)
	for i := range sections {
		at := h.order.Uint32(raw[i*size:])
		if uint64(at) >= uint64(len(all)) {
			return fmt.Errorf("the name of section %d is beyond the names", i)
		}
		name := all[at:min(uint64(at)+maxSectionName, uint64(len(all)))]
		end := bytes.IndexByte(b[at:int(at)+len(name)], 0)
		if end < 0 {
			return fmt.Errorf("the name of section %d does not end within %d bytes", i, len(name))
		}
		sections[i].Name = name[:end]
	}
	return nil
}

func (h *headers) readSegments(off, n uint64, size int) error {
	if n > 0 && off == 0 {
		return errors.New("program headers at no offset")
	}
	raw, err := h.table("program", off, n, size, h.segment)
	if err != nil {
		return err
	}
	f := h.f
	f.Segments = make([]Segment, n)
	for i := range f.Segments {
		b := raw[i*size:]
		f.Segments[i] = Segment{
			Type:     elf.ProgType(h.order.Uint32(b)),
			Flags:    elf.ProgFlag(h.order.Uint32(b[h.pFlags:])),
			Addr:     f.Word(b[h.pAddr:]),
			Off:      f.Word(b[h.pOffset:]),
			FileSize: f.Word(b[h.pFileSize:]),
			MemSize:  f.Word(b[h.pMemSize:]),
		}
	}
	return nil
}
