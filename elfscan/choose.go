package elfscan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/symbols"
)

// hits are the symbols at the addresses that any reading of the tables names.
type hits map[Addr][]symbols.Symbol

// decodeTables reads each table in every format that it may have and keeps
// the one that fits.
func (im *Image) decodeTables(tables []*Table, raw []patched, f *faults) ([][]rawEntry, hits, error) {
	if err := im.findLeads(tables, f); err != nil {
		return nil, nil, err
	}
	readings, at, err := im.readings(tables, raw)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := im.choose(tables, raw, readings, f)
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
		if err := t.checkLead(f); err != nil {
			return nil, nil, err
		}
		if err := t.countLevels(f); err != nil {
			return nil, nil, err
		}
		entries[i] = r.entries
		slices.SortStableFunc(entries[i], func(a, b rawEntry) int { return cmp.Compare(a.order, b.order) })
	}
	return entries, at, nil
}

// readings reads each table in every format that it may have.
func (im *Image) readings(tables []*Table, raw []patched) ([][]reading, hits, error) {
	readings := make([][]reading, len(tables))
	var wanted []Addr
	for i, t := range tables {
		formats := im.plainFormats()
		if t.Kind == TableDeferred {
			formats = im.deferredFormats()
		}
		for _, f := range formats {
			r := reading{format: f, entries: im.decodeLevels(t, raw[i], f)}
			for _, e := range r.entries {
				wanted = append(wanted, e.slot)
				if e.text != 0 {
					wanted = append(wanted, e.text)
				}
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
	return readings, at, nil
}

// decodeLevels reads a table as the kernel does, each level from its own
// boundary.
func (im *Image) decodeLevels(t *Table, p patched, f format) []rawEntry {
	var entries []rawEntry
	for i := range t.Levels {
		start, end := t.levelStart(i, f.size), t.spanEnd(i).Addr
		entries = append(entries, im.decode(p.sub(extent{start, end}), f)...)
	}
	return entries
}

// findLeads looks for bytes between the start of a table and its first entry,
// which the linker puts there where the start is not aligned: the first symbol
// of an entry is then a little behind the start, and none is at it.
func (im *Image) findLeads(tables []*Table, f *faults) error {
	if !f.all {
		return nil
	}
	for _, t := range tables {
		word := Addr(im.elf.WordSize())
		near, err := im.syms.Within(t.Start.Addr, min(t.Start.Addr+word, t.spanEnd(0).Addr))
		if err != nil {
			return err
		}
		near = slices.DeleteFunc(near, func(s symbols.Symbol) bool { return !symbols.IsEntryName(s.Name) })
		if len(near) == 0 {
			continue
		}
		first := slices.MinFunc(near, func(a, b symbols.Symbol) int { return cmp.Compare(a.Addr, b.Addr) })
		if first.Addr != t.Start.Addr {
			t.first = Boundary{first.Name, first.Addr}
		}
	}
	return nil
}

// reading is a table read in one format, and how well that went.
type reading struct {
	format
	entries   []rawEntry
	functions int // entries that are sound and name the start of a function
}

// fits reports whether most entries make sense, and all but a few. The bytes
// of a table read in another format than their own hit function starts by
// chance only; a table read in its own misses them only where an entry is bad,
// and a few bad entries must not hide what the table is.
func (r reading) fits() bool {
	bad := len(r.entries) - r.functions
	return bad < r.functions && bad <= max(fewBad, len(r.entries)/10)
}

// fewBad is how many bad entries are few in a small table.
const fewBad = 4

// zeros counts the entries whose bytes are all zero.
func (r reading) zeros() int {
	n := 0
	for _, e := range r.entries {
		if e.value == 0 || r.encoding == EncodingPrel32 && e.value == e.slot {
			n++
		}
	}
	return n
}

func (im *Image) judge(r *reading, at hits) {
	for _, e := range r.entries {
		if e.sound && !isText(at[e.text]) && im.isFunction(e, r.encoding, at) {
			r.functions++
		}
	}
}

// isFunction reports whether an entry names the start of a function.
func (im *Image) isFunction(e rawEntry, enc Encoding, at hits) bool {
	if !im.mem.executable(e.target) {
		return false
	}
	if isText(at[e.target]) {
		return true
	}
	// With descriptors the function's name is its descriptor's.
	return enc == EncodingDescriptor && len(at[e.value]) > 0
}

func isText(syms []symbols.Symbol) bool {
	return slices.ContainsFunc(syms, func(s symbols.Symbol) bool { return s.Kind.Text() })
}

// choose picks each table's reading. The initcall table must fit exactly one
// format. The tables beside it are read in its format where they are empty, or
// where an entry or two are all they have and not all of those are good.
func (im *Image) choose(tables []*Table, raw []patched, readings [][]reading, f *faults) ([]reading, error) {
	main := slices.IndexFunc(tables, func(t *Table) bool { return t.Kind == TableInitcall })
	var kernel reading
	if main >= 0 {
		var err error
		if kernel, err = im.chooseOne(tables[main], raw[main], readings[main]); err != nil {
			return nil, err
		}
	}
	chosen := make([]reading, len(tables))
	for i, t := range tables {
		if i == main {
			chosen[i] = kernel
			continue
		}
		fitting := fittingReadings(readings[i], len(raw[i].bytes))
		switch {
		case len(fitting) == 1:
			chosen[i] = fitting[0]
		case len(fitting) > 1:
			return nil, twoFit(t, fitting)
		default:
			same := slices.IndexFunc(readings[i], func(r reading) bool { return r.format == kernel.format })
			if same < 0 { // there is no initcall table
				return nil, noFit(t, raw[i], readings[i])
			}
			chosen[i] = readings[i][same]
			if len(raw[i].bytes) == 0 || f.all && (t.Bytes()-uint64(t.lead(kernel.size)))%uint64(kernel.size) != 0 {
				continue // the size is what is wrong
			}
			if t.Kind == TableDeferred || chosen[i].functions == 0 {
				return nil, noFit(t, raw[i], readings[i])
			}
			t.Inferred = append(t.Inferred, "encoding: that of the initcall table, for only "+
				decimal(chosen[i].functions)+" of the entries name the start of a function")
		}
	}
	for i, r := range chosen {
		if n := r.zeros(); n > 1 && !f.all {
			return nil, tableErrorf(tables[i].Kind, "%d of the %d entries are zero: have the relocations been stripped that would fill them in?", n, len(r.entries))
		}
	}
	return chosen, nil
}

func (im *Image) chooseOne(t *Table, raw patched, readings []reading) (reading, error) {
	fitting := fittingReadings(readings, len(raw.bytes))
	switch len(fitting) {
	case 1:
		return fitting[0], nil
	case 0:
		return reading{}, noFit(t, raw, readings)
	}
	return reading{}, twoFit(t, fitting)
}

// fittingReadings returns the readings that fit; if some take a table of this
// many bytes apart without a rest, only those.
func fittingReadings(readings []reading, size int) []reading {
	fitting := slices.DeleteFunc(slices.Clone(readings), func(r reading) bool { return !r.fits() })
	whole := slices.DeleteFunc(slices.Clone(fitting), func(r reading) bool { return size%r.size != 0 })
	if len(whole) > 0 {
		return whole
	}
	return fitting
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
	if raw.start%4 != 0 {
		msg += fmt.Sprintf("; the table does not start at a multiple of %d", readings[0].size)
	} else {
		msg += "; have local symbols been stripped?"
	}
	return tableErrorf(t.Kind, "%s", msg)
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
