package safeelf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"

	"github.com/initsect/initsect/internal/filemap"
)

// errOverlappingNames is returned for a file whose section names are parts of
// one another: debug/elf copies each, which turns 5 MB of file into 65 GB.
var errOverlappingNames = errors.New("the names of its sections add up to more than the file")

// checkSectionNames makes sure that the sections' names together are no longer
// than the file. What it cannot read debug/elf cannot read either, and says so
// better.
func checkSectionNames(data *filemap.File) error {
	t, ok := findSectionTable(data)
	if !ok {
		return nil
	}
	names, ok := t.names(data)
	if !ok {
		return nil
	}
	total := int64(0)
	for row := t.rows; int64(len(row)) >= t.rowSize; row = row[t.rowSize:] {
		at := t.order.Uint32(row) // sh_name comes first in either class
		if int64(at) >= int64(len(names)) {
			continue
		}
		end := bytes.IndexByte(names[at:], 0)
		if end < 0 {
			return nil // debug/elf refuses it at once
		}
		if total += int64(end); total > data.Size() {
			return errOverlappingNames
		}
	}
	return nil
}

// sectionTable is the table of section headers as it lies in the file.
type sectionTable struct {
	order   binary.ByteOrder
	class64 bool
	rows    []byte
	rowSize int64
	strings uint32 // which section has their names
}

// findSectionTable reads what the ELF header says of the table. Numbers too
// large for it are in the first section header (gABI, "ELF Header").
func findSectionTable(data *filemap.File) (t sectionTable, ok bool) {
	ident := make([]byte, elf.EI_NIDENT)
	if _, err := data.ReadAt(ident, 0); err != nil {
		return t, false
	}
	t.order = binary.LittleEndian
	if elf.Data(ident[elf.EI_DATA]) == elf.ELFDATA2MSB {
		t.order = binary.BigEndian
	}
	t.class64 = elf.Class(ident[elf.EI_CLASS]) == elf.ELFCLASS64
	file := io.NewSectionReader(data, 0, data.Size())
	var off, count int64
	if t.class64 {
		var h elf.Header64
		if binary.Read(file, t.order, &h) != nil {
			return t, false
		}
		off, count, t.rowSize, t.strings = int64(h.Shoff), int64(h.Shnum), int64(h.Shentsize), uint32(h.Shstrndx)
	} else {
		var h elf.Header32
		if binary.Read(file, t.order, &h) != nil {
			return t, false
		}
		off, count, t.rowSize, t.strings = int64(h.Shoff), int64(h.Shnum), int64(h.Shentsize), uint32(h.Shstrndx)
	}
	var err error
	if t.rows, err = data.Bytes(off, t.rowSize); err != nil || t.rowSize == 0 {
		return t, false
	}
	first, ok := t.row(0)
	if !ok {
		return t, false
	}
	if count == 0 {
		count = int64(first.Size)
	}
	if t.strings == uint32(elf.SHN_XINDEX) {
		t.strings = first.Link
	}
	if count <= 0 || count > data.Size()/t.rowSize {
		return t, false
	}
	t.rows, err = data.Bytes(off, count*t.rowSize)
	return t, err == nil
}

// row decodes a section header.
func (t sectionTable) row(i int64) (s elf.Section64, ok bool) {
	if i < 0 || i >= int64(len(t.rows))/t.rowSize {
		return s, false
	}
	r := bytes.NewReader(t.rows[i*t.rowSize:])
	if t.class64 {
		err := binary.Read(r, t.order, &s)
		return s, err == nil
	}
	var s32 elf.Section32
	err := binary.Read(r, t.order, &s32)
	return elf.Section64{Off: uint64(s32.Off), Size: uint64(s32.Size), Link: s32.Link}, err == nil
}

func (t sectionTable) names(data *filemap.File) ([]byte, bool) {
	s, ok := t.row(int64(t.strings))
	if !ok {
		return nil, false
	}
	b, err := data.Bytes(int64(s.Off), int64(s.Size))
	return b, err == nil
}
