package elfscan

import (
	"cmp"
	"fmt"
	"slices"
)

// A kernel built without CONFIG_KALLSYMS_ALL names none of its data, and so
// neither the boundaries of its tables nor their entries. The tables are then
// found by what they are: the table of the ordinary initcalls and that of the
// console, which follows it (include/asm-generic/vmlinux.lds.h), are one run of
// entries that each hold the start of a function, most of them in init text; and
// nine pointers into that run, initcall_levels, say where the levels begin and
// the first table ends.

// Names that say where init text lies. They are in it, so every kernel with
// kallsyms has them.
const (
	symInitTextStart = "_sinittext"
	symInitTextEnd   = "_einittext"
)

const (
	// minRun is the least number of entries in the two tables: a third of what
	// the smallest kernels that boot have.
	minRun = 30

	// A run is the tables' if initShare percent of its functions are in init
	// text. __mcount_loc and the like are longer, but hold all functions.
	initShare = 80
)

// run is a sequence of entries that each hold the start of a function.
type run struct {
	format
	extent
	entries int
	inInit  int // entries whose function lies in init text
}

// inferTables finds the tables of a kernel whose symbols do not bound them.
func (im *Image) inferTables() ([]*Table, error) {
	starts, err := im.functionStarts()
	if err != nil {
		return nil, err
	}
	data, err := im.readData()
	if err != nil {
		return nil, err
	}
	runs := im.findRuns(data, starts)
	if len(runs) == 0 {
		return nil, fmt.Errorf("%w: the symbols bound none, and no run of %d or more entries holds functions that are mostly in init text", ErrNoTable, minRun)
	}
	var found *run
	var levels []Addr
	for i := range runs {
		of := im.findLevels(data, &runs[i])
		switch {
		case len(of) == 0:
			continue
		case found != nil || len(of) > 1:
			return nil, fmt.Errorf("the symbols bound no table, and more than one array of pointers may be %s, such as that to entries from %#x to %#x",
				symLevels, runs[i].start, runs[i].end)
		}
		found, levels = &runs[i], of[0]
	}
	if found == nil {
		return nil, fmt.Errorf("the symbols bound no table: %d entries from %#x to %#x look like one, but no nine pointers to them, as in %s, tell the levels",
			runs[0].entries, runs[0].start, runs[0].end, symLevels)
	}
	if err := im.checkWalked(found, levels); err != nil {
		return nil, err
	}
	deferred, err := im.inferDeferred()
	return append(inferredTables(found, levels), deferred...), err
}

// deferredWalkers are the functions that run deferred initcalls, by the names
// that patches give them.
var deferredWalkers = []string{"do_deferred_initcalls", "snsc_deferred_initcalls_init", "do_user_initcalls"}

// inferDeferred takes the sections that are made for deferred entries for their
// tables. A kernel that runs such a table and has no section for it has it
// somewhere else.
func (im *Image) inferDeferred() ([]*Table, error) {
	var tables []*Table
	for _, r := range im.mem.regions {
		if IsDeferredSection(r.name) {
			t, err := im.sectionTable(r.name)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	if len(tables) > 0 {
		return tables, nil
	}
	walkers, err := im.syms.Named(deferredWalkers...)
	if err != nil {
		return nil, err
	}
	for name := range walkers {
		return nil, tableErrorf(TableDeferred, "the kernel has %s, which runs one, but no symbol and no section says where it lies", name)
	}
	return nil, nil
}

// functions are the starts of an image's functions, in order, and where init
// text lies.
type functions struct {
	starts          []Addr
	initText        extent
	lowest, highest Addr
}

func (im *Image) functionStarts() (*functions, error) {
	edges, err := boundaryAddrs(im.syms, []string{symInitTextStart, symInitTextEnd})
	if err != nil {
		return nil, err
	}
	from, hasStart := edges[symInitTextStart]
	to, hasEnd := edges[symInitTextEnd]
	if !hasStart || !hasEnd || to <= from {
		return nil, fmt.Errorf("%w: the symbols bound none, and without %s and %s none can be inferred", ErrNoTable, symInitTextStart, symInitTextEnd)
	}
	all, err := im.syms.All()
	if err != nil {
		return nil, err
	}
	f := &functions{initText: extent{from, to}}
	for _, s := range all {
		if s.Kind.Text() && im.mem.executable(s.Addr) {
			f.starts = append(f.starts, s.Addr)
		}
	}
	slices.Sort(f.starts)
	f.starts = slices.Compact(f.starts)
	if len(f.starts) < minRun {
		return nil, fmt.Errorf("%w: the symbols bound none, and name too few functions to infer any", ErrNoTable)
	}
	f.lowest, f.highest = f.starts[0], f.starts[len(f.starts)-1]
	return f, nil
}

func (f *functions) has(a Addr) bool {
	if a < f.lowest || a > f.highest {
		return false
	}
	_, ok := slices.BinarySearch(f.starts, a)
	return ok
}

// findRuns finds the runs of entries that may be the tables', the longest first.
func (im *Image) findRuns(data []patched, starts *functions) []run {
	var runs []run
	for _, p := range data {
		for _, f := range im.plainFormats() {
			runs = append(runs, im.runsIn(p, f, starts)...)
		}
	}
	slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(b.entries, a.entries) })
	return runs
}

// runsIn finds the runs in a piece of memory that may be the tables'.
func (im *Image) runsIn(p patched, f format, starts *functions) []run {
	var runs []run
	current := run{format: f}
	finish := func(end Addr) {
		if current.entries >= minRun && 100*current.inInit >= initShare*current.entries {
			current.end = end
			runs = append(runs, current)
		}
		current = run{format: f}
	}
	align := Addr(f.size)
	for at := (p.start + align - 1) &^ (align - 1); at+align <= p.end; at += align {
		target := im.entryTarget(p, at, f)
		if !starts.has(target) {
			finish(at)
			continue
		}
		if current.entries == 0 {
			current.start = at
		}
		current.entries++
		if target >= starts.initText.start && target < starts.initText.end {
			current.inInit++
		}
	}
	finish(p.end)
	return runs
}

// entryTarget reads one plain entry.
func (im *Image) entryTarget(p patched, at Addr, f format) Addr {
	b := p.bytes[at-p.start:]
	if f.encoding != EncodingPrel32 {
		return im.codeAddr(Addr(im.elf.Word(b)), f.encoding)
	}
	target := at + Addr(int64(int32(im.elf.Order().Uint32(b))))
	if !im.elf.Class64 {
		target &= 0xffffffff
	}
	return target
}

// findLevels finds what may be initcall_levels: nine pointers, none lower than the
// one before, to entries of the run or its end. They are the starts of levels 0
// to 7 and the end of the table.
func (im *Image) findLevels(data []patched, r *run) [][]Addr {
	const pointers = 9
	word := im.elf.WordSize()
	var found [][]Addr
	for _, p := range data {
		var levels []Addr
		for at := int(-p.start & Addr(word-1)); at+word <= len(p.bytes); at += word {
			a := Addr(im.elf.Word(p.bytes[at:]))
			isEdge := a >= r.start && a <= r.end && uint64(a-r.start)%uint64(r.format.size) == 0
			if !isEdge || len(levels) > 0 && a < levels[len(levels)-1] {
				levels = levels[:0]
			}
			if isEdge {
				levels = append(levels, a)
			}
			if len(levels) == pointers {
				found = append(found, slices.Clone(levels))
				levels = levels[1:]
			}
		}
	}
	return found
}

// checkWalked makes sure that code walks what was found: the early initcalls from
// the start of the run to the start of level 0, and the console's table from its
// start to its end. Else a bad entry has cut the run short, or other entries lie
// before it or behind it.
func (im *Image) checkWalked(r *run, levels []Addr) error {
	if r.start == levels[0] { // every kernel has early initcalls
		return fmt.Errorf("the run of %d entries from %#x to %#x looks like the tables of initcalls, but has no early ones", r.entries, r.start, r.end)
	}
	walks := []extent{{r.start, levels[0]}}
	end := levels[len(levels)-1]
	console := Range{end, end}
	if end < r.end {
		walks = append(walks, extent{end, r.end})
	} else {
		console.To += Addr(maxConsole * r.format.size)
	}
	ranges := []Range{console}
	for _, w := range walks {
		ranges = append(ranges, Range{w.start, w.start}, Range{w.end, w.end})
	}
	refs, err := im.References(ranges...)
	if err != nil {
		return fmt.Errorf("whether the entries from %#x to %#x are all of the tables cannot be told: %w", r.start, r.end, err)
	}
	refs = slices.DeleteFunc(refs, func(ref Reference) bool { return ref.Kind == ReferencePointer })
	if end == r.end {
		if err := checkNoConsole(refs, console); err != nil {
			return err
		}
	}
	for _, w := range walks {
		from, to := users(refs, Range{w.start, w.start}), users(refs, Range{w.end, w.end})
		if !slices.ContainsFunc(from, func(f Addr) bool { return slices.Contains(to, f) }) {
			return fmt.Errorf("the run of %d entries from %#x to %#x looks like the tables of initcalls, but nothing refers to %#x and %#x, as what walks them would",
				r.entries, r.start, r.end, w.start, w.end)
		}
	}
	return nil
}

// maxConsole bounds how many entries are looked for in a console's table that
// is not one. Kernels have up to ten.
const maxConsole = 64

// checkNoConsole makes sure that a run that ends where the initcall table does
// is not followed by a console's table, of which the first entry is bad: what
// walks that refers to where it begins and where it ends, which in a kernel
// without one is the same.
func checkNoConsole(refs []Reference, after Range) error {
	from, to := users(refs, Range{after.From, after.From}), users(refs, Range{after.From + 1, after.To})
	if len(from) == 0 {
		return fmt.Errorf("nothing refers to %#x, where the initcall table ends: whether a table of the console's follows it cannot be told", after.From)
	}
	if slices.ContainsFunc(from, func(f Addr) bool { return slices.Contains(to, f) }) {
		return fmt.Errorf("the entries at %#x, which follow the initcall table, hold no functions, but something walks them as the console's table would be", after.From)
	}
	return nil
}

// users returns where the functions begin that refer to an address in a range.
func users(refs []Reference, to Range) (functions []Addr) {
	for _, ref := range refs {
		if ref.Target >= to.From && ref.Target <= to.To {
			functions = append(functions, ref.Start)
		}
	}
	return functions
}

// inferredTables makes tables of a run and the starts of its levels.
func inferredTables(r *run, levels []Addr) []*Table {
	end := levels[len(levels)-1]
	initcall := &Table{
		Kind:   TableInitcall,
		Start:  Boundary{Addr: r.start},
		End:    Boundary{Addr: end},
		Levels: []LevelSpan{{Level: LevelEarly, Start: Boundary{Addr: r.start}}},
		Inferred: []string{
			fmt.Sprintf("boundaries: %d entries in a row hold functions, %d %% of them in init text", r.entries, 100*r.inInit/r.entries),
			"levels: nine pointers to these entries, as in " + symLevels,
			"level rootfs: not told from level 5",
		},
	}
	numbered := 0
	for _, b := range levelBoundaries {
		if b.level != LevelRootfs {
			initcall.Levels = append(initcall.Levels, LevelSpan{Level: b.level, Start: Boundary{Addr: levels[numbered]}})
			numbered++
		}
	}
	if end == r.end {
		return []*Table{initcall}
	}
	console := &Table{
		Kind:     TableConsole,
		Start:    Boundary{Addr: end},
		End:      Boundary{Addr: r.end},
		Levels:   []LevelSpan{{Level: LevelConsole, Start: Boundary{Addr: end}}},
		Inferred: []string{"boundaries: the entries that follow the initcall table in a row"},
	}
	return []*Table{console, initcall}
}
