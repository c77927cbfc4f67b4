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
		if t.Kind != elfscan.TableDeferred || t.Count == 0 || e.im.Container != elfscan.ContainerELF {
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
		named := slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Section == s.Name })
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
	if !ok || strings.HasPrefix(s.Name, "segment ") || e.tableShared(t) {
		return nil // not known, or reported as an overlap
	}
	before, err := e.strangers(s.Addr, t.Start.Addr, s)
	if err != nil {
		return err
	}
	behind, err := e.strangers(t.End.Addr, s.End(), s)
	if err != nil {
		return err
	}
	if before == "" && behind == "" {
		return nil
	}
	rule := ruleForeign
	comes := "the linker may put that between the entries, and then the kernel calls it"
	if !elfscan.IsDeferredSection(s.Name) {
		rule = ruleNoSection
		comes = "nothing keeps them apart from what the kernel walks at boot"
	}
	var what []string
	if before != "" {
		what = append(what, before+" before the table")
	}
	if behind != "" {
		what = append(what, behind+" behind it")
	}
	f := e.add(rule, "the deferred table from %s at %#x to %s at %#x has no output section to itself: %s holds %s; its entries run %s, but %s",
		t.Start.Symbol, t.Start.Addr, t.End.Symbol, t.End.Addr, s.Name, strings.Join(what, " and "), whenRuns(t), comes)
	f.Table, f.Section, f.Symbol, f.Address = t.Kind, s.Name, t.Start.Symbol, &t.Start.Addr
	return nil
}

func (e *examiner) tableShared(t *elfscan.Table) bool {
	return slices.ContainsFunc(e.survey.Tables, func(other *elfscan.Table) bool {
		return other != t && other.Start.Addr < t.End.Addr && t.Start.Addr < other.End.Addr
	})
}

// strangers says what lies in a part of a deferred table's section, "" if that
// is nothing but entries, which are reported as lost, and padding.
func (e *examiner) strangers(from, to elfscan.Addr, s elfscan.Section) (string, error) {
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
	switch {
	case len(inside) > 0:
		return fmt.Sprintf("%d bytes (%s)", size, symbolNames(inside)), nil
	case entries > 0, size < max(s.Align, uint64(e.im.WordBytes())):
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
