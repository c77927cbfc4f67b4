package check

import (
	"fmt"
	"slices"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// lostEntry is an entry symbol that lies in no table.
type lostEntry struct {
	symbols.Symbol
	parsed   symbols.EntryName
	function string
	section  string
	table    elfscan.TableKind // for which it is registered, "" if unknown
	level    elfscan.Level
	reported bool // with the table
}

// findLost reads the entry symbols that lie in no table.
func (e *examiner) findLost() error {
	lost, err := e.im.Lost(e.survey.Listing)
	if err != nil {
		return err
	}
	functions, err := e.functionsIn(lost)
	if err != nil {
		return err
	}
	for _, s := range lost {
		parsed, ok := symbols.ParseEntry(s.Name, functions)
		if !ok {
			continue
		}
		l := lostEntry{Symbol: s, parsed: parsed, function: parsed.Function}
		if section, ok := e.sectionAt(s.Addr); ok {
			l.section = section.Name
		}
		l.table, l.level, _ = elfscan.Registered(parsed)
		if elfscan.IsDeferredSection(l.section) {
			l.table, l.level = elfscan.TableDeferred, elfscan.LevelDeferred
		}
		e.lost = append(e.lost, l)
	}
	return nil
}

// maxID is how long an id at the end of an entry symbol may be, maxCandidates how
// many names are looked up to tell where it begins.
const (
	maxID         = 10
	maxCandidates = 1 << 18
)

// functionsIn returns the image's functions whose names may stand in the names
// of the entry symbols: nothing else tells where a name ends and an id begins.
func (e *examiner) functionsIn(entries []symbols.Symbol) ([]string, error) {
	var wanted []string
	for _, s := range entries {
		for from := 1; from < len(s.Name) && len(wanted) < maxCandidates; from++ {
			if s.Name[from-1] != '_' {
				continue
			}
			for to := len(s.Name); to > max(from, len(s.Name)-maxID); to-- {
				wanted = append(wanted, s.Name[from:to])
			}
		}
	}
	if len(wanted) == 0 { // an archive has no symbol table of its own
		return nil, nil
	}
	found, err := e.im.Symbols().Named(wanted...)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, defs := range found {
		if slices.ContainsFunc(defs, func(s symbols.Symbol) bool { return s.Kind.Text() }) {
			names = append(names, name)
		}
	}
	return names, nil
}

// lostEntries reports the initcalls that are registered but in no table.
func (e *examiner) lostEntries() error {
	for _, l := range e.lost {
		if l.reported {
			continue
		}
		rule, why := ruleLost, e.astray(l)
		if elfscan.IsDeferredSection(l.section) && e.tableAt(l.Addr) == nil {
			rule = ruleOrphan
		}
		f := e.add(rule, "%s never runs: its entry %s at %#x %s", l.function, l.Name, l.Addr, why)
		f.Function, f.Module, f.Line = l.function, l.parsed.Module, l.parsed.Line
		f.Table, f.Section, f.Symbol = l.table, l.section, ""
		f.Address = &l.Addr
	}
	return nil
}

// astray says where a lost entry lies, as seen from the table that it is for.
func (e *examiner) astray(l lostEntry) string {
	if t := e.tableAt(l.Addr); t != nil {
		return fmt.Sprintf("lies in the %s table, but not where the kernel reads an entry: it reads across it", t.Kind)
	}
	where := "lies in no section"
	if l.section != "" {
		where = "lies in section " + l.section
	}
	for _, t := range e.survey.Tables {
		switch {
		case t.Kind != l.table:
		case t.Bytes() == 0:
			return fmt.Sprintf("%s, and the boundary symbols of the %s table, %s and %s, both at %#x, enclose nothing",
				where, t.Kind, t.Start.Symbol, t.End.Symbol, t.Start.Addr)
		default:
			return fmt.Sprintf("%s, outside the %s table from %s at %#x to %s at %#x",
				where, t.Kind, t.Start.Symbol, t.Start.Addr, t.End.Symbol, t.End.Addr)
		}
	}
	return where + ", which no boundary symbols enclose"
}

// tableAt returns the table that holds an address.
func (e *examiner) tableAt(a elfscan.Addr) *elfscan.Table {
	for _, t := range e.survey.Tables {
		if a >= t.Start.Addr && a < t.End.Addr {
			return t
		}
	}
	return nil
}
