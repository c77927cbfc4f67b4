package initdiff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

// tableOrder is the run order of the levels of made kernels.
var tableOrder = []string{"console", "early", "unknown", "1", "1s", "6", "6s", "7", "deferred"}

// randomRows makes a kernel. Few names make many equals, many lines few
// renamed ones.
func randomRows(r *rand.Rand) []row {
	var rows []row
	for range 1 + r.IntN(14) {
		rows = append(rows, randomRow(r))
	}
	return rows
}

func randomRow(r *rand.Rand) row {
	levels := []string{"console", "early", "1", "1s", "6", "6s", "6", "7", "deferred"}
	one := row{
		level:    levels[r.IntN(len(levels))],
		function: string(rune('a' + r.IntN(4))),
		module:   string(rune('m' + r.IntN(2))),
		line:     1 + r.IntN(6),
	}
	if one.level == "deferred" && r.IntN(2) == 0 {
		one.group = "camera"
	}
	return one
}

// edited returns the rows with a few changes, as a patch makes them.
func edited(r *rand.Rand, rows []row) []row {
	rows = slices.Clone(rows)
	for range r.IntN(4) {
		i := r.IntN(len(rows))
		switch r.IntN(4) {
		case 0:
			rows = slices.Insert(rows, i, randomRow(r))
		case 1:
			rows[i].level = randomRow(r).level
		case 2:
			rows[i], rows[0] = rows[0], rows[i]
		case 3:
			rows[i].function = "renamed"
		}
	}
	return rows
}

// randomSide makes a list of the rows, of a kernel that may not know all.
func randomSide(t testing.TB, r *rand.Rand, rows []row) *report.List {
	rows = slices.Clone(rows)
	forgetModules, forgetLevels := r.IntN(5) == 0, r.IntN(5) == 0
	forgotten := r.IntN(5 * len(rows)) // often none
	for i := range rows {
		if forgetModules || i == forgotten {
			rows[i].module = ""
		}
		if rows[i].level != "deferred" {
			rows[i].group = ""
		}
	}
	sort.SliceStable(rows, func(i, j int) bool {
		return slices.Index(tableOrder, rows[i].level) < slices.Index(tableOrder, rows[j].level)
	})
	for i := range rows {
		if forgetLevels && tableOfLevel(rows[i].level) == "initcall" && rows[i].level != "early" {
			rows[i].level = "unknown"
		}
	}
	doc := document(t, rows)
	if r.IntN(5) == 0 {
		for i := range doc.Initcalls {
			c := &doc.Initcalls[i]
			c.Level = strings.TrimSuffix(c.Level, "s")
		}
		doc.SyncKnown = false
	}
	return doc
}

// seen is an initcall as far as both sides can tell, in a form that owes
// nothing to the comparison.
type seen struct{ table, level, group, function, module string }

// seeAll returns what can be seen of doc beside other.
func seeAll(doc, other *report.List) []seen {
	hasUnknown := func(d *report.List, level string) bool {
		return slices.ContainsFunc(d.Initcalls, func(c report.Initcall) bool { return c.Level == level })
	}
	// A list without an early initcall but with unknown ones may hold early ones among these.
	blur, blurEarly := false, false
	modules, unsaid := true, map[string]bool{}
	for _, d := range []*report.List{doc, other} {
		blur = blur || hasUnknown(d, "unknown")
		blurEarly = blurEarly || hasUnknown(d, "unknown") && !hasUnknown(d, "early")
		modules = modules && slices.ContainsFunc(d.Initcalls, func(c report.Initcall) bool { return c.Module != nil })
		for _, c := range d.Initcalls {
			unsaid[*c.RawSymbol] = unsaid[*c.RawSymbol] || c.Module == nil
		}
	}
	var all []seen
	for _, c := range doc.Initcalls {
		s := seen{c.Table, c.Level, "", *c.RawSymbol, ""}
		if modules && !unsaid[s.function] {
			s.module = *c.Module
		}
		if c.Group != nil {
			s.group = *c.Group
		}
		if !doc.SyncKnown || !other.SyncKnown {
			s.level = strings.TrimSuffix(s.level, "s")
		}
		if c.Table == "initcall" && (blurEarly || blur && c.Level != "early") {
			s.level = "unknown"
		}
		all = append(all, s)
	}
	return all
}

// Whatever the two kernels are: what is said of the one and the changes make
// the other, the totals add up, and no fewer changes would do.
func TestRandomPairs(t *testing.T) {
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 0))
		rows := randomRows(r)
		other := edited(r, rows)
		if r.IntN(3) == 0 {
			other = randomRows(r)
		}
		old, new := randomSide(t, r, rows), randomSide(t, r, other)
		doc := compare(t, old, new, Query{})
		name := fmt.Sprintf("seed %d: %v\nto %v\nis %v", seed, seeAll(old, new), seeAll(new, old), changesOf(doc))

		requireTotals(t, name, doc, seeAll(old, new), seeAll(new, old))
		requireReproduces(t, name, doc, seeAll(old, new), seeAll(new, old))
		requireFewest(t, name, doc, seeAll(old, new), seeAll(new, old))
		requireMirror(t, name, doc, compare(t, new, old, Query{}), seeAll(old, new), seeAll(new, old))

		requirePartsAddUp(t, name, doc, old, new)
		same := compare(t, old, old, Query{})
		require.Empty(t, same.Changes, name)
		require.Empty(t, same.Facts, name)
		require.Zero(t, same.Counted, name)
	}
}

func requireTotals(t *testing.T, name string, doc *report.Diff, old, new []seen) {
	at := func(all []seen, l report.DiffLevel) int {
		n := 0
		for _, s := range all {
			if s.table == l.Table && s.level == l.Level {
				n++
			}
		}
		return n
	}
	var sum report.DiffCount
	for _, n := range doc.Levels {
		require.Equal(t, at(old, n), n.Old, name)
		require.Equal(t, at(new, n), n.New, name)
		requireAddsUp(t, name, n.DiffCount)
		sum.Old += n.Old
		sum.New += n.New
	}
	require.Equal(t, len(old), sum.Old, name)
	require.Equal(t, len(new), sum.New, name)
	require.Equal(t, len(old), doc.Total.Old, name)
	require.Equal(t, len(new), doc.Total.New, name)
	requireAddsUp(t, name, doc.Total.DiffCount)

	kinds := map[string]int{}
	for _, c := range doc.Changes {
		kinds[c.Kind]++
	}
	n := doc.Total
	require.Equal(t, kinds["added"], n.Added, name)
	require.Equal(t, kinds["removed"], n.Removed, name)
	require.Equal(t, kinds["reordered"], n.Reordered, name)
	require.Equal(t, kinds["renamed"], n.Renamed, name)
	require.Equal(t, []int{kinds["moved"], kinds["moved"], kinds["moved"]}, []int{n.Moved, n.MovedIn, n.MovedOut}, name)
}

// requirePartsAddUp asks for one level after the other: each part has the
// figures that it has in the whole, and the moved ones are in two.
func requirePartsAddUp(t *testing.T, name string, doc *report.Diff, old, new *report.List) {
	moved := 0
	for _, want := range doc.Levels {
		level, err := elfscan.ParseLevel(want.Level)
		require.NoError(t, err)
		part := compare(t, old, new, Query{Levels: []elfscan.Level{level}})
		require.Equal(t, []report.DiffLevel{want}, part.Levels, name)
		require.Equal(t, want.DiffCount, part.Total.DiffCount, name)
		inside := 0 // from group to group
		for _, c := range part.Changes {
			if c.Kind == "moved" && c.Old.Level == c.New.Level && c.Level == "deferred" {
				inside++
			}
		}
		require.Equal(t, want.MovedIn+want.MovedOut-inside, part.Total.Moved, name)
		require.Len(t, part.Changes, want.Added+want.Removed+want.Reordered+want.Renamed+part.Total.Moved, name)
		moved += part.Total.Moved + inside
	}
	require.Equal(t, 2*doc.Total.Moved, moved, name)
}

func requireAddsUp(t *testing.T, name string, n report.DiffCount) {
	require.Equal(t, n.Old, n.Unchanged+n.Reordered+n.Renamed+n.Removed+n.MovedOut, name)
	require.Equal(t, n.New, n.Unchanged+n.Reordered+n.Renamed+n.Added+n.MovedIn, name)
}

// requireReproduces takes from the old kernel what the changes say has gone,
// and from the new one what has come: the same must remain, in the same order
// at every place.
func requireReproduces(t *testing.T, name string, doc *report.Diff, old, new []seen) {
	gone, come := map[int]bool{}, map[int]bool{}
	for _, c := range doc.Changes {
		if c.Old != nil {
			require.False(t, gone[c.Old.Order], name)
			gone[c.Old.Order] = true
		}
		if c.New != nil {
			require.False(t, come[c.New.Order], name)
			come[c.New.Order] = true
		}
		switch c.Kind {
		case "moved":
			was, is := old[c.Old.Order-1], new[c.New.Order-1]
			require.Equal(t, was.function+was.module, is.function+is.module, name)
			was.function, is.function, was.module, is.module = "", "", "", ""
			require.NotEqual(t, was, is, name)
		case "reordered":
			require.Equal(t, old[c.Old.Order-1], new[c.New.Order-1], name)
		case "renamed":
			was, is := old[c.Old.Order-1], new[c.New.Order-1]
			require.NotEqual(t, was.function, is.function, name)
			require.NotNil(t, c.Old.Module, name)
			require.Equal(t, c.Old.Module, c.New.Module, name)
			was.function, was.module = is.function, is.module
			require.Equal(t, was, is, name)
			require.True(t, c.Guess, name)
		default:
			require.Equal(t, c.Kind == "added", c.Old == nil, name)
			require.Equal(t, c.Kind == "removed", c.New == nil, name)
		}
	}
	require.Equal(t, placesOf(old, gone), placesOf(new, come), name)
}

func placesOf(all []seen, without map[int]bool) map[seen][]seen {
	at := map[seen][]seen{}
	for i, s := range all {
		if !without[i+1] {
			place := seen{table: s.table, level: s.level, group: s.group}
			at[place] = append(at[place], s)
		}
	}
	return at
}

// requireFewest holds the changes against what can be counted without pairing
// any: no initcall is both removed and added, and what stays in order at a
// place is as long as it can be.
func requireFewest(t *testing.T, name string, doc *report.Diff, old, new []seen) {
	type who struct{ function, module string }
	removed := map[who]bool{}
	for _, c := range doc.Changes {
		if c.New == nil {
			s := old[c.Old.Order-1]
			removed[who{s.function, s.module}] = true
		}
	}
	for _, c := range doc.Changes {
		if c.Old == nil {
			s := new[c.New.Order-1]
			require.False(t, removed[who{s.function, s.module}], name)
		}
	}
	olds, news := placesOf(old, nil), placesOf(new, nil)
	stayed := 0
	for place, before := range olds {
		stayed += longestCommon(before, news[place])
	}
	require.Equal(t, stayed, doc.Total.Unchanged, name)
}

// longestCommon is the length of the longest common subsequence, by trying all.
func longestCommon(a, b []seen) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case a[0] == b[0]:
		return 1 + longestCommon(a[1:], b[1:])
	}
	return max(longestCommon(a[1:], b), longestCommon(a, b[1:]))
}

// requireMirror compares with the comparison in the other direction. Which of
// several equals was reordered or renamed is a choice; how many came, went and
// stayed is not.
func requireMirror(t *testing.T, name string, doc, back *report.Diff, old, new []seen) {
	there, again := comings(doc.Changes, old, new), comings(back.Changes, new, old)
	for i, c := range again {
		again[i] = coming{c.to, c.from}
	}
	require.ElementsMatch(t, there, again, name)
	require.Equal(t, doc.Total.Unchanged, back.Total.Unchanged, name)
	require.Equal(t, doc.Total.Reordered, back.Total.Reordered, name)
	require.Equal(t, doc.Total.Moved, back.Total.Moved, name)
}

// coming is a change less its kind: what was, and what is.
type coming struct{ from, to seen }

// comings returns all changes but those of order. Renamed ones are taken for
// what they may be, a removed and an added one.
func comings(changes []report.DiffChange, old, new []seen) []coming {
	var all []coming
	for _, c := range changes {
		var one coming
		if c.Old != nil {
			one.from = old[c.Old.Order-1]
		}
		if c.New != nil {
			one.to = new[c.New.Order-1]
		}
		switch c.Kind {
		case "reordered":
		case "renamed":
			all = append(all, coming{from: one.from}, coming{to: one.to})
		default:
			all = append(all, one)
		}
	}
	return all
}
