package elfscan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/symbols"
)

// ListOptions change what List looks for.
type ListOptions struct {
	// Deferred names a deferred table that is not one of the known ones.
	Deferred Deferred

	// RawRust leaves Rust names mangled.
	RawRust bool
}

// List returns the image's tables and all their entries in run order.
//
// The order is that in which the kernel calls them: console, security, then
// the levels of the initcall table, each in the order of the table, then the
// deferred ones. An entry whose target is not the start of a function is
// listed as what it is; what cannot be known is an error.
func (im *Image) List(opt ListOptions) (l *Listing, err error) {
	defer filemap.Guard(&err)()
	if err := opt.Deferred.check(); err != nil {
		return nil, err
	}
	switch im.Container {
	case ContainerArchive:
		l, err = im.listArchive(opt)
	case ContainerObject, ContainerModule:
		l, err = im.listObject(opt)
	default:
		l, err = im.listKernel(opt)
	}
	if err == nil {
		err = im.checkUnchanged()
	}
	if err != nil {
		return nil, err // and no part of a list
	}
	return l, nil
}

func (im *Image) listKernel(opt ListOptions) (*Listing, error) {
	addrs := im.known
	if opt.Deferred.Start != "" {
		var err error
		if addrs, err = boundaryAddrs(im.syms, boundaryNames(opt.Deferred.bounds())); err != nil {
			return nil, err
		}
	}
	tables, err := im.findTables(addrs, opt.Deferred)
	if err != nil {
		return nil, err
	}
	extents := make([]extent, len(tables))
	for i, t := range tables {
		extents[i] = extent{t.Start.Addr, t.End.Addr}
	}
	raw, err := im.mem.read(extents...)
	if err != nil {
		return nil, err
	}
	entries, at, err := im.decodeTables(tables, raw)
	if err != nil {
		return nil, err
	}
	l := &Listing{Tables: tables}
	for i, t := range tables {
		if err := im.describeTable(t, addrs); err != nil {
			return nil, err
		}
		for _, e := range entries[i] {
			l.Initcalls = append(l.Initcalls, im.initcall(t, e, at))
		}
	}
	if err := im.nameOffsets(l.Initcalls); err != nil {
		return nil, err
	}
	im.markInitMem(l.Initcalls, addrs)
	return l, im.finish(l, opt)
}

// findTables locates the tables and makes sure that there is something to
// list.
func (im *Image) findTables(addrs map[string]Addr, deferred Deferred) ([]*Table, error) {
	tables, err := locateTables(addrs, deferred.bounds())
	if err != nil {
		return nil, err
	}
	if _, ok := addrs[symInitcallStart]; !ok {
		return nil, fmt.Errorf("%w: the symbol table has no %s", ErrNoTable, symInitcallStart)
	}
	if tables, err = im.namedDeferred(tables, deferred); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if t.Kind == TableInitcall && t.Bytes() == 0 {
			return nil, fmt.Errorf("%w: the initcall table is empty, %s and %s are both at %#x",
				ErrNoTable, t.Start.Symbol, t.End.Symbol, t.Start.Addr)
		}
	}
	return tables, nil
}

// namedDeferred sees to it that the deferred table that the caller named is
// among the tables: the symbols must exist, and enclose the section if that is
// named too; a section alone is a table if no known symbols enclose it.
func (im *Image) namedDeferred(tables []*Table, named Deferred) ([]*Table, error) {
	found := false // in the section
	for _, t := range tables {
		found = found || t.Kind == TableDeferred && im.sectionAt(t.Start.Addr) == named.Section
	}
	last := tables[len(tables)-1]
	switch {
	case named.Start != "" && last.Kind != TableDeferred:
		return nil, tableErrorf(TableDeferred, "the symbol table has no %s", named.Start)
	case named.Section == "" || found:
		return tables, nil
	case named.Start != "":
		return nil, tableErrorf(TableDeferred, "%s lies in section %s, not in %s", named.Start, im.sectionAt(last.Start.Addr), named.Section)
	}
	t, err := im.sectionTable(named.Section)
	return append(tables, t), err
}

// hits are the symbols at the addresses that any reading of the tables names.
type hits map[Addr][]symbols.Symbol

// decodeTables reads each table in every format that it may have and keeps
// the one that fits.
func (im *Image) decodeTables(tables []*Table, raw []patched) ([][]rawEntry, hits, error) {
	readings := make([][]reading, len(tables))
	var wanted []Addr
	for i, t := range tables {
		formats := im.plainFormats()
		if t.Kind == TableDeferred {
			formats = im.deferredFormats()
		}
		for _, f := range formats {
			r := reading{format: f, entries: im.decode(raw[i], f)}
			for _, e := range r.entries {
				wanted = append(wanted, e.slot)
				if im.mem.executable(e.target) {
					wanted = append(wanted, e.target)
				}
				if f.encoding == EncodingDescriptor {
					wanted = append(wanted, e.value)
				}
			}
			readings[i] = append(readings[i], r)
		}
	}
	at, err := im.syms.At(wanted)
	if err != nil {
		return nil, nil, err
	}
	for i := range readings {
		for j := range readings[i] {
			im.judge(&readings[i][j], at)
		}
	}
	chosen, err := im.choose(tables, raw, readings)
	if err != nil && im.syms.Source() == symbols.SourceMap {
		err = fmt.Errorf("%w; or is %s of another build?", err, im.mapFile)
	}
	if err != nil {
		return nil, nil, err
	}
	entries := make([][]rawEntry, len(tables))
	for i, r := range chosen {
		t := tables[i]
		t.Encoding, t.Layout, t.EntrySize = r.encoding, r.layout, r.size
		t.Count = len(r.entries)
		if err := t.countLevels(); err != nil {
			return nil, nil, err
		}
		entries[i] = r.entries
		slices.SortStableFunc(entries[i], func(a, b rawEntry) int { return cmp.Compare(a.order, b.order) })
	}
	return entries, at, nil
}

// reading is a table read in one format, and how well that went.
type reading struct {
	format
	entries   []rawEntry
	functions int // entries that are sound and name the start of a function
}

// fits reports whether most entries make sense. The bytes of a table read in
// another format than their own hit function starts by chance only; a table
// read in its own misses them only where an entry is bad, and a few bad
// entries must not hide what the table is.
func (r reading) fits() bool { return 2*r.functions > len(r.entries) }

func (im *Image) judge(r *reading, at hits) {
	for _, e := range r.entries {
		if e.sound && im.isFunction(e, r.encoding, at) {
			r.functions++
		}
	}
}

// isFunction reports whether an entry names the start of a function.
func (im *Image) isFunction(e rawEntry, enc Encoding, at hits) bool {
	if !im.mem.executable(e.target) {
		return false
	}
	if slices.ContainsFunc(at[e.target], func(s symbols.Symbol) bool { return s.Kind.Text() }) {
		return true
	}
	// With descriptors the function's name is its descriptor's.
	return enc == EncodingDescriptor && len(at[e.value]) > 0
}

// choose picks each table's reading. The initcall table must fit exactly one
// format. The small tables beside it follow it where they are too short, too
// bad or empty to speak for themselves.
func (im *Image) choose(tables []*Table, raw []patched, readings [][]reading) ([]reading, error) {
	main := slices.IndexFunc(tables, func(t *Table) bool { return t.Kind == TableInitcall })
	kernel, err := im.chooseOne(tables[main], raw[main], readings[main])
	if err != nil {
		return nil, err
	}
	chosen := make([]reading, len(tables))
	for i, t := range tables {
		if i == main {
			chosen[i] = kernel
			continue
		}
		fitting := slices.Collect(fittingReadings(readings[i]))
		switch {
		case len(fitting) == 1:
			chosen[i] = fitting[0]
		case len(fitting) == 0 && len(raw[i].bytes) > 0 && (t.Kind == TableDeferred || raw[i].unfilled()):
			return nil, noFit(t, raw[i], readings[i])
		default:
			same := slices.IndexFunc(readings[i], func(r reading) bool { return r.format == kernel.format })
			if len(fitting) > 1 && !readings[i][same].fits() {
				return nil, twoFit(t, fitting)
			}
			chosen[i] = readings[i][same]
		}
	}
	return chosen, nil
}

func (im *Image) chooseOne(t *Table, raw patched, readings []reading) (reading, error) {
	fitting := slices.Collect(fittingReadings(readings))
	switch len(fitting) {
	case 1:
		return fitting[0], nil
	case 0:
		return reading{}, noFit(t, raw, readings)
	}
	return reading{}, twoFit(t, fitting)
}

func fittingReadings(readings []reading) func(func(reading) bool) {
	return func(yield func(reading) bool) {
		for _, r := range readings {
			if r.fits() && !yield(r) {
				return
			}
		}
	}
}

// noFit says why a table makes no sense in any format.
func noFit(t *Table, raw patched, readings []reading) error {
	if raw.unfilled() {
		return tableErrorf(t.Kind, "all %d bytes from %#x on are zero, and the file has no relocations that would fill them in: "+
			"they were stripped; try vmlinux.relocs from the build folder, or vmlinux from before the postlink step", len(raw.bytes), raw.start)
	}
	var tried []string
	for _, r := range readings {
		tried = append(tried, fmt.Sprintf("%s: %d of %d", r.describe(), r.functions, len(r.entries)))
	}
	msg := fmt.Sprintf("the entries from %#x to %#x make no sense in any encoding (targets that are functions: %s)",
		raw.start, raw.end, strings.Join(tried, ", "))
	if align := Addr(readings[0].size); raw.start%align != 0 {
		msg += fmt.Sprintf("; the table does not start at a multiple of %d", align)
	}
	return &TableError{t.Kind, msg}
}

func twoFit(t *Table, fitting []reading) error {
	var names []string
	for _, r := range fitting {
		names = append(names, r.describe())
	}
	return tableErrorf(t.Kind, "the entries make sense in more than one encoding (%s): which is right cannot be told", strings.Join(names, " and "))
}

func (f format) describe() string {
	if f.layout == LayoutPlain {
		return string(f.encoding)
	}
	return string(f.layout)
}

// describeTable fills in where a table lies and what runs it.
func (im *Image) describeTable(t *Table, addrs map[string]Addr) error {
	if r, ok := im.mem.regionAt(t.Start.Addr); ok {
		t.Section = r.name
	}
	t.InitMem = inInitMem(t.Start.Addr, addrs)
	if t.Kind == TableDeferred && t.Count > 0 {
		var err error
		t.Trigger, err = im.findTrigger()
		return err
	}
	return nil
}

// inInitMem reports whether an address lies in what free_initmem frees.
func inInitMem(a Addr, addrs map[string]Addr) bool {
	begin, hasBegin := addrs[symInitBegin]
	end, hasEnd := addrs[symInitEnd]
	return hasBegin && hasEnd && a >= begin && a < end
}

func (im *Image) markInitMem(calls []Initcall, addrs map[string]Addr) {
	for i := range calls {
		calls[i].InitMem = inInitMem(calls[i].Target.Addr, addrs)
	}
}

// initcall puts together what the bytes and the symbols say of one entry.
func (im *Image) initcall(t *Table, e rawEntry, at hits) Initcall {
	c := Initcall{
		Table:  t,
		Level:  t.levelAt(e.slot),
		Slot:   Place{Addr: e.slot, Section: im.sectionAt(e.slot), Known: true},
		Target: Place{Addr: e.target, Section: im.sectionAt(e.target), Known: true},
		Group:  e.group,
	}
	names := targetNames(t.Encoding, e, at)
	c.setSymbols(names)
	c.setEntry(at[e.slot], names)
	return c
}

// targetNames returns the symbols that name an entry's function. Compilers for
// ppc64 give the function's name to its descriptor, those for parisc64 to its
// code, where on ppc64 only the linker script's names of the text section are.
func targetNames(enc Encoding, e rawEntry, at hits) []symbols.Symbol {
	if enc == EncodingDescriptor {
		names := slices.DeleteFunc(slices.Clone(at[e.value]), func(s symbols.Symbol) bool { return symbols.IsLinkerScriptName(s.Name) })
		if len(names) > 0 {
			return names
		}
	}
	text := slices.DeleteFunc(slices.Clone(at[e.target]), func(s symbols.Symbol) bool { return !s.Kind.Text() })
	if len(text) > 0 {
		return text
	}
	return at[e.target]
}

func (im *Image) sectionAt(a Addr) string {
	r, _ := im.mem.regionAt(a)
	return r.name
}

// setSymbols chooses the target's name among the symbols there.
func (c *Initcall) setSymbols(syms []symbols.Symbol) {
	best := symbols.Preferred(syms)
	if best < 0 {
		return
	}
	c.Symbol, c.Size = syms[best].Name, syms[best].Size
	for i, s := range syms {
		if i != best && s.Name != c.Symbol {
			c.Aliases = append(c.Aliases, s)
		}
	}
	slices.SortFunc(c.Aliases, func(a, b symbols.Symbol) int { return cmp.Compare(a.Name, b.Name) })
	c.Aliases = slices.CompactFunc(c.Aliases, func(a, b symbols.Symbol) bool { return a.Name == b.Name })
}

// setEntry takes in what the entry symbol says: module, line, and whether the
// entry is among the sync ones of its level.
func (c *Initcall) setEntry(atSlot, target []symbols.Symbol) {
	var functions []string
	for _, s := range target {
		functions = append(functions, s.Name, symbols.DisplayName(s.Name, false))
	}
	for _, s := range atSlot {
		parsed, ok := symbols.ParseEntry(s.Name, functions)
		if !ok || c.Entry != "" && c.entryNames(functions) {
			continue
		}
		c.Entry, c.Parsed = s.Name, parsed
	}
	c.Module, c.Line = c.Parsed.Module, c.Parsed.Line
	if l := levelOfID(c.Parsed.ID); l != c.Level && l.base() == c.Level.base() && !c.Parsed.Ambiguous {
		c.Level = l
	}
}

// entryNames reports whether the entry symbol names one of the functions. A
// patch may register a wrapper and build its name around the function's, as
// Sony's __boottime_<fn> does.
func (c *Initcall) entryNames(functions []string) bool {
	return slices.ContainsFunc(functions, func(f string) bool { return strings.Contains(f, c.Parsed.Function) })
}

// nameOffsets names the targets at which no symbol lies by the nearest symbol
// before them.
func (im *Image) nameOffsets(calls []Initcall) error {
	var inside []Addr
	for _, c := range calls {
		if c.Symbol == "" && c.Target.Known && im.mem.executable(c.Target.Addr) {
			inside = append(inside, c.Target.Addr)
		}
	}
	if len(inside) == 0 {
		return nil
	}
	before, err := im.syms.Before(inside)
	if err != nil {
		return err
	}
	var starts []Addr
	for _, a := range before {
		starts = append(starts, a)
	}
	at, err := im.syms.At(starts)
	if err != nil {
		return err
	}
	for i := range calls {
		c := &calls[i]
		start, ok := before[c.Target.Addr]
		if c.Symbol != "" || !ok || !im.sameRegion(start, c.Target.Addr) {
			continue
		}
		c.setSymbols(at[start])
		c.Aliases, c.Offset = nil, uint64(c.Target.Addr-start)
	}
	return nil
}

func (im *Image) sameRegion(a, b Addr) bool {
	r, ok := im.mem.regionAt(b)
	return ok && r.contains(a)
}

// finish makes the names presentable, numbers the calls and, last, asks
// whether the names can be believed.
func (im *Image) finish(l *Listing, opt ListOptions) error {
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		c.Order = i + 1
		c.Name = symbols.DisplayName(c.Symbol, !opt.RawRust)
		if c.Parsed.ID != "" && c.Level != LevelUnknown {
			l.SyncKnown = true
		}
	}
	return im.checkNames(l)
}

// checkNames holds the entry symbols against what the entries hold. In a
// kernel's own symbol table a single one that disagrees is a bad entry; if
// most do, the symbols are not this image's. Of a System.map not one may.
func (im *Image) checkNames(l *Listing) error {
	var named, wrong int
	var first *Initcall
	fromMap := im.syms != nil && im.syms.Source() == symbols.SourceMap
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		if c.Entry == "" && fromMap && c.Table.Kind != TableDeferred { // vendors name theirs as they like
			return mapMismatchf(im.mapFile, "it has no entry symbol at %#x, where the image has an entry of the %s table, and every map has one for each",
				c.Slot.Addr, c.Table.Kind)
		}
		if c.Entry == "" || !fromMap && c.Parsed.Ambiguous && c.Symbol == "" {
			continue
		}
		named++
		functions := []string{c.Symbol, c.Name, symbols.DisplayName(c.Symbol, false)}
		for _, a := range c.Aliases {
			functions = append(functions, a.Name, symbols.DisplayName(a.Name, false))
		}
		if c.Offset != 0 || !c.entryNames(functions) {
			wrong++
			if first == nil {
				first = c
			}
		}
	}
	switch {
	case wrong == 0:
		return nil
	case fromMap:
		return mapMismatchf(im.mapFile, "it has %s at %#x, but there the image calls %#x, which it names %q",
			first.Entry, first.Slot.Addr, first.Target.Addr, first.Display())
	case 2*wrong > named:
		return fmt.Errorf("the symbol table does not belong to this image: %d of %d entry symbols name another function than their entry holds, "+
			"such as %s at %#x, which holds %#x (%q)", wrong, named, first.Entry, first.Slot.Addr, first.Target.Addr, first.Display())
	}
	return nil
}
