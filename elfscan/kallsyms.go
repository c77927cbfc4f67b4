package elfscan

import (
	"errors"
	"fmt"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/symbols"
)

// Kallsyms finds and decodes the symbol table that the kernel carries in its
// own memory, whatever other symbols the file has. It proves itself, as
// [symbols.FindKallsyms] says.
func (im *Image) Kallsyms() (found *symbols.Kallsyms, err error) {
	switch {
	case im.kallsyms != nil:
		return im.kallsyms, nil
	case !im.Linked():
		return nil, errors.New("only a linked kernel has a symbol table of its own")
	}
	defer filemap.Guard(&err)()
	kernel := symbols.Kernel{WordSize: im.elf.WordSize(), Order: im.elf.Order(), Read: im.mem.readRelocated}
	for _, r := range im.mem.regions {
		if r.filed == 0 {
			continue
		}
		b, err := im.elf.Range(r.off, r.filed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		kernel.Pieces = append(kernel.Pieces, symbols.Piece{Addr: r.addr, Bytes: b})
	}
	return symbols.FindKallsyms(kernel)
}

// readRelocated returns n bytes from an address on, after relocation.
func (m *memory) readRelocated(from Addr, n int) ([]byte, error) {
	read, err := m.read(extent{from, from + Addr(n)})
	if err != nil {
		return nil, err
	}
	return read[0].bytes, nil
}

// loadKallsyms names functions by the kernel's own symbol table, where there is
// no other.
func (im *Image) loadKallsyms() error {
	found, err := im.Kallsyms()
	if errors.Is(err, symbols.ErrNoKallsyms) {
		return ErrNoSymbols
	}
	if err != nil {
		return fmt.Errorf("%w but the kernel's own, which cannot be read: %w", ErrNoSymbols, err)
	}
	return im.setSymbols(found.Table)
}

// SymbolsFrom returns the symbol table of one source, or of that in use if
// source is "".
func (im *Image) SymbolsFrom(source symbols.Source) (*symbols.Table, error) {
	switch {
	case im.Container == ContainerArchive:
		return nil, errors.New("an archive has no symbol table, but each of its members has")
	case source == "" || source == im.SymbolSource():
		return im.syms, nil
	case source == symbols.SourceKallsyms:
		found, err := im.Kallsyms()
		if err != nil {
			return nil, err
		}
		return found.Table, nil
	}
	return nil, fmt.Errorf("no symbols from %s: those in use are from %s", source, im.SymbolSource())
}
