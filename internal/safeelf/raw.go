package safeelf

import (
	"debug/elf"
	"fmt"
	"slices"

	"github.com/initsect/initsect/internal/filemap"
)

// Raw says what a raw image, which has no headers, is.
type Raw struct {
	Machine string // as MachineName has it
	Base    uint64 // the address of its first byte

	// Offset and size in bytes of the table of relocations (Elf64_Rela) in the
	// image, and of the symbols that they are for (Elf64_Sym); 0 for none.
	RelocsOff, RelocsSize int
	DynsymOff, DynsymSize int
}

// NewRaw returns a raw image as a file without sections, of which one segment is
// all of the image. That segment is both code and data.
func NewRaw(data *filemap.File, raw Raw) (*File, error) {
	f, ok := machineOfName(raw.Machine)
	if !ok {
		return nil, fmt.Errorf("nothing tells for which machine the raw image is, or one that has none: %q", raw.Machine)
	}
	size := uint64(data.Size())
	f.data, f.Type, f.IsRaw = data, elf.ET_EXEC, true
	f.Segments = []Segment{{
		Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W | elf.PF_X, Addr: raw.Base, FileSize: size, MemSize: size,
	}}
	const dynsym = 1
	f.Sections = []Section{
		{},
		{Index: dynsym, Name: ".dynsym", Type: elf.SHT_DYNSYM, Off: uint64(raw.DynsymOff), Size: uint64(raw.DynsymSize)},
	}
	if raw.RelocsSize > 0 {
		f.Sections = append(f.Sections, Section{
			Index: 2, Name: ".rela.dyn", Type: elf.SHT_RELA, Flags: elf.SHF_ALLOC,
			Off: uint64(raw.RelocsOff), Size: uint64(raw.RelocsSize), Link: dynsym,
		})
	}
	return &f, nil
}

func machineOfName(name string) (File, bool) {
	i := slices.IndexFunc(namedMachines, func(f File) bool { return f.MachineName() == name })
	if i < 0 {
		return File{}, false
	}
	return namedMachines[i], true
}
