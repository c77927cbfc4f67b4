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
func (m *memory) relocate(window extent, ranges []patched) error {
	for _, s := range m.elf.Sections {
		if !s.IsReloc() || !s.Alloc() || s.Size == 0 {
			continue
		}
		symtab := dynamicSymbols{elf: m.elf, section: s}
		var failed error
		err := m.elf.EachReloc(s, uint64(window.start), uint64(window.end), func(r safeelf.Reloc) {
			for i := range ranges {
				if failed == nil && ranges[i].holds(r) {
					failed = ranges[i].apply(r, &symtab, m.elf)
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

func (p patched) holds(r safeelf.Reloc) bool {
	return Addr(r.Off) >= p.start && Addr(r.Off) < p.end
}

// apply writes what one relocation computes.
func (p *patched) apply(r safeelf.Reloc, symtab *dynamicSymbols, elf *safeelf.File) error {
	off := uint64(Addr(r.Off) - p.start)
	switch r.Kind {
	case safeelf.RelocNone:
		return nil
	case safeelf.RelocUnknown:
		return fmt.Errorf("type %d at %#x is not known", r.Type, r.Off)
	}
	if uint64(r.Size) > uint64(len(p.bytes))-off {
		return nil // begins in the last entry and ends behind the table
	}
	place := p.bytes[off : off+uint64(r.Size)]
	value := uint64(r.Addend)
	if r.InPlace {
		value = readSized(place, elf)
	}
	if r.Kind != safeelf.RelocRelative {
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
