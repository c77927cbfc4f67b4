// Package nearest finds what a misspelt name was meant to be.
package nearest

import (
	"cmp"
	"slices"
)

// Names returns n of the names, those that are most like name, best first and
// each once.
func Names(name string, among []string, n int) []string {
	type scored struct {
		name string
		cost int
	}
	var all []scored
	for _, other := range among {
		all = append(all, scored{other, editDistance(name, other)})
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.name, b.name))
	})
	all = slices.Compact(all)
	var names []string
	for _, s := range all[:min(n, len(all))] {
		names = append(names, s.name)
	}
	return names
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
