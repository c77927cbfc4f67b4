package elfscan

import (
	"fmt"
	"math"

	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/symbols"
)

// ref is what one relocation refers to.
type ref struct {
	place Place
	name  string // of an undefined symbol
	index int    // of the section
	kind  safeelf.RelocKind
	size  int
}

// refs resolves the relocations of a section, by the offsets that they apply
// to.
func (im *Image) refs(s safeelf.Section) (map[uint64]ref, error) {
	bytes, err := im.elf.Bytes(s)
	if err != nil {
		return nil, err
	}
	found := map[uint64]ref{}
	for _, rs := range im.elf.Sections {
		if !rs.IsReloc() || int64(rs.Info) != int64(s.Index) {
			continue
		}
		var failed error
		err := im.elf.EachReloc(rs, 0, math.MaxUint64, func(r safeelf.Reloc) {
			if failed != nil || r.Kind == safeelf.RelocNone {
				return
			}
			found[r.Off], failed = im.resolve(r, bytes)
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", rs.Label(), err)
		}
	}
	return found, nil
}

func (im *Image) resolve(r safeelf.Reloc, section []byte) (ref, error) {
	if int64(r.Sym) >= int64(im.syms.Len()) {
		return ref{}, fmt.Errorf("the relocation at %#x is for symbol %d of %d", r.Off, r.Sym, im.syms.Len())
	}
	sym, err := im.syms.Row(int(r.Sym))
	if err != nil {
		return ref{}, err
	}
	if sym.Kind == symbols.KindUndefined {
		return ref{name: sym.Name, kind: r.Kind, size: r.Size}, nil
	}
	addend := uint64(r.Addend)
	if r.InPlace && r.Size > 0 && r.Off <= uint64(len(section)) && uint64(r.Size) <= uint64(len(section))-r.Off {
		addend = readSized(section[r.Off:r.Off+uint64(r.Size)], im.elf)
	}
	addr := sym.Addr + Addr(addend)
	if !im.elf.Class64 {
		addr &= math.MaxUint32
	}
	if im.elf.Machine == safeelf.MachineARM {
		addr &^= 1
	}
	out := ref{place: Place{Addr: addr, Known: true}, index: sym.Section, kind: r.Kind, size: r.Size}
	if sym.Section < len(im.elf.Sections) {
		out.place.Section = im.elf.Sections[sym.Section].Name
	}
	return out, nil
}

// function reports whether a relocation can be for a function: it is for code,
// for a function's descriptor, or for something in another object.
func (r ref) function(elf *safeelf.File) bool {
	if !r.place.Known {
		return r.name != ""
	}
	return r.index < len(elf.Sections) && (elf.Sections[r.index].Exec() || r.place.Section == ".opd")
}
