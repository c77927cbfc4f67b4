package initdiff

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// row is an initcall of a made kernel.
type row struct {
	level, function, module string // module "" if it is not known
	line                    int
	group                   string
}

// rowsOf reads rows as lines of "level function module:line group", the last
// two of which may be missing.
func rowsOf(text string) []row {
	var rows []row
	for line := range strings.Lines(text) {
		word := strings.Fields(line)
		if len(word) == 0 {
			continue
		}
		r := row{level: word[0], function: word[1]}
		if len(word) > 2 {
			module, line, _ := strings.Cut(word[2], ":")
			r.module = module
			r.line, _ = strconv.Atoi(line)
		}
		if len(word) > 3 {
			r.group = word[3]
		}
		rows = append(rows, r)
	}
	return rows
}

func tableOfLevel(level string) elfscan.TableKind {
	switch level {
	case "console", "security", "deferred":
		return elfscan.TableKind(level)
	}
	return elfscan.TableInitcall
}

// document makes the list of a kernel that has these initcalls, in the order
// of the tables, and reads it back as a saved one: so it is one that list could
// have written.
func document(t testing.TB, rows []row) *report.List {
	t.Helper()
	doc := &report.List{
		Schema:    report.ListSchema,
		Image:     report.Image{Path: "vmlinux", Container: "elf", Machine: "x86_64", Bits: 64, ByteOrder: "little", Symbols: "symtab"},
		SyncKnown: true,
		Tables:    []report.Table{},
		Initcalls: []report.Initcall{},
	}
	for _, kind := range elfscan.TableKinds {
		table := report.Table{
			Table: string(kind), Layout: "plain", EntrySize: 4, Encoding: ptr("prel32"), Section: ptr(".init.data"),
			Levels: []report.Level{}, Inferred: []string{},
		}
		if kind == elfscan.TableInitcall {
			table.Start.Symbol, table.End.Symbol = ptr("__initcall_start"), ptr("__initcall_end")
		}
		for _, r := range rows {
			if tableOfLevel(r.level) != kind {
				continue
			}
			doc.SyncKnown = doc.SyncKnown && r.level != "unknown"
			doc.Initcalls = append(doc.Initcalls, initcall(r, len(doc.Initcalls)+1))
			table.Count++
			table.Bytes += 4
			base := r.level
			if base != "rootfs" {
				base = strings.TrimSuffix(base, "s")
			}
			i := slices.IndexFunc(table.Levels, func(l report.Level) bool { return l.Level == base })
			if i < 0 {
				table.Levels = append(table.Levels, report.Level{Level: base})
				i = len(table.Levels) - 1
			}
			table.Levels[i].Count++
		}
		if table.Count > 0 {
			doc.Tables = append(doc.Tables, table)
		}
	}
	return reread(t, doc)
}

func initcall(r row, order int) report.Initcall {
	c := report.Initcall{
		Order: order, Table: string(tableOfLevel(r.level)), Level: r.level,
		Symbol: &r.function, RawSymbol: &r.function, Aliases: []string{},
	}
	if r.module != "" {
		c.Module, c.Line = &r.module, &r.line
	}
	if r.group != "" {
		c.Group = &r.group
	}
	return c
}

func reread(t testing.TB, doc *report.List) *report.List {
	t.Helper()
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	read, err := report.ReadList(bytes.NewReader(text))
	require.NoError(t, err)
	return read
}

func ptr[T any](v T) *T { return &v }

// compare compares two kernels with all that a query can ask for.
func compare(t testing.TB, old, new *report.List, q Query) *report.Diff {
	t.Helper()
	doc, err := Compare(Side{File: "old", List: old}, Side{File: "new", List: new}, q)
	require.NoError(t, err)
	return doc
}

// changesOf returns the changes as short lines.
func changesOf(doc *report.Diff) []string {
	at := func(p *report.DiffPlace) string {
		if p == nil {
			return "-"
		}
		s := p.Level
		if p.Group != nil {
			s += "/" + *p.Group
		}
		return s + " " + *p.Symbol
	}
	lines := []string{}
	for _, c := range doc.Changes {
		lines = append(lines, c.Kind+": "+at(c.Old)+" -> "+at(c.New))
	}
	return lines
}
