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
// format. The tables beside it are read in its format where they are empty, or
// where an entry or two are all they have and not all of those are good.
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
		case len(fitting) > 1:
			return nil, twoFit(t, fitting)
		default:
			same := slices.IndexFunc(readings[i], func(r reading) bool { return r.format == kernel.format })
			chosen[i] = readings[i][same]
			if len(raw[i].bytes) == 0 {
				continue
			}
			if t.Kind == TableDeferred || chosen[i].functions == 0 {
				return nil, noFit(t, raw[i], readings[i])
			}
			t.Inferred = append(t.Inferred, "encoding: that of the initcall table, for only "+
				decimal(chosen[i].functions)+" of the entries name the start of a function")
		}
	}
	for i, r := range chosen {
		if n := r.zeros(); n > 1 {
			return nil, tableErrorf(tables[i].Kind, "%d of the %d entries are zero: have the relocations been stripped that would fill them in?", n, len(r.entries))
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
	if raw.start%4 != 0 {
		msg += fmt.Sprintf("; the table does not start at a multiple of %d", readings[0].size)
	} else {
		msg += "; have local symbols been stripped?"
	}
	return &TableError{Table: t.Kind, Msg: msg}
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
