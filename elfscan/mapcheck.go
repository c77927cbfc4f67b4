package elfscan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/symbols"
)

// ErrMapMismatch is returned for a System.map that is not this image's.
var ErrMapMismatch = errors.New("the System.map is of another build")

// mismatchf says what a map has wrong. Addresses are the image's.
func (im *Image) mismatchf(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", im.mapFile, ErrMapMismatch, fmt.Sprintf(format, args...))
}

// pageSize is the least by which any architecture moves its kernel.
const pageSize = 4096

// undoKASLR brings the addresses of a running kernel's /proc/kallsyms back to
// those of the image, if the banner's address shows that KASLR has moved them.
// Whether the map then is the image's is checked like that of any other.
func (im *Image) undoKASLR(table *symbols.Table) (*symbols.Table, error) {
	addrs, err := boundaryAddrs(table, []string{symBanner, "_text", "_stext"})
	if err != nil {
		return nil, err
	}
	inMap, ok := addrs[symBanner]
	if !ok {
		return table, nil
	}
	if s, _ := im.mem.cString(inMap, maxBanner); strings.HasPrefix(s, bannerPrefix) {
		return table, nil
	}
	inImage, found, err := im.searchBanner()
	if err != nil {
		return nil, err
	}
	start, hasStart := addrs["_text"]
	if !hasStart {
		start, hasStart = addrs["_stext"]
	}
	shift := inMap - inImage
	if !found || !hasStart || shift%pageSize != 0 {
		return table, nil
	}
	im.kaslr = shift
	return table.Unshifted(start, im.mem.end()+shift+1, shift), nil
}

// checkMap holds a map against what the image itself says: the banner must
// stand where the map has it, sections that the linker script names must begin
// where the map has them, and the table of exported symbols must hold the
// addresses that the map gives the exported functions. That the entries of the
// tables agree with their entry symbols is checked when they are listed.
func (im *Image) checkMap() error {
	if _, ok := im.known[symEnd]; !ok {
		return fmt.Errorf("%s: the map has no %s, which every kernel has: is it truncated?", im.mapFile, symEnd)
	}
	if err := im.checkBanner(); err != nil {
		return err
	}
	if err := im.checkSectionStarts(); err != nil {
		return err
	}
	return im.checkExports()
}

func (im *Image) checkBanner() error {
	a, ok := im.known[symBanner]
	if !ok {
		return nil
	}
	if s, _ := im.mem.cString(a, maxBanner); !strings.HasPrefix(s, bannerPrefix) {
		if _, found, err := im.searchBanner(); err == nil && !found {
			return fmt.Errorf("the image has no %q anywhere: is it a wrapper around a compressed kernel?", bannerPrefix)
		}
		return im.mismatchf("it has %s at %#x, where the image has no %q", symBanner, a, bannerPrefix)
	}
	return nil
}

// sectionStarts are symbols that linker scripts define inside an output section
// of its own, before anything else in it, on every architecture
// (include/asm-generic/vmlinux.lds.h).
var sectionStarts = []struct{ symbol, section string }{
	{"__start___ksymtab", "__ksymtab"},
	{"__start___ksymtab_gpl", "__ksymtab_gpl"},
	{"__start___param", "__param"},
	{"__start___modver", "__modver"},
	{"__start___ex_table", "__ex_table"},
	{"__start___bug_table", "__bug_table"},
	{"__start_pci_fixups_early", ".pci_fixup"},
}

func (im *Image) checkSectionStarts() error {
	for _, s := range sectionStarts {
		a, inMap := im.known[s.symbol]
		i := slices.IndexFunc(im.mem.regions, func(r region) bool { return r.name == s.section })
		if !inMap || i < 0 {
			continue
		}
		if r := im.mem.regions[i]; !r.contains(a) {
			return im.mismatchf("it has %s at %#x, but section %s is at %#x", s.symbol, a, s.section, r.addr)
		}
	}
	return nil
}

const exportPrefix = "__ksymtab_"

// exportSample is how many exported symbols are compared. The linker sorts
// them by name, so the first ones are for functions from all over the image.
const exportSample = 256

// checkExports compares the exported symbols: __ksymtab_<name> is an entry
// that holds the address of <name>, in the encoding that initcalls have too.
func (im *Image) checkExports() error {
	exports, err := im.exports()
	if err != nil || len(exports) == 0 {
		return err
	}
	window := extent{exports[0].Addr, exports[0].Addr}
	for _, s := range exports {
		window.start, window.end = min(window.start, s.Addr), max(window.end, s.Addr)
	}
	window.end += Addr(im.elf.WordSize())
	if _, err := im.mem.locate(window); err != nil {
		return im.mismatchf("its exported symbols: %v", err)
	}
	raw, err := im.mem.read(window)
	if err != nil {
		return err
	}
	return im.compareExports(exports, raw[0])
}

// exports returns the map's __ksymtab_ symbols in the first section that holds
// any.
func (im *Image) exports() ([]symbols.Symbol, error) {
	all, err := im.syms.Prefixed(exportPrefix, exportSample)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	r, ok := im.mem.regionAt(all[0].Addr)
	if !ok {
		return nil, im.mismatchf("it has %s at %#x, which lies in no section of the image", all[0].Name, all[0].Addr)
	}
	return slices.DeleteFunc(all, func(s symbols.Symbol) bool { return !r.contains(s.Addr) }), nil
}

func (im *Image) compareExports(exports []symbols.Symbol, raw patched) error {
	var agree int
	var first string
	for _, f := range im.plainFormats() {
		var targets []Addr
		for _, s := range exports {
			off := s.Addr - raw.start
			one := patched{extent: extent{s.Addr, s.Addr + Addr(f.size)}, bytes: raw.bytes[off : off+Addr(f.size)]}
			e := im.decode(one, f)[0]
			if f.encoding == EncodingDescriptor {
				e.target = e.value // the exported name is the descriptor's
			}
			targets = append(targets, e.target)
		}
		at, err := im.syms.At(targets)
		if err != nil {
			return err
		}
		n := 0
		for i, s := range exports {
			want := strings.TrimPrefix(s.Name, exportPrefix)
			if slices.ContainsFunc(at[targets[i]], func(s symbols.Symbol) bool { return s.Name == want }) {
				n++
			} else if first == "" {
				first = want
			}
		}
		agree = max(agree, n)
	}
	// All agree on every kernel seen. One in fifty is left for what a filter
	// may have dropped from the map.
	if 50*(len(exports)-agree) > len(exports) {
		return im.mismatchf("%d of its %d exported symbols are not where the image has them, such as %s",
			len(exports)-agree, len(exports), first)
	}
	return nil
}

// checkMapAgainstSymtab makes sure that a map says nothing that the image's
// own symbol table does not say, but of what has been taken out of the image:
// the postlink step of a relocatable RISC-V kernel removes .rela.dyn, and so the
// symbols from its start, __rela_dyn_start, to its end, __init_data_end.
func (im *Image) checkMapAgainstSymtab(m, symtab *symbols.Table) error {
	inMap, err := m.All()
	if err != nil {
		return err
	}
	own, err := symtab.All()
	if err != nil {
		return err
	}
	type key struct {
		name string
		addr Addr
	}
	known := make(map[key]bool, len(own))
	for _, s := range own {
		known[key{s.Name, s.Addr}] = true
	}
	for _, s := range inMap {
		_, held := im.mem.regionAt(s.Addr)
		_, heldBefore := im.mem.regionAt(s.Addr - 1)
		if held && heldBefore && !known[key{s.Name, s.Addr}] {
			return im.mismatchf("it has %s at %#x, the image's own symbol table does not", s.Name, s.Addr)
		}
	}
	return nil
}

// checkMapAgainstKallsyms makes sure that a map has the functions where the
// kernel's own symbol table, if it carries one, has them. Builds that differ in
// little else than a table differ there.
func (im *Image) checkMapAgainstKallsyms() error {
	own, err := im.Kallsyms()
	if errors.Is(err, symbols.ErrNoKallsyms) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the kernel's own symbol table, against which the map is held: %w", err)
	}
	inMap, err := im.syms.All()
	if err != nil {
		return err
	}
	addrs := make(map[string][]Addr, len(inMap))
	for _, s := range inMap {
		addrs[s.Name] = append(addrs[s.Name], s.Addr)
	}
	kernel, err := own.All()
	if err != nil {
		return err
	}
	for _, s := range kernel {
		if at := addrs[s.Name]; len(at) > 0 && !slices.Contains(at, s.Addr) && s.Kind.Text() {
			return im.mismatchf("it has %s at %#x, the kernel's own symbol table at %#x", s.Name, at[0], s.Addr)
		}
	}
	return nil
}
