package elfscan

import (
	"fmt"

	"github.com/initsect/initsect/internal/safeelf"
)

// relocate applies to the ranges what the kernel's boot code will apply
// before any initcall runs: the relocations in sections that are part of the
// image (.rela.dyn, .rel.dyn, .relr.dyn). The load address is taken to be the
// link address. Sections that are not part of the image are what
// --emit-relocs leaves behind, already applied by the linker.
func (m *memory) relocate(window extent, ranges []patched, which relocations) error {
	for _, s := range m.elf.Sections {
		if !s.IsReloc() || !s.Alloc() || s.Size == 0 {
			continue
		}
		symtab := dynamicSymbols{elf: m.elf, section: s}
		var failed error
		from := window.start - min(window.start, maxRelocSize-1)
		err := m.elf.EachReloc(s, uint64(from), uint64(window.end), func(r safeelf.Reloc) {
			for i := range ranges {
				if failed == nil && ranges[i].touches(r) {
					failed = ranges[i].apply(r, &symtab, m.elf)
				}
				if which == applyKnown {
					failed = nil
				}
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return fmt.Errorf("relocations in %s: %w", s.Label(), err)
		}
	}
	return nil
}

// relocations says what becomes of a relocation that cannot be computed.
type relocations int

const (
	applyAll   relocations = iota // it is an error
	applyKnown                    // it is left out
)

// maxRelocSize is the most that a relocation writes, in bytes.
const maxRelocSize = 8

// touches reports whether a relocation writes into the range. One of unknown
// size is taken to write the byte that it names.
func (p patched) touches(r safeelf.Reloc) bool {
	at := Addr(r.Off)
	return p.size() > 0 && at < p.end && at+Addr(max(r.Size, 1)) > p.start
}

// apply writes what one relocation computes.
func (p *patched) apply(r safeelf.Reloc, symtab *dynamicSymbols, elf *safeelf.File) error {
	switch r.Kind {
	case safeelf.RelocNone:
		return nil
	case safeelf.RelocUnknown:
		return fmt.Errorf("type %d at %#x is not known", r.Type, r.Off)
	}
	if at := Addr(r.Off); at < p.start || at+Addr(r.Size) > p.end {
		return fmt.Errorf("type %d at %#x writes across the edge of %#x to %#x", r.Type, r.Off, p.start, p.end)
	}
	off := uint64(Addr(r.Off) - p.start)
	place := p.bytes[off : off+uint64(r.Size)]
	value := uint64(r.Addend)
	if r.InPlace {
		value = readSized(place, elf)
	}
	// R_MIPS_REL32 may have a symbol, a relative one of another machine none.
	if r.Kind != safeelf.RelocRelative || elf.Machine == safeelf.MachineMIPS {
		sym, err := symtab.value(r.Sym)
		if err != nil {
			return fmt.Errorf("at %#x: %w", r.Off, err)
		}
		value += sym
	}
	if r.Kind == safeelf.RelocPC {
		value -= r.Off
	}
	writeSized(place, value, elf)
	p.relocs++
	return nil
}

func readSized(b []byte, elf *safeelf.File) uint64 {
	if len(b) == 8 {
		return elf.Order().Uint64(b)
	}
	return uint64(elf.Order().Uint32(b))
}

func writeSized(b []byte, v uint64, elf *safeelf.File) {
	if len(b) == 8 {
		elf.Order().PutUint64(b, v)
		return
	}
	elf.Order().PutUint32(b, uint32(v))
}

// dynamicSymbols gives the values of the symbols that a section of
// relocations refers to; it looks only when asked, which is seldom.
type dynamicSymbols struct {
	elf     *safeelf.File
	section safeelf.Section
	rows    []byte
}

func (d *dynamicSymbols) value(index uint32) (uint64, error) {
	if index == 0 {
		return 0, nil
	}
	if d.rows == nil {
		linked, err := d.elf.Linked(d.section)
		if err != nil {
			return 0, err
		}
		if d.rows, err = d.elf.Bytes(linked); err != nil {
			return 0, err
		}
	}
	size, value := 16, 4 // Elf32_Sym
	if d.elf.Class64 {
		size, value = 24, 8
	}
	at := int64(index)*int64(size) + int64(value)
	if at+int64(d.elf.WordSize()) > int64(len(d.rows)) {
		return 0, fmt.Errorf("symbol %d is beyond the dynamic symbol table", index)
	}
	return d.elf.Word(d.rows[at:]), nil
}
