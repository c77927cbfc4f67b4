package render

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/report"
)

func ptr[T any](v T) *T { return &v }

// hostile is a document whose names would break out of their cells.
func hostile() *report.List {
	return &report.List{
		Image: report.Image{Path: "a\x1b[2Jb", Container: "elf", Machine: "x86_64", Bits: 64, ByteOrder: "little", Symbols: "symtab"},
		Initcalls: []report.Initcall{{
			Order: 1, Table: "initcall", Level: "6", Slot: ptr("0x10"), Target: ptr("0x20"),
			Symbol: ptr("tab\there\nline|pipe,comma\"quote\x1b[31m"),
		}},
	}
}

func rendered(t *testing.T, doc *report.List, f Format, style Style) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, List(&out, doc, f, style))
	return out.String()
}

func TestHostileNamesStayInTheirCells(t *testing.T) {
	tsv := strings.Split(strings.TrimSuffix(rendered(t, hostile(), TSV, Style{}), "\n"), "\n")
	require.Len(t, tsv, 2)
	require.Len(t, strings.Split(tsv[1], "\t"), 9)

	rows, err := csv.NewReader(strings.NewReader(rendered(t, hostile(), CSV, Style{}))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Len(t, rows[1], 9)

	markdown := strings.Split(strings.TrimSuffix(rendered(t, hostile(), Markdown, Style{}), "\n"), "\n")
	require.Len(t, markdown, 3)
	require.Equal(t, 10, strings.Count(markdown[2], "|")-strings.Count(markdown[2], `\|`))

	for _, f := range Common {
		require.NotContains(t, rendered(t, hostile(), f, Style{}), "\x1b", "%s", f)
	}
}

func TestUnknownIsADash(t *testing.T) {
	doc := hostile()
	doc.Initcalls[0].Slot, doc.Initcalls[0].Symbol = nil, nil
	row := strings.Split(rendered(t, doc, TSV, Style{}), "\n")[1]
	require.Equal(t, "1\tinitcall\t6\t-\t20\t-\t-\t-\t-", row)
}

func TestColorOnlyWhenAsked(t *testing.T) {
	doc := hostile()
	require.Contains(t, rendered(t, doc, Text, Style{Color: true}), bold)
	require.NotContains(t, rendered(t, doc, TSV, Style{Color: true}), bold)
}

// Without entry symbols a base level may hold sync ones, and a level that no
// boundary tells is said to be unknown.
func TestLevelHeadings(t *testing.T) {
	doc := hostile()
	require.Contains(t, rendered(t, doc, Text, Style{}), "\n6 device or sync (1)\n")
	doc.SyncKnown = true
	require.Contains(t, rendered(t, doc, Text, Style{}), "\n6 device (1)\n")
	doc.Initcalls[0].Level = "unknown"
	doc.Initcalls[0].Entry = &report.Entry{Symbol: "__initcall_f6", Function: "f", ID: ptr("6")}
	text := rendered(t, doc, Text, Style{})
	require.Contains(t, text, "\nlevel unknown: this kernel has no boundary symbol that tells it (1)\n")
	require.Contains(t, text, "its entry symbol says level 6")
}

func TestPrintable(t *testing.T) {
	require.Equal(t, "größe…", Printable("größe…"))
	require.Equal(t, "a?b?c?", Printable("a\x1bb\x7fc\u009b"))
}

func TestCount(t *testing.T) {
	require.Equal(t, "1 entry", count(1, "entry"))
	require.Equal(t, "2 entries", count(2, "entry"))
	require.Equal(t, "0 initcalls", count(0, "initcall"))
}

// What was concluded, and what is not known of any initcall, is said above them.
func TestListNotes(t *testing.T) {
	name, module := "f_init", "m"
	doc := &report.List{
		Tables:    []report.Table{{Table: "initcall", Inferred: []string{"level rootfs: not told from level 5"}}},
		Initcalls: []report.Initcall{{Order: 1, Table: "initcall", Level: "5", Symbol: &name}},
	}
	text := rendered(t, doc, Text, Style{})
	require.Contains(t, text, "\ninitcall table, inferred: level rootfs: not told from level 5\n")
	require.Contains(t, text, "\nmodules and source lines are not known: no symbol tells them\n")

	doc.Tables[0].Inferred, doc.Initcalls[0].Module = nil, &module
	text = rendered(t, doc, Text, Style{})
	require.NotContains(t, text, "inferred")
	require.NotContains(t, text, "not known")
}
