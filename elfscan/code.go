package elfscan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/insn"
	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/symbols"
)

// ErrCodeUnknown is returned where who refers to what cannot be told, because
// the machine's instructions are not known here.
var ErrCodeUnknown = errors.New("the instructions of this machine are not known")

// Range is a range of addresses, both ends included.
type Range struct{ From, To Addr }

// Reference is a place in the kernel that refers to a wanted address.
type Reference struct {
	At     Addr
	Target Addr
	Name   string // of the function or variable that it is in, "" if that has none
	Start  Addr   // of that function or variable
	Kind   ReferenceKind
}

// ReferenceKind is how something refers to an address.
type ReferenceKind int

// The kinds of references.
const (
	ReferenceBranch  ReferenceKind = iota // a direct call or jump
	ReferenceAddress                      // code that makes the address, or loads it
	ReferencePointer                      // a pointer in data
)

// References returns what in a linked kernel refers to an address in one of the
// ranges: code that makes such an address, and pointers in data. Code that takes
// the address out of such a pointer refers to it, too. Neither the kernel's own
// table of symbols nor the linker's table of addresses is taken for a reference.
func (im *Image) References(to ...Range) (refs []Reference, err error) {
	defer filemap.Guard(&err)()
	code, err := im.code()
	if err != nil {
		return nil, err
	}
	wanted := insnRanges(to)
	pointers, err := im.pointersTo(code, wanted)
	if err != nil {
		return nil, err
	}
	holds := map[Addr]Addr{}
	for _, p := range pointers {
		holds[p.At] = p.Target
		wanted = append(wanted, insn.Range{Start: uint64(p.At), End: uint64(p.At)})
	}
	if refs, err = im.scanCode(code, wanted); err != nil {
		return nil, err
	}
	for i := range refs {
		if target, ok := holds[refs[i].Target]; ok {
			refs[i].Target = target
		}
	}
	pointers = slices.DeleteFunc(pointers, func(r Reference) bool { return isAddressTable(im.sectionAt(r.At)) })
	return append(refs, pointers...), nil
}

func insnRanges(ranges []Range) []insn.Range {
	var out []insn.Range
	for _, r := range ranges {
		out = append(out, insn.Range{Start: uint64(r.From), End: uint64(r.To)})
	}
	return out
}

// isAddressTable reports whether a section holds the addresses that code loads
// because it cannot make them.
func isAddressTable(section string) bool {
	return section == ".got" || section == ".toc" || strings.HasPrefix(section, ".got.")
}

// Callers returns the code of a linked kernel that refers to one of the
// functions, given by their addresses.
func (im *Image) Callers(functions ...Addr) (refs []Reference, err error) {
	defer filemap.Guard(&err)()
	code, err := im.code()
	if err != nil {
		return nil, err
	}
	var wanted []insn.Range
	for _, f := range functions {
		first, err := im.mem.readRaw(extent{f, f + maxEntryBytes})
		if err != nil {
			first = nil // at the end of its section
		}
		wanted = append(wanted, code.Entry(uint64(f), first))
	}
	return im.scanCode(code, wanted)
}

// maxEntryBytes is how much of a function says where it may be entered.
const maxEntryBytes = 8

// code says how to read the image's instructions.
func (im *Image) code() (insn.Code, error) {
	c := insn.Code{Machine: im.elf.Machine, Class64: im.elf.Class64, BigEndian: im.elf.BigEndian}
	found, err := im.syms.Named(".TOC.", "__global_pointer$")
	if err != nil {
		return c, err
	}
	for _, defs := range found {
		c.GlobalPointer = uint64(defs[0].Addr)
	}
	if s, ok := im.elf.SectionByName(".got"); ok && c.GlobalPointer == 0 && c.Machine == safeelf.MachinePPC64 {
		c.GlobalPointer = s.Addr + tocBias
	}
	if !c.Supported() {
		return c, ErrCodeUnknown
	}
	return c, nil
}

// tocBias is how far behind the start of .got the register r2 of PowerPC points.
const tocBias = 0x8000

func (im *Image) scanCode(code insn.Code, wanted []insn.Range) ([]Reference, error) {
	pieces, err := im.codePieces()
	if err != nil {
		return nil, err
	}
	var refs []Reference
	for _, r := range pieces {
		bytes, err := im.elf.Range(r.off, r.filed)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", r.name, err)
		}
		code.Find(bytes, uint64(r.addr), wanted, func(ref insn.Ref) {
			kind := ReferenceAddress
			if ref.Kind == insn.Branch {
				kind = ReferenceBranch
			}
			refs = append(refs, Reference{At: Addr(ref.At), Target: Addr(ref.Target), Kind: kind})
		})
	}
	return refs, im.nameReferences(refs)
}

// codePieces returns the regions with code. Of a raw image, which is one region,
// they are what its symbols say is text.
func (im *Image) codePieces() ([]region, error) {
	var pieces []region
	for _, r := range im.mem.regions {
		if r.exec && r.filed > 0 {
			pieces = append(pieces, r)
		}
	}
	if !im.elf.IsRaw {
		return pieces, nil
	}
	edges, err := boundaryAddrs(im.syms, []string{"_stext", "_etext", symInitTextStart, symInitTextEnd})
	if err != nil {
		return nil, err
	}
	whole := pieces[0]
	pieces = nil
	for _, names := range [][2]string{{"_stext", "_etext"}, {symInitTextStart, symInitTextEnd}} {
		start, hasStart := edges[names[0]]
		end, hasEnd := edges[names[1]]
		if !hasStart || !hasEnd || end <= start || !whole.contains(start) || !whole.contains(end-1) {
			return []region{whole}, nil
		}
		pieces = append(pieces, region{
			name: names[0], addr: start, off: whole.off + uint64(start-whole.addr), size: uint64(end - start), filed: uint64(end - start), exec: true,
		})
	}
	return pieces, nil
}

// pointersTo returns the pointers in data that hold a wanted address.
func (im *Image) pointersTo(code insn.Code, wanted []insn.Range) ([]Reference, error) {
	read, err := im.readData()
	if err != nil {
		return nil, err
	}
	var refs []Reference
	for _, p := range read {
		code.Words(p.bytes, uint64(p.start), wanted, func(ref insn.Ref) {
			refs = append(refs, Reference{At: Addr(ref.At), Target: Addr(ref.Target), Kind: ReferencePointer})
		})
	}
	if err := im.nameReferences(refs); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(refs, func(r Reference) bool { return strings.HasPrefix(r.Name, "kallsyms_") }), nil
}

// nameReferences says which function or variable each reference is in: the
// nearest symbol of its kind at or before it in its section.
func (im *Image) nameReferences(refs []Reference) error {
	if len(refs) == 0 {
		return nil
	}
	all, err := im.syms.All()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s symbols.Symbol) bool { return isMappingSymbol(s.Name) })
	slices.SortFunc(all, func(a, b symbols.Symbol) int { return cmp.Compare(a.Addr, b.Addr) })
	for i := range refs {
		r := &refs[i]
		end, _ := slices.BinarySearchFunc(all, r.At+1, func(s symbols.Symbol, a Addr) int { return cmp.Compare(s.Addr, a) })
		end--
		for end >= 0 && all[end].Kind.Text() == (r.Kind == ReferencePointer) {
			end--
		}
		if end < 0 || !im.sameRegion(all[end].Addr, r.At) {
			continue
		}
		r.Start = all[end].Addr
		first := end
		for first > 0 && all[first-1].Addr == r.Start {
			first--
		}
		if best := symbols.Preferred(all[first : end+1]); best >= 0 {
			r.Name = all[first+best].Name
		}
	}
	return nil
}

// isMappingSymbol reports whether a symbol only says what follows: ARM's $a, $t
// and $d, and the assembler's labels.
func isMappingSymbol(name string) bool {
	return strings.HasPrefix(name, "$") || strings.HasPrefix(name, ".L")
}
