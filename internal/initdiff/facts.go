package initdiff

import (
	"slices"
	"strconv"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// facts compares all that is no single initcall's. How many entries and bytes
// a table has is not among it: that follows from what was added, removed and
// moved, and is counted level by level.
func facts(old, new *report.List, k knowledge) []report.DiffFact {
	all := imageFacts(old.Image, new.Image)
	for _, kind := range elfscan.TableKinds {
		all = append(all, tableFacts(string(kind), tableOf(old, kind), tableOf(new, kind), k)...)
	}
	return all
}

func imageFacts(old, new report.Image) []report.DiffFact {
	var all []report.DiffFact
	for _, f := range []struct {
		fact     string
		old, new *string
	}{
		{"container", &old.Container, &new.Container},
		{"release", old.Release, new.Release},
		{"machine", &old.Machine, &new.Machine},
		{"bits", decimal(old.Bits), decimal(new.Bits)},
		{"byte order", &old.ByteOrder, &new.ByteOrder},
	} {
		if text(f.old) != text(f.new) {
			all = append(all, report.DiffFact{Kind: string(KindImage), Fact: f.fact, Old: orUnknown(f.old), New: orUnknown(f.new)})
		}
	}
	return all
}

// tableFacts compares one table. What depends on the entries is compared where
// both sides have entries, and what only the linker decides where both are
// linked.
func tableFacts(table string, old, new *report.Table, k knowledge) []report.DiffFact {
	var all []report.DiffFact
	differ := func(fact, was, is string) {
		if was != is {
			all = append(all, report.DiffFact{Kind: string(KindTable), Table: &table, Fact: fact, Old: was, New: is})
		}
	}
	if old == nil || new == nil {
		differ("presence", presence(old), presence(new))
		return all
	}
	both := func(fact string, was, is *string) { // where both sides know
		if was != nil && is != nil {
			differ(fact, *was, *is)
		}
	}
	filled := old.Count > 0 && new.Count > 0
	if filled {
		both("encoding", old.Encoding, new.Encoding)
		differ("layout", old.Layout, new.Layout)
		differ("entry size", strconv.Itoa(old.EntrySize), strconv.Itoa(new.EntrySize))
	}
	if k.linked && filled {
		both("section", old.Section, new.Section)
		differ("trigger", orNone(old.Trigger), orNone(new.Trigger))
	}
	if k.bounds {
		differ("start symbol", orNone(old.Start.Symbol), orNone(new.Start.Symbol))
		differ("end symbol", orNone(old.End.Symbol), orNone(new.End.Symbol))
	}
	if k.linked {
		both("init memory", yesNo(old.InitMemory), yesNo(new.InitMemory))
	}
	return all
}

// sizes are those of the tables that either side has.
func sizes(old, new *report.List) []report.DiffTable {
	tables := []report.DiffTable{}
	for _, kind := range elfscan.TableKinds {
		t := report.DiffTable{Table: string(kind), Old: sizeOf(tableOf(old, kind)), New: sizeOf(tableOf(new, kind))}
		if t.Old != nil || t.New != nil {
			tables = append(tables, t)
		}
	}
	return tables
}

func sizeOf(t *report.Table) *report.DiffSize {
	if t == nil {
		return nil
	}
	return &report.DiffSize{Count: t.Count, Bytes: t.Bytes}
}

func tableOf(doc *report.List, kind elfscan.TableKind) *report.Table {
	i := slices.IndexFunc(doc.Tables, func(t report.Table) bool { return t.Table == string(kind) })
	if i < 0 {
		return nil
	}
	return &doc.Tables[i]
}

func presence(t *report.Table) string {
	if t == nil {
		return "absent"
	}
	return "present"
}

func orNone(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func orUnknown(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

func decimal(n int) *string {
	s := strconv.Itoa(n)
	return &s
}

func yesNo(b *bool) *string {
	if b == nil {
		return nil
	}
	s := "no"
	if *b {
		s = "yes"
	}
	return &s
}
