// Package safeelf reads the structure of ELF files that nobody vouches for.
//
// It is the only importer of debug/elf, whose documentation says that it is
// not hardened against hostile input: its panics become errors here, what
// would make it allocate without bound is refused beforehand, and no section
// or segment is handed out that the file does not hold in full.
package safeelf

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/initsect/initsect/internal/filemap"
)

// ErrNotELF is returned for a file that does not begin as an ELF file does.
var ErrNotELF = errors.New("not an ELF file")

// File is the structure of one ELF file.
type File struct {
	Type      elf.Type
	Machine   elf.Machine
	Class64   bool
	BigEndian bool
	IsRaw     bool      // it is a raw image, described as NewRaw was told
	Sections  []Section // by section header index
	Segments  []Segment

	data *filemap.File
}

// Section is one section header.
type Section struct {
	Index int
	Name  string
	Type  elf.SectionType
	Flags elf.SectionFlag
	Addr  uint64
	Off   uint64
	Size  uint64 // in the file, or of the memory if NoBits
	Link  uint32
	Info  uint32
}

// Segment is one program header.
type Segment struct {
	Type     elf.ProgType
	Flags    elf.ProgFlag
	Addr     uint64 // virtual
	Off      uint64
	FileSize uint64
	MemSize  uint64
}

// Machine is the e_machine of a file.
type Machine = elf.Machine

// Types and machines that callers branch on.
const (
	TypeRel  = elf.ET_REL
	TypeExec = elf.ET_EXEC
	TypeDyn  = elf.ET_DYN
	TypeCore = elf.ET_CORE

	Machine386     = elf.EM_386
	MachineARM     = elf.EM_ARM
	MachineIA64    = elf.EM_IA_64
	MachineMIPS    = elf.EM_MIPS
	MachinePARISC  = elf.EM_PARISC
	MachinePPC64   = elf.EM_PPC64
	MachineRISCV   = elf.EM_RISCV
	MachineS390    = elf.EM_S390
	MachineAMD64   = elf.EM_X86_64
	MachineAArch64 = elf.EM_AARCH64
)

// New reads the headers of an ELF file.
func New(data *filemap.File) (f *File, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("malformed ELF file: %v", r)
		}
	}()
	defer filemap.Guard(&err)()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := data.ReadAt(magic, 0); err != nil || string(magic) != elf.ELFMAG {
		return nil, ErrNotELF
	}
	if err := checkSectionNames(data); err != nil {
		return nil, fmt.Errorf("malformed ELF file: %w", err)
	}
	raw, err := elf.NewFile(data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("malformed ELF file: its headers lead beyond its end at %#x: is it truncated?", data.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("malformed ELF file: %w", err)
	}
	read := newFile(raw, data)
	if err := read.checkBounds(); err != nil {
		return nil, err
	}
	return read, nil
}

func newFile(raw *elf.File, data *filemap.File) *File {
	f := &File{
		Type:      raw.Type,
		Machine:   raw.Machine,
		Class64:   raw.Class == elf.ELFCLASS64,
		BigEndian: raw.Data == elf.ELFDATA2MSB,
		data:      data,
	}
	for i, s := range raw.Sections {
		f.Sections = append(f.Sections, Section{
			Index: i, Name: s.Name, Type: s.Type, Flags: s.Flags,
			Addr: s.Addr, Off: s.Offset, Size: s.FileSize, Link: s.Link, Info: s.Info,
		})
	}
	for _, p := range raw.Progs {
		f.Segments = append(f.Segments, Segment{
			Type: p.Type, Flags: p.Flags, Addr: p.Vaddr, Off: p.Off, FileSize: p.Filesz, MemSize: p.Memsz,
		})
	}
	return f
}

// maxOverlap bounds how often the bytes of a file may be part of sections on
// average. In an honest file they are part of one at most.
const maxOverlap = 2

// checkBounds refuses a file that does not hold what its headers promise: one
// that was cut off, or one whose headers lie.
func (f *File) checkBounds() error {
	size := uint64(f.data.Size())
	total := uint64(0)
	for _, s := range f.Sections {
		if s.HasBytes() {
			total += min(s.Size, size)
		}
		if s.HasBytes() && s.Size > 0 && (s.Off > size || s.Size > size-s.Off) {
			return fmt.Errorf("section %s: %#x bytes at offset %#x, but the file ends at %#x: is it truncated?",
				s.Label(), s.Size, s.Off, size)
		}
		if s.Alloc() && s.Addr+s.Size < s.Addr {
			return fmt.Errorf("section %s: %#x bytes at address %#x wrap around", s.Label(), s.Size, s.Addr)
		}
		if s.Alloc() && s.Compressed() {
			return fmt.Errorf("section %s is part of the image, and yet compressed", s.Label())
		}
	}
	if total > maxOverlap*size {
		return fmt.Errorf("its sections have %#x bytes together, but the file only %#x: they overlap", total, size)
	}
	// Beside sections, segments are not used; those of a separate debug file
	// promise bytes that it does not hold.
	if slices.ContainsFunc(f.Sections, func(s Section) bool { return s.Alloc() && s.Size > 0 }) {
		return nil
	}
	for i, p := range f.Segments {
		if p.Type == elf.PT_LOAD && (p.Off > size || p.FileSize > size-p.Off) {
			return fmt.Errorf("segment %d: %#x bytes at offset %#x, but the file ends at %#x: is it truncated?",
				i, p.FileSize, p.Off, size)
		}
		if p.Addr+p.MemSize < p.Addr {
			return fmt.Errorf("segment %d: %#x bytes at address %#x wrap around", i, p.MemSize, p.Addr)
		}
	}
	return nil
}

// Bytes returns the bytes of a section, mapped; read them under
// [filemap.Guard]. A section without bytes has none.
func (f *File) Bytes(s Section) ([]byte, error) {
	if !s.HasBytes() || s.Size == 0 {
		return nil, nil
	}
	b, err := f.data.Bytes(int64(s.Off), int64(s.Size))
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", s.Label(), err)
	}
	return b, nil
}

// Range returns n bytes of the file from offset off, mapped; read them under
// [filemap.Guard].
func (f *File) Range(off, n uint64) ([]byte, error) { return f.data.Bytes(int64(off), int64(n)) }

// ReadAt reads the file itself.
func (f *File) ReadAt(b []byte, off int64) (int, error) { return f.data.ReadAt(b, off) }

// SectionByType returns the first section of a type.
func (f *File) SectionByType(t elf.SectionType) (Section, bool) {
	i := slices.IndexFunc(f.Sections, func(s Section) bool { return s.Type == t })
	if i < 0 {
		return Section{}, false
	}
	return f.Sections[i], true
}

// SectionByName returns the first section of a name.
func (f *File) SectionByName(name string) (Section, bool) {
	i := slices.IndexFunc(f.Sections, func(s Section) bool { return s.Name == name })
	if i < 0 {
		return Section{}, false
	}
	return f.Sections[i], true
}

// Symtab returns the section that holds the static symbol table.
func (f *File) Symtab() (Section, bool) { return f.SectionByType(elf.SHT_SYMTAB) }

// SymtabShndx returns the section with the symbols' large section indices.
func (f *File) SymtabShndx() (Section, bool) { return f.SectionByType(elf.SHT_SYMTAB_SHNDX) }

// Linked returns the section that s names in sh_link.
func (f *File) Linked(s Section) (Section, error) {
	if s.Link == 0 || int64(s.Link) >= int64(len(f.Sections)) {
		return Section{}, fmt.Errorf("section %s: sh_link is %d, but there are %d sections", s.Label(), s.Link, len(f.Sections))
	}
	return f.Sections[s.Link], nil
}

// Order is the file's byte order.
func (f *File) Order() binary.ByteOrder {
	if f.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// WordSize is the size of a pointer in bytes.
func (f *File) WordSize() int {
	if f.Class64 {
		return 8
	}
	return 4
}

// Word reads a pointer from the first bytes of b.
func (f *File) Word(b []byte) uint64 {
	if f.Class64 {
		return f.Order().Uint64(b)
	}
	return uint64(f.Order().Uint32(b))
}

// Label names a section in messages: by its name, or by its index.
func (s Section) Label() string {
	if s.Name == "" {
		return fmt.Sprintf("[%d]", s.Index)
	}
	return s.Name
}

// HasBytes reports whether the file holds bytes of the section.
func (s Section) HasBytes() bool { return s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL }

// Alloc reports whether the section occupies memory while the kernel runs.
func (s Section) Alloc() bool { return s.Flags&elf.SHF_ALLOC != 0 }

// Exec reports whether the section holds instructions.
func (s Section) Exec() bool { return s.Flags&elf.SHF_EXECINSTR != 0 }

// Write reports whether the section is writable.
func (s Section) Write() bool { return s.Flags&elf.SHF_WRITE != 0 }

// Compressed reports whether the section's bytes are compressed.
func (s Section) Compressed() bool { return s.Flags&elf.SHF_COMPRESSED != 0 }

// Debugging reports whether the section holds debug information by its name,
// as BFD judges it.
func (s Section) Debugging() bool {
	return !s.Alloc() && len(s.Name) > 6 && s.Name[:6] == ".debug"
}

// Loaded reports whether the segment is part of the kernel in memory.
func (p Segment) Loaded() bool { return p.Type == elf.PT_LOAD }

// Exec reports whether the segment holds instructions.
func (p Segment) Exec() bool { return p.Flags&elf.PF_X != 0 }

// Write reports whether the segment is writable.
func (p Segment) Write() bool { return p.Flags&elf.PF_W != 0 }
