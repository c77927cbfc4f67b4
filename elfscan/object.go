package elfscan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/symbols"
)

// In an object file (ET_REL) no table has been built yet: each level is an
// input section, an entry is a relocation in it, and addresses are offsets in
// sections.

const (
	sectionThisModule = ".gnu.linkonce.this_module" // struct module of a .ko
	sectionModinfo    = ".modinfo"
	symInitModule     = "init_module"
	symCleanupModule  = "cleanup_module"
)

func (im *Image) openObject() error {
	im.Container = ContainerObject
	if _, ok := im.elf.SectionByName(sectionThisModule); ok {
		im.Container = ContainerModule
	}
	if err := im.identifyELF(); err != nil {
		return err
	}
	im.Identity.Release, _, _ = strings.Cut(im.modinfo("vermagic"), " ")
	section, ok := im.elf.Symtab()
	if !ok {
		return nil
	}
	var err error
	im.syms, err = readSymtab(im.elf, section)
	return err
}

func (im *Image) listObject(opt ListOptions) (*Listing, error) {
	l := &Listing{}
	inputs := im.inputSections(opt.Deferred.Section)
	if im.syms == nil {
		if len(inputs) > 0 || im.Container == ContainerModule {
			return nil, errors.New("the object has no symbol table, without which its relocations mean nothing")
		}
		return nil, fmt.Errorf("%w, nor symbols", ErrNoTable)
	}
	for _, in := range inputs {
		if err := im.addInput(l, in); err != nil {
			return nil, err
		}
	}
	l.SyncKnown = true // by the names of the sections
	if err := checkNamedSection(inputs, opt.Deferred); err != nil {
		return nil, err
	}
	if err := im.addModuleFunctions(l); err != nil {
		return nil, err
	}
	if len(l.Initcalls) == 0 {
		return nil, fmt.Errorf("%w: no section .initcall*.init, .con_initcall.init or .deferred_initcall.init, and no %s",
			ErrNoTable, symInitModule)
	}
	im.finish(l, opt)
	return l, im.checkEntries(l, &faults{})
}

// checkNamedSection makes sure that what the caller said of deferred tables
// can be said of an object.
func checkNamedSection(inputs []input, named Deferred) error {
	switch {
	case named.Start != "":
		return tableErrorf(TableDeferred, "an object file has no boundary symbols yet: name the section instead of %s and %s", named.Start, named.End)
	case named.Section != "" && !slices.ContainsFunc(inputs, func(in input) bool { return in.Name == named.Section }):
		return fmt.Errorf("%w: no section %s", ErrNoTable, named.Section)
	}
	return nil
}

// input is one section of entries.
type input struct {
	safeelf.Section
	kind    TableKind
	level   Level
	counter int // of an LTO section's name, which orders it within its level
}

// inputSections returns the sections of entries in run order. LTO builds give
// each entry a section of its own, .initcall6.init..kmod_<module>__<counter>_…,
// which the build sorts by the counter within an object
// (scripts/generate_initcall_order.pl).
func (im *Image) inputSections(deferred string) []input {
	var inputs []input
	for _, s := range im.elf.Sections {
		if !s.HasBytes() || s.Size == 0 || s.IsReloc() {
			continue
		}
		name, suffix, _ := strings.Cut(s.Name, "..")
		if kind, level, ok := inputTable(name, deferred); ok {
			inputs = append(inputs, input{s, kind, level, ltoCounter(suffix)})
		}
	}
	slices.SortStableFunc(inputs, func(a, b input) int {
		return cmp.Or(compareKinds(a.kind, b.kind), cmp.Compare(a.level, b.level), cmp.Compare(a.counter, b.counter))
	})
	return inputs
}

func compareKinds(a, b TableKind) int {
	return cmp.Compare(slices.Index(TableKinds, a), slices.Index(TableKinds, b))
}

// inputTable says which table and level an input section goes into.
func inputTable(name, deferred string) (TableKind, Level, bool) {
	switch {
	case name == ".con_initcall.init":
		return TableConsole, LevelConsole, true
	case name == ".security_initcall.init":
		return TableSecurity, LevelSecurity, true
	case IsDeferredSection(name), deferred != "" && name == deferred:
		return TableDeferred, LevelDeferred, true
	}
	id, ok := strings.CutPrefix(name, ".initcall")
	if !ok {
		return "", 0, false
	}
	if id, ok = strings.CutSuffix(id, ".init"); !ok {
		return "", 0, false
	}
	level := levelOfID(id)
	return TableInitcall, level, level >= LevelEarly && level <= Level7s
}

func ltoCounter(suffix string) int {
	_, rest, _ := strings.Cut(suffix, "__")
	if rest == "" {
		rest = suffix // Android: <counter>_<line>_<fn>
	}
	digits, _, _ := strings.Cut(rest, "_")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// addInput adds the entries of one input section.
func (im *Image) addInput(l *Listing, in input) error {
	refs, err := im.refs(in.Section)
	if err != nil {
		return err
	}
	f, err := im.inputFormat(in, refs)
	if err != nil {
		return err
	}
	t, err := l.tableFor(in, f)
	if err != nil {
		return err
	}
	t.Levels = append(t.Levels, LevelSpan{Level: in.level})
	span := &t.Levels[len(t.Levels)-1]
	var calls []Initcall
	for off := uint64(0); off+uint64(f.size) <= in.Size; off += uint64(f.size) {
		r := refs[off+uint64(f.target)]
		calls = append(calls, Initcall{
			Table: t, Level: in.level,
			Slot:   Place{Addr: Addr(off), Section: in.Name, Known: true},
			Target: r.place, Symbol: r.name,
		})
		t.Count++
		span.Count++
	}
	if err := im.nameObjectCalls(calls, in, refs, f); err != nil {
		return err
	}
	l.Initcalls = append(l.Initcalls, calls...)
	return nil
}

// tableFor returns the listing's table for a section, making it if there is
// none. The parts of a table cannot be encoded in different ways.
func (l *Listing) tableFor(in input, f format) (*Table, error) {
	for _, t := range l.Tables {
		if t.Kind == in.kind {
			if t.Section != in.Name {
				t.Section = "" // more than one
			}
			if t.Encoding != f.encoding || t.Layout != f.layout {
				return nil, tableErrorf(in.kind, "section %s is encoded as %s, but one before it as %s", in.Name, f.describe(), t.Encoding)
			}
			return t, nil
		}
	}
	t := &Table{Kind: in.kind, Section: in.Name, Encoding: f.encoding, Layout: f.layout, EntrySize: f.size}
	l.Tables = append(l.Tables, t)
	return t, nil
}

// inputFormat finds the one format in which the section's relocations make
// sense.
func (im *Image) inputFormat(in input, refs map[uint64]ref) (format, error) {
	formats := im.plainFormats()
	if _, ok := descriptorShapes[im.elf.Machine]; ok && im.elf.Class64 && im.hasOPD() {
		formats[0].encoding = EncodingDescriptor
	}
	if in.kind == TableDeferred {
		formats = append(formats, im.deferredFormats()[len(im.plainFormats()):]...)
	}
	var fitting []format
	for _, f := range formats {
		if im.inputFits(in, refs, f) {
			fitting = append(fitting, f)
		}
	}
	if len(fitting) == 1 {
		return fitting[0], nil
	}
	if len(refs) == 0 {
		return format{}, tableErrorf(in.kind, "section %s has no relocations to fill it in: were they stripped?", in.Name)
	}
	return format{}, tableErrorf(in.kind, "the %d relocations of section %s (%#x bytes) make sense in %d encodings, not in one",
		len(refs), in.Name, in.Size, len(fitting))
}

func (im *Image) hasOPD() bool {
	_, ok := im.elf.SectionByName(".opd")
	return ok || im.elf.Machine != safeelf.MachinePPC64
}

func (im *Image) inputFits(in input, refs map[uint64]ref, f format) bool {
	if in.Size%uint64(f.size) != 0 {
		return false
	}
	kind, size := safeelf.RelocAbs, im.elf.WordSize()
	if f.encoding == EncodingPrel32 {
		kind, size = safeelf.RelocPC, 4
	}
	functions := 0
	for off := uint64(0); off < in.Size; off += uint64(f.size) {
		r, ok := refs[off+uint64(f.target)]
		if !ok || r.kind != kind || r.size != size || !r.function(im.elf) {
			continue
		}
		if f.layout != LayoutPlain {
			text, ok := refs[off+uint64(f.text)]
			if !ok || text.function(im.elf) {
				continue
			}
		}
		functions++
	}
	return 2*functions > int(in.Size)/f.size
}

// nameObjectCalls names the targets and reads the entry symbols.
func (im *Image) nameObjectCalls(calls []Initcall, in input, refs map[uint64]ref, f format) error {
	var wanted []Addr
	for _, c := range calls {
		wanted = append(wanted, c.Slot.Addr, c.Target.Addr)
	}
	at, err := im.syms.At(wanted)
	if err != nil {
		return err
	}
	var all []symbols.Symbol // read if it is needed
	for i := range calls {
		c := &calls[i]
		var names []symbols.Symbol
		if c.Target.Known {
			index := refs[uint64(c.Slot.Addr)+uint64(f.target)].index
			names = inSection(at[c.Target.Addr], index)
			c.setSymbols(names)
			if c.Symbol == "" {
				if all == nil {
					if all, err = im.textSymbols(); err != nil {
						return err
					}
				}
				c.nameInside(all, index)
			}
		} else if c.Symbol != "" {
			names = []symbols.Symbol{{Name: c.Symbol}}
		}
		c.setEntry(inSection(at[c.Slot.Addr], in.Index), names)
		c.Level = in.level
		if c.Target.Known {
			c.InitMem = new(strings.HasPrefix(c.Target.Section, ".init."))
		}
	}
	return nil
}

func inSection(syms []symbols.Symbol, index int) []symbols.Symbol {
	return slices.DeleteFunc(slices.Clone(syms), func(s symbols.Symbol) bool { return s.Section != index })
}

// textSymbols returns the symbols that can name code, in the order of section
// and address.
func (im *Image) textSymbols() ([]symbols.Symbol, error) {
	all, err := im.syms.All()
	all = slices.DeleteFunc(all, func(s symbols.Symbol) bool { return !s.Kind.Text() })
	slices.SortStableFunc(all, compareSectionAddr)
	return all, err
}

func compareSectionAddr(a, b symbols.Symbol) int {
	return cmp.Or(cmp.Compare(a.Section, b.Section), cmp.Compare(a.Addr, b.Addr))
}

// nameInside names a target by the nearest symbol before it in its section.
func (c *Initcall) nameInside(text []symbols.Symbol, index int) {
	behind, _ := slices.BinarySearchFunc(text, symbols.Symbol{Section: index, Addr: c.Target.Addr + 1}, compareSectionAddr)
	if behind == 0 || text[behind-1].Section != index {
		return
	}
	at := text[behind-1].Addr
	first := behind - 1
	for first > 0 && text[first-1].Section == index && text[first-1].Addr == at {
		first--
	}
	c.setSymbols(text[first:behind])
	c.Aliases, c.Offset = nil, uint64(c.Target.Addr-at)
}
