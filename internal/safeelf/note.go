package safeelf

import (
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
)

// ntGNUBuildID is the type of the note that holds the build id.
const ntGNUBuildID = 3

// notes returns the sections, or without section headers the segments, that
// hold ELF notes.
func (f *File) notes() []Section {
	var notes []Section
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NOTE {
			notes = append(notes, s)
		}
	}
	if len(f.Sections) > 0 {
		return notes
	}
	for _, p := range f.Segments {
		if p.Type == elf.PT_NOTE {
			notes = append(notes, Section{Name: "PT_NOTE", Type: elf.SHT_NOTE, Off: p.Off, Size: p.FileSize})
		}
	}
	return notes
}

// BuildID returns the GNU build id in hex, "" if the file has none. Call it
// under [filemap.Guard].
func (f *File) BuildID() (string, error) {
	for _, s := range f.notes() {
		notes, err := f.Bytes(s)
		if err != nil {
			return "", err
		}
		if id := BuildIDFromNotes(notes, f.Order()); id != "" {
			return id, nil
		}
	}
	return "", nil
}

// BuildIDFromNotes looks for the GNU build id among notes: each is the sizes
// of its name and description, its type, then the two, padded to 4 bytes
// (gABI, "Note Section").
func BuildIDFromNotes(notes []byte, order binary.ByteOrder) string {
	const header = 12
	for len(notes) >= header {
		nameSize, descSize := uint64(order.Uint32(notes)), uint64(order.Uint32(notes[4:]))
		typ := order.Uint32(notes[8:])
		notes = notes[header:]
		desc := (nameSize + 3) &^ 3
		next := desc + (descSize+3)&^3
		if desc+descSize > uint64(len(notes)) {
			return ""
		}
		if typ == ntGNUBuildID && string(notes[:nameSize]) == "GNU\x00" {
			return hex.EncodeToString(notes[desc : desc+descSize])
		}
		notes = notes[min(next, uint64(len(notes))):]
	}
	return ""
}
