package render

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/report"
)

// allKinds is a comparison with a change of every kind, worked out by hand.
func allKinds() *report.Diff {
	at := func(order int, level, symbol, after string) *report.DiffPlace {
		p := &report.DiffPlace{Order: order, Table: "initcall", Level: level, Symbol: &symbol, Module: ptr("m"), Line: ptr(10 * order)}
		if after != "" {
			p.After = &after
		}
		return p
	}
	group := at(9, "deferred", "camera_init", "")
	group.Table, group.Group, group.Module, group.Line = "deferred", ptr("camera"), nil, nil
	return &report.Diff{
		Old: report.DiffSide{File: "old.json", Saved: true, Image: report.Image{Path: "vmlinux", Container: "elf", Machine: "arm", Release: ptr("5.10")}},
		New: report.DiffSide{File: "new.o", Image: report.Image{Path: "new.o", Container: "object", Machine: "arm"}},
		Facts: []report.DiffFact{
			{Kind: "image", Fact: "release", Old: "5.10", New: "unknown"},
			{Kind: "table", Table: ptr("deferred"), Fact: "presence", Old: "absent", New: "present"},
			{Kind: "table", Table: ptr("initcall"), Fact: "entry size", Old: "4", New: "8"},
		},
		Notes: []string{"something was not compared"},
		Tables: []report.DiffTable{
			{Table: "console", Old: &report.DiffSize{Count: 1, Bytes: 4}, New: &report.DiffSize{Count: 1, Bytes: 4}},
			{Table: "initcall", Old: &report.DiffSize{Count: 13, Bytes: 52}, New: &report.DiffSize{Count: 12, Bytes: 96}},
			{Table: "deferred", New: &report.DiffSize{Count: 1, Bytes: 8}},
		},
		Levels: []report.DiffLevel{
			{Table: "initcall", Level: "early", DiffCount: report.DiffCount{Old: 3, New: 3, Unchanged: 3}},
			{Table: "initcall", Level: "6", DiffCount: report.DiffCount{Old: 10, New: 9, Unchanged: 5, Added: 1, Removed: 1, MovedOut: 1, Reordered: 2, Renamed: 1}},
			{Table: "deferred", Level: "deferred", DiffCount: report.DiffCount{New: 1, MovedIn: 1}},
		},
		Total: report.DiffTotal{DiffCount: report.DiffCount{Old: 13, New: 13, Unchanged: 8, Added: 1, Removed: 1, MovedIn: 1, MovedOut: 1, Reordered: 2, Renamed: 1}, Moved: 1},
		Changes: []report.DiffChange{
			{Kind: "removed", Table: "initcall", Level: "6", Old: at(4, "6", "gone_init", "")},
			{Kind: "added", Table: "initcall", Level: "6", New: at(5, "6", "new_init", "a")},
			{Kind: "renamed", Guess: true, Table: "initcall", Level: "6", Old: at(6, "6", "was_init", "a"), New: at(6, "6", "is_init", "a")},
			{Kind: "reordered", Table: "initcall", Level: "6", Old: at(7, "6", "b_init", "a"), New: at(4, "6", "b_init", "")},
			{Kind: "reordered", Table: "initcall", Level: "6", Old: at(8, "6", "c_init", "b_init"), New: at(5, "6", "c_init", "b_init")},
			{Kind: "moved", Table: "deferred", Level: "deferred", Old: at(9, "6", "camera_init", "a"), New: group},
		},
	}
}

func renderedDiff(t *testing.T, doc *report.Diff, stat bool, f Format, style Style) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Diff(stat)(&out, doc, f, style))
	return out.String()
}

func TestDiffText(t *testing.T) {
	require.Equal(t, `--- old.json (a list of vmlinux): Linux 5.10, arm
+++ new.o: object, arm
! release: 5.10 -> unknown
! deferred table: absent -> present
! initcall table: entry size: 4 -> 8
note: something was not compared

6 device: 10 -> 9
- gone_init            m:40
+ new_init             m:50
= was_init -> is_init  m:60  a guess: same module and line
~ b_init               m:40  now first, was after a
~ c_init               m:50  still after b_init, in another place

deferred: 0 -> 1
> camera_init                6 device -> deferred, group camera

13 -> 13 initcalls: 1 added, 1 removed, 1 moved, 2 reordered, 1 renamed (a guess), 2 table facts; 8 unchanged
`, renderedDiff(t, allKinds(), false, Text, Style{}))

	require.Contains(t, renderedDiff(t, allKinds(), true, Text, Style{}), `
note: something was not compared

early      3 -> 3   (+0 -0 ~0)
6 device  10 -> 9   (+1 -2 ~3)  1 moved out
deferred   0 -> 1   (+1 -0 ~0)  1 moved in

initcall table: 13 entries, 52 bytes -> 12 entries, 96 bytes
deferred table: absent -> 1 entry, 8 bytes

13 -> 13 initcalls: `)
}

func TestDiffColors(t *testing.T) {
	text := renderedDiff(t, allKinds(), false, Text, Style{Color: true})
	for _, line := range []string{
		red + "- gone_init", green + "+ new_init", yellow + "= was_init", yellow + "~ b_init", cyan + "> camera_init", bold + "--- old.json",
	} {
		require.Contains(t, "\n"+text, "\n"+line, "%q", line)
	}
	for _, f := range []Format{TSV, CSV, JSON, Markdown} {
		require.NotContains(t, renderedDiff(t, allKinds(), false, f, Style{Color: true}), "\x1b", "%s", f)
	}
}

func TestDiffTSV(t *testing.T) {
	require.Equal(t, strings.ReplaceAll(`kind name module old_table old_level old_order old_line new_table new_level new_order new_line old_value new_value
image release - - - - - - - - - 5.10 unknown
table presence - deferred - - - deferred - - - absent present
table entry_size - initcall - - - initcall - - - 4 8
removed gone_init m initcall 6 4 40 - - - - - -
added new_init m - - - - initcall 6 5 50 - -
renamed is_init m initcall 6 6 60 initcall 6 6 60 was_init is_init
reordered b_init m initcall 6 7 70 initcall 6 4 40 - -
reordered c_init m initcall 6 8 80 initcall 6 5 50 - -
moved camera_init - initcall 6 9 90 deferred deferred 9 - - camera
`, " ", "\t"), strings.ReplaceAll(renderedDiff(t, allKinds(), false, TSV, Style{}), "entry size", "entry_size"))
}

func TestDiffMarkdown(t *testing.T) {
	require.Equal(t, `**13 -> 13 initcalls: 1 added, 1 removed, 1 moved, 2 reordered, 1 renamed (a guess), 2 table facts; 8 unchanged**

- old: old.json (a list of vmlinux): Linux 5.10, arm
- new: new.o: object, arm
- release: 5.10 -> unknown
- deferred table: absent -> present
- initcall table: entry size: 4 -> 8
- note: something was not compared

| level | old | new | added | removed | moved in | moved out | reordered | renamed |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 6 device | 10 | 9 | 1 | 1 | 0 | 1 | 2 | 1 |
| deferred | 0 | 1 | 0 | 0 | 1 | 0 | 0 | 0 |

| change | initcall | module | line | level |  |
| --- | --- | --- | --- | --- | --- |
| removed | gone\_init | m | 40 | 6 device |  |
| added | new\_init | m | 50 | 6 device |  |
| renamed | was\_init -> is\_init | m | 60 | 6 device | a guess: same module and line |
| reordered | b\_init | m | 40 | 6 device | now first, was after a |
| reordered | c\_init | m | 50 | 6 device | still after b\_init, in another place |
| moved | camera\_init | - | - | deferred | 6 device -> deferred, group camera |
`, renderedDiff(t, allKinds(), false, Markdown, Style{}))
}

func TestDiffOfNothing(t *testing.T) {
	doc := &report.Diff{Total: report.DiffTotal{DiffCount: report.DiffCount{Old: 1, New: 1, Unchanged: 1}}}
	require.True(t, strings.HasSuffix(renderedDiff(t, doc, false, Text, Style{}), "\n\n1 initcall: no difference\n"))
	require.NotContains(t, renderedDiff(t, doc, false, Markdown, Style{}), "|")
}

// Names of a hostile file break out of no cell and reach no terminal.
func TestHostileDiff(t *testing.T) {
	const hostile = "tab\there\nline|pipe,comma\"quote\x1b[31m"
	doc := allKinds()
	doc.Old.File, doc.Old.Image.Path, doc.New.Image.Release = hostile, hostile, ptr(hostile)
	doc.Facts[1].Table, doc.Facts[2].Old, doc.Facts[2].New = ptr(hostile), hostile, hostile
	for _, c := range doc.Changes {
		for _, p := range []*report.DiffPlace{c.Old, c.New} {
			if p != nil {
				p.Symbol, p.Module, p.After, p.Group = ptr(hostile), ptr(hostile), ptr(hostile), ptr(hostile)
			}
		}
	}
	for _, f := range Common {
		for _, stat := range []bool{false, true} {
			text, tame := renderedDiff(t, doc, stat, f, Style{}), renderedDiff(t, allKinds(), stat, f, Style{})
			require.NotContains(t, text, "\x1b", "%s", f)
			if f != CSV {
				require.Equal(t, strings.Count(tame, "\t"), strings.Count(text, "\t"), "%s", f)
			}
			if f != JSON { // which has keys for what was null
				require.Equal(t, strings.Count(tame, "\n"), strings.Count(text, "\n"), "%s", f)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(renderedDiff(t, doc, false, CSV, Style{}))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 10)
}

// A backslash makes the punctuation behind it plain text (CommonMark 0.31,
// section 2.4), and no plain text ends a cell, is a link or an image, a tag or
// an entity.
func TestHostileMarkdownCell(t *testing.T) {
	for text, want := range map[string]string{
		`a|b`:              `a\|b`,
		`a\|b`:             `a\\\|b`,
		`ends in \`:        `ends in \\`,
		`[click](http:)`:   `\[click\](http:)`,
		`![beacon](http:)`: `!\[beacon\](http:)`,
		`<img src=x>`:      `&lt;img src=x>`,
		`&lt;b>`:           `&amp;lt;b>`,
		"`~~*_":            "\\`\\~\\~\\*\\_",
		`usb_init -> b`:    `usb\_init -> b`,
	} {
		var out bytes.Buffer
		require.NoError(t, grid{columns: []string{"c"}, rows: [][]string{{text}}}.markdown(&out))
		require.Equal(t, "| c |\n| --- |\n| "+want+" |\n", out.String())
	}
}
