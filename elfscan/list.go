package elfscan

import (
	"errors"
	"fmt"
	"slices"

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
func (im *Image) List(opt ListOptions) (*Listing, error) {
	return im.list(opt, &faults{})
}

func (im *Image) list(opt ListOptions, f *faults) (l *Listing, err error) {
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
		l, err = im.listKernel(opt, f)
	}
	if err == nil {
		err = im.checkUnchanged()
	}
	if err != nil {
		return nil, err // and no part of a list
	}
	return l, nil
}

func (im *Image) listKernel(opt ListOptions, f *faults) (*Listing, error) {
	addrs := im.known
	if opt.Deferred.Start != "" {
		var err error
		if addrs, err = boundaryAddrs(im.syms, boundaryNames(opt.Deferred.bounds())); err != nil {
			return nil, err
		}
	}
	tables, err := im.findTables(addrs, opt.Deferred, f)
	if err != nil {
		return nil, err
	}
	raw, err := im.readTables(tables, addrs)
	if err != nil {
		return nil, err
	}
	entries, at, err := im.decodeTables(tables, raw, f)
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
	l.SyncKnown = syncKnown(l)
	im.finish(l, opt)
	return l, im.checkEntries(l, f)
}

// readTables reads the tables' bytes, and on the way holds their boundaries
// against those that the kernel will use: all of it in one pass over the
// relocations.
func (im *Image) readTables(tables []*Table, addrs map[string]Addr) ([]patched, error) {
	extents := make([]extent, len(tables), len(tables)+1)
	for i, t := range tables {
		extents[i] = extent{t.Start.Addr, t.End.Addr}
	}
	levels, ok := im.levelsExtent(addrs)
	if ok {
		extents = append(extents, levels)
	}
	raw, err := im.mem.read(extents...)
	if err != nil {
		return nil, err
	}
	if ok {
		return raw[:len(tables)], im.checkLevels(raw[len(tables)], addrs)
	}
	return raw, nil
}

// findTables locates the tables and makes sure that there is something to
// list.
func (im *Image) findTables(addrs map[string]Addr, deferred Deferred, f *faults) ([]*Table, error) {
	tables, err := locateTables(addrs, deferred.bounds(), f)
	if err != nil {
		return nil, err
	}
	if _, ok := addrs[symInitcallStart]; !ok {
		if len(tables) > 0 {
			return nil, fmt.Errorf("%w: the symbol table has no %s", ErrNoTable, symInitcallStart)
		}
		if tables, err = im.inferTables(); err != nil && im.SymbolSource() == symbols.SourceKallsyms {
			return nil, fmt.Errorf("%w; the kernel's own symbol table names code only (no CONFIG_KALLSYMS_ALL), a System.map would tell", err)
		} else if err != nil {
			return nil, err
		}
	}
	if tables, err = im.namedDeferred(tables, deferred); err != nil {
		return nil, err
	}
	return im.readable(tables, f)
}

// readable returns the tables without those whose bytes the image does not
// have, and without that of the ordinary initcalls if nothing is in it.
func (im *Image) readable(tables []*Table, f *faults) (readable []*Table, err error) {
	for _, t := range tables {
		var outside *outsideError
		_, located := im.mem.locate(extent{t.Start.Addr, t.End.Addr})
		switch {
		case t.Kind == TableInitcall && t.Bytes() == 0:
			err = f.addf(t.Kind, FaultEmpty, t.Start, "it is empty, %s and %s are both at %#x", t.Start.Symbol, t.End.Symbol, t.Start.Addr)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNoTable, err)
			}
		case t.Bytes() > 0 && errors.As(located, &outside):
			if err = f.addf(t.Kind, FaultOutside, t.Start, "%v", located); err != nil {
				return nil, err
			}
		default:
			readable = append(readable, t)
		}
	}
	if !slices.ContainsFunc(readable, func(t *Table) bool { return t.Kind == TableInitcall }) {
		// Then nothing tells what the entries of an empty table would be.
		readable = slices.DeleteFunc(readable, func(t *Table) bool { return t.Bytes() == 0 })
	}
	return readable, nil
}

// namedDeferred sees to it that the deferred table that the caller named is
// among the tables: the symbols must exist, and enclose the section if that is
// named too; a section alone is a table if no known symbols enclose it.
func (im *Image) namedDeferred(tables []*Table, named Deferred) ([]*Table, error) {
	var last *Table // that is deferred
	found := false  // in the section
	for _, t := range tables {
		if t.Kind == TableDeferred {
			last, found = t, found || im.sectionAt(t.Start.Addr) == named.Section
		}
	}
	switch {
	case named.Start != "" && last == nil:
		return nil, noDeferredf("the symbol table has no %s", named.Start)
	case named.Section == "" || found:
		return tables, nil
	case named.Start != "":
		return nil, tableErrorf(TableDeferred, "%s lies in section %s, not in %s", named.Start, im.sectionAt(last.Start.Addr), named.Section)
	}
	t, err := im.sectionTable(named.Section)
	return append(tables, t), err
}

// describeTable fills in where a table lies and what runs it.
func (im *Image) describeTable(t *Table, addrs map[string]Addr) error {
	if t.Bytes() > 0 {
		t.Section = im.sectionAt(t.Start.Addr)
	}
	t.InitMem = inInitMem(t.Start.Addr, addrs)
	if t.Kind == TableDeferred && t.Count > 0 {
		var err error
		t.Trigger, err = im.findTrigger(t.Layout)
		return err
	}
	return nil
}

// syncKnown reports whether every entry of the initcall table has a symbol
// that tells its level with or without sync.
func syncKnown(l *Listing) bool {
	return !slices.ContainsFunc(l.Initcalls, func(c Initcall) bool {
		return c.Table.Kind == TableInitcall && (c.Level == LevelUnknown || c.Parsed.ID == "" || c.Parsed.Ambiguous)
	})
}

// inInitMem reports whether an address lies in what free_initmem frees, nil if
// the symbols do not tell.
func inInitMem(a Addr, addrs map[string]Addr) *bool {
	begin, hasBegin := addrs[symInitBegin]
	end, hasEnd := addrs[symInitEnd]
	if !hasBegin || !hasEnd {
		return nil
	}
	return new(a >= begin && a < end)
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
		Target: im.targetPlace(t.Encoding, e),
		Group:  e.group,
	}
	names := targetNames(t.Encoding, e, at)
	c.setSymbols(names)
	c.setEntry(at[e.slot], names)
	return c
}

// targetPlace is unknown if an entry that should point at a descriptor points
// at none.
func (im *Image) targetPlace(enc Encoding, e rawEntry) Place {
	if enc == EncodingDescriptor && e.value != 0 && !im.descriptors.holds(e.value) {
		return Place{}
	}
	return Place{Addr: e.target, Section: im.sectionAt(e.target), Known: true}
}

func (im *Image) sectionAt(a Addr) string {
	r, _ := im.mem.regionAt(a)
	return r.name
}

// finish makes the names presentable and numbers the calls.
func (im *Image) finish(l *Listing, opt ListOptions) {
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		c.Order = i + 1
		c.Name = symbols.DisplayName(c.Symbol, !opt.RawRust)
	}
}
