package elfscan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/initsect/initsect/symbols"
)

// Boundary is one edge of a table or a level.
type Boundary struct {
	Symbol string // the linker script's name for it; "" if it was found otherwise
	Addr   Addr
}

// LevelSpan is a part of a table whose entries run at one level.
type LevelSpan struct {
	Level Level
	Start Boundary
	Count int // entries
}

// Names of the boundary symbols (include/asm-generic/vmlinux.lds.h).
const (
	symInitcallStart = "__initcall_start"
	symInitcallEnd   = "__initcall_end"
	symEarlyEnd      = "__early_initcall_end" // 2.6.28 to 3.3
	symInitBegin     = "__init_begin"
	symInitEnd       = "__init_end"
	symEnd           = "_end" // of the kernel; every linker script has it
)

// levelBoundaries are the symbols behind which each level begins, 3.4 on.
// Early ones have begun at __initcall_start.
var levelBoundaries = []struct {
	level  Level
	symbol string
}{
	{Level0, "__initcall0_start"},
	{Level1, "__initcall1_start"},
	{Level2, "__initcall2_start"},
	{Level3, "__initcall3_start"},
	{Level4, "__initcall4_start"},
	{Level5, "__initcall5_start"},
	{LevelRootfs, "__initcallrootfs_start"},
	{Level6, "__initcall6_start"},
	{Level7, "__initcall7_start"},
}

// fixedTables are the tables of which every kernel has at most one.
var fixedTables = []struct {
	kind       TableKind
	level      Level
	start, end string
}{
	{TableConsole, LevelConsole, "__con_initcall_start", "__con_initcall_end"},
	{TableSecurity, LevelSecurity, "__security_initcall_start", "__security_initcall_end"},
	{TableInitcall, LevelUnknown, symInitcallStart, symInitcallEnd},
}

// ErrNoTable is returned for an image that has no table of initcalls.
var ErrNoTable = errors.New("no table of initcalls")

// boundaryNames lists all symbols that locateTables asks for.
func boundaryNames(deferred []deferredBounds) []string {
	names := []string{symEarlyEnd, symInitBegin, symInitEnd, symLevels}
	for _, b := range levelBoundaries {
		names = append(names, b.symbol)
	}
	for _, t := range fixedTables {
		names = append(names, t.start, t.end)
	}
	for _, d := range deferred {
		names = append(names, d.start, d.end)
	}
	return names
}

// boundaryAddrs looks the names up. A name that is defined twice at two
// addresses is an error: one of them is not the kernel's.
func boundaryAddrs(syms *symbols.Table, names []string) (map[string]Addr, error) {
	found, err := syms.Named(names...)
	if err != nil {
		return nil, err
	}
	addrs := make(map[string]Addr, len(found))
	for name, defs := range found {
		for _, s := range defs {
			if a, ok := addrs[name]; ok && a != s.Addr {
				return nil, fmt.Errorf("symbol %s is defined twice, at %#x and at %#x", name, a, s.Addr)
			}
			addrs[name] = s.Addr
		}
	}
	return addrs, nil
}

// locateTables finds the tables by their boundary symbols, in run order.
func locateTables(addrs map[string]Addr, deferred []deferredBounds, f *faults) ([]*Table, error) {
	var tables []*Table
	for _, t := range fixedTables {
		table, err := boundedTable(addrs, t.kind, t.start, t.end, f)
		if err != nil {
			return nil, err
		}
		if table == nil {
			continue
		}
		if t.kind == TableInitcall {
			if table.Levels, err = levelSpans(addrs, table.Start, table.End, f); err != nil {
				return nil, err
			}
		} else {
			table.Levels = []LevelSpan{{Level: t.level, Start: table.Start}}
		}
		tables = append(tables, table)
	}
	for _, d := range deferred {
		table, err := boundedTable(addrs, TableDeferred, d.start, d.end, f)
		if err != nil {
			return nil, err
		}
		if table == nil || slices.ContainsFunc(tables, table.isDeferredTwin) {
			continue
		}
		table.Levels = []LevelSpan{{Level: LevelDeferred, Start: table.Start}}
		tables = append(tables, table)
	}
	return tables, nil
}

// isDeferredTwin reports whether other is the same deferred table, which a
// port may bound by the original's symbols as well as by its own.
func (t *Table) isDeferredTwin(other *Table) bool {
	return other.Kind == TableDeferred && other.Start.Addr == t.Start.Addr && other.End.Addr == t.End.Addr
}

// boundedTable is the table between two symbols, nil if neither exists or if
// there is no table between them.
func boundedTable(addrs map[string]Addr, kind TableKind, start, end string, f *faults) (*Table, error) {
	from, hasStart := addrs[start]
	to, hasEnd := addrs[end]
	first, last := Boundary{start, from}, Boundary{end, to}
	switch {
	case !hasStart && !hasEnd:
		return nil, nil
	case !hasStart:
		return nil, f.addf(kind, FaultHalf, last, "%s is at %#x, but there is no %s", end, to, start)
	case !hasEnd:
		return nil, f.addf(kind, FaultHalf, first, "%s is at %#x, but there is no %s", start, from, end)
	case to < from:
		return nil, f.addf(kind, FaultReversed, first, "the boundaries are reversed: %s is at %#x, %s at %#x", start, from, end, to)
	case to-from > maxTable:
		return nil, f.addf(kind, FaultOutside, first, "%#x to %#x is far too large for a table of initcalls", from, to)
	}
	return &Table{Kind: kind, Start: first, End: last}, nil
}

// maxTable bounds a table, in bytes: 30 times the largest seen, which has
// 1,000 pointers.
const maxTable = 256 << 10

// levelSpans cuts the initcall table into levels by what boundary symbols this
// kernel has. Where the symbol of a level is missing, the level of the entries
// before it cannot be told from its own, and is unknown.
func levelSpans(addrs map[string]Addr, start, end Boundary, f *faults) ([]LevelSpan, error) {
	if a, ok := addrs[symEarlyEnd]; ok && !hasLevelBoundary(addrs) {
		spans := []LevelSpan{
			{Level: LevelEarly, Start: start},
			{Level: LevelUnknown, Start: Boundary{symEarlyEnd, a}},
		}
		return checkSpans(spans, end, f)
	}
	if !hasLevelBoundary(addrs) {
		return []LevelSpan{{Level: LevelUnknown, Start: start}}, nil
	}
	spans := []LevelSpan{{Level: LevelEarly, Start: start}}
	for _, b := range levelBoundaries {
		a, ok := addrs[b.symbol]
		if !ok {
			spans[len(spans)-1].Level = LevelUnknown
			f.notef(TableInitcall, FaultLevelMissing, Boundary{Symbol: b.symbol}, "there is no %s", b.symbol)
			continue
		}
		spans = append(spans, LevelSpan{Level: b.level, Start: Boundary{b.symbol, a}})
	}
	return checkSpans(spans, end, f)
}

func hasLevelBoundary(addrs map[string]Addr) bool {
	for _, b := range levelBoundaries {
		if _, ok := addrs[b.symbol]; ok {
			return true
		}
	}
	return false
}

// checkSpans makes sure that the boundaries rise from start to end. Where they
// do not, it returns the spans by address, without those outside the table.
func checkSpans(spans []LevelSpan, end Boundary, f *faults) ([]LevelSpan, error) {
	start := spans[0].Start
	sound := true
	for i, s := range spans {
		next := end
		if i+1 < len(spans) {
			next = spans[i+1].Start
		}
		if s.Start.Addr > next.Addr {
			sound = false
			if err := f.addf(TableInitcall, FaultLevelOrder, s.Start, "the boundaries are reversed: %s is at %#x, %s at %#x",
				s.Start.Symbol, s.Start.Addr, next.Symbol, next.Addr); err != nil {
				return nil, err
			}
		}
	}
	if sound {
		return spans, nil
	}
	spans = slices.DeleteFunc(spans, func(s LevelSpan) bool { return s.Start.Addr < start.Addr || s.Start.Addr > end.Addr })
	slices.SortStableFunc(spans, func(a, b LevelSpan) int { return cmp.Compare(a.Start.Addr, b.Start.Addr) })
	return spans, nil
}

// spanEnd is the boundary behind the table's i-th level.
func (t *Table) spanEnd(i int) Boundary {
	if i+1 < len(t.Levels) {
		return t.Levels[i+1].Start
	}
	return t.End
}

// levelStart is where the entries of the table's i-th level begin, if they are
// of this many bytes.
func (t *Table) levelStart(i, entrySize int) Addr {
	start := t.Levels[i].Start.Addr
	if i == 0 {
		start += t.lead(entrySize)
	}
	return start
}

// lead is how many bytes lie between a table's start and its first entry. A
// whole entry is none of them: the kernel calls it.
func (t *Table) lead(entrySize int) Addr {
	if t.first.Symbol == "" || (t.first.Addr-t.Start.Addr)%Addr(entrySize) == 0 {
		return 0
	}
	return t.first.Addr - t.Start.Addr
}

// checkLead makes sure that the table starts where its first entry does.
func (t *Table) checkLead(f *faults) error {
	if t.lead(t.EntrySize) == 0 {
		return nil
	}
	return f.addf(t.Kind, FaultMisaligned, t.Start, "it starts at %#x, but its first entry, %s, is at %#x", t.Start.Addr, t.first.Symbol, t.first.Addr)
}

// countLevels fills in how many entries each level has. A boundary that lies
// inside an entry is a fault.
func (t *Table) countLevels(f *faults) error {
	for i := range t.Levels {
		s := &t.Levels[i]
		end := t.spanEnd(i)
		size := uint64(end.Addr - t.levelStart(i, t.EntrySize))
		if size%uint64(t.EntrySize) != 0 {
			if err := f.addf(t.Kind, FaultSize, s.Start, "%s at %#x and %s at %#x are %#x bytes apart, no multiple of the %d of an entry (%s)",
				s.Start.Symbol, s.Start.Addr, end.Symbol, end.Addr, size, t.EntrySize, t.Encoding); err != nil {
				return err
			}
		}
		s.Count = int(size / uint64(t.EntrySize))
	}
	return nil
}

// levelAt returns the level of the slot by the boundaries alone.
func (t *Table) levelAt(slot Addr) Level {
	level := LevelUnknown
	for _, s := range t.Levels {
		if slot < s.Start.Addr {
			break
		}
		level = s.Level
	}
	return level
}

// deferredBounds are the boundary symbols of a deferred table.
type deferredBounds struct{ start, end string }

// knownDeferred are the boundaries that deferred-initcalls patches use: Tim
// Bird's original; its ports to 3.x and Sony's; LG's.
var knownDeferred = []deferredBounds{
	{start: "__def_initcall_start", end: "__def_initcall_end"},
	{start: "__deferred_initcall_start", end: "__deferred_initcall_end"},
	{start: "__user_initcall_start", end: "__user_initcall_end"},
}

// Deferred names a deferred table that is not one of the known ones: by its
// boundary symbols, by its output section, or both.
type Deferred struct{ Start, End, Section string }

func (d Deferred) check() error {
	if (d.Start == "") != (d.End == "") {
		return errors.New("a deferred table needs both its start and its end symbol")
	}
	return nil
}

// bounds returns the symbols to look for.
func (d Deferred) bounds() []deferredBounds {
	if d.Start != "" {
		return []deferredBounds{{start: d.Start, end: d.End}}
	}
	return knownDeferred
}
