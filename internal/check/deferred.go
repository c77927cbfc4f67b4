package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// deferred judges the deferred tables and the sections that are made for them.
func (e *examiner) deferred() error {
	if err := e.orphans(); err != nil {
		return err
	}
	for _, t := range e.survey.Tables {
		if t.Kind != elfscan.TableDeferred || t.Count == 0 || !e.im.Linked() {
			continue
		}
		for _, judge := range []func(*elfscan.Table) error{e.ownSection, e.runs} {
			if err := judge(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// orphans reports sections of deferred entries that no table holds any part of
// and no entry symbol lies in: such entries have been reported one by one.
func (e *examiner) orphans() error {
	for _, s := range e.sections {
		if !elfscan.IsDeferredSection(s.Name) || s.Size == 0 {
			continue
		}
		tabled := slices.ContainsFunc(e.survey.Tables, func(t *elfscan.Table) bool {
			return t.Bytes() > 0 && t.Start.Addr < s.End() && t.End.Addr > s.Addr
		})
		named := slices.ContainsFunc(e.lost, func(l lostEntry) bool { return l.section == s.Name })
		if tabled || named {
			continue
		}
		f := e.add(ruleOrphan, "section %s, %d bytes at %#x, is made for deferred entries, but no boundary symbols enclose it: what is in it never runs",
			s.Name, s.Size, s.Addr)
		f.Table, f.Section, f.Address = elfscan.TableDeferred, s.Name, &s.Addr
	}
	return nil
}

// ownSection makes sure that a deferred table has an output section to itself.
func (e *examiner) ownSection(t *elfscan.Table) error {
	s, ok := e.sectionAt(t.Start.Addr)
	if !ok || s.Name == "" || strings.HasPrefix(s.Name, "segment ") {
		return nil // not known
	}
	before, err := e.strangers(s.Addr, t.Start.Addr)
	if err != nil {
		return err
	}
	behind, err := e.strangers(t.End.Addr, s.End())
	if err != nil {
		return err
	}
	if before+behind != "" && !elfscan.IsDeferredSection(s.Name) {
		f := e.add(ruleNoSection, "the deferred table from %s at %#x to %s at %#x has no output section of its own: it lies in %s, and nothing keeps its entries apart from what the kernel walks at boot",
			t.Start.Symbol, t.Start.Addr, t.End.Symbol, t.End.Addr, s.Name)
		f.Table, f.Section, f.Symbol, f.Address = t.Kind, s.Name, t.Start.Symbol, &t.Start.Addr
		return nil
	}
	if before != "" {
		e.stranger(t, t.Start, s.Name, before, "before")
	}
	if behind != "" {
		e.stranger(t, t.End, s.Name, behind, "behind")
	}
	return nil
}

func (e *examiner) stranger(t *elfscan.Table, edge elfscan.Boundary, section, what, where string) {
	f := e.add(ruleForeign, "section %s holds %s %s the deferred table, whose edge there is %s at %#x: its entries run as they should, %s, but the linker may put the others among them, and then the kernel calls those",
		section, what, where, edge.Symbol, edge.Addr, whenRuns(t))
	f.Table, f.Section, f.Symbol, f.Address = t.Kind, section, edge.Symbol, &edge.Addr
}

// maxPadding is how many bytes of alignment may be before or behind a table: less
// than a line of any processor's cache.
const maxPadding = 63

// strangers says what lies in a part of a deferred table's section, "" if that
// is nothing but entries, which are reported as lost, and padding.
func (e *examiner) strangers(from, to elfscan.Addr) (string, error) {
	if from >= to {
		return "", nil
	}
	inside, err := e.im.Symbols().Within(from, to)
	if err != nil {
		return "", err
	}
	entries := 0
	inside = slices.DeleteFunc(inside, func(sym symbols.Symbol) bool {
		if symbols.IsEntryName(sym.Name) {
			entries++
			return true
		}
		return isEdge(sym.Name)
	})
	size := uint64(to - from)
	if len(inside) > 0 {
		return fmt.Sprintf("%d bytes (%s)", size, symbolNames(inside)), nil
	}
	bytes, err := e.im.Bytes(elfscan.Range{From: from, To: to - 1})
	if err != nil {
		return "", err
	}
	zero := !slices.ContainsFunc(bytes, func(b byte) bool { return b != 0 })
	if entries > 0 || zero && size <= maxPadding {
		return "", nil
	}
	return fmt.Sprintf("%d bytes", size), nil
}

// isEdge reports whether a symbol is the edge of a table of initcalls, or one of
// the assembler's own.
func isEdge(name string) bool {
	return strings.Contains(name, "initcall_") && (strings.HasSuffix(name, "_start") || strings.HasSuffix(name, "_end")) ||
		strings.HasPrefix(name, "$") || strings.HasPrefix(name, ".L")
}

func symbolNames(syms []symbols.Symbol) string {
	var names []string
	for _, s := range syms[:min(len(syms), maxNames)] {
		names = append(names, s.Name)
	}
	list := strings.Join(names, ", ")
	if len(syms) > maxNames {
		list += ", …"
	}
	return list
}
