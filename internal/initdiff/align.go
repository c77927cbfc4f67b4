package initdiff

import "slices"

// maxEquals bounds how many entries of one identity at one place are tried in
// all combinations: no kernel has as many, a hostile document may.
const maxEquals = 32

// pair is two places in two sequences.
type pair struct{ old, new int }

// align returns a longest common subsequence of two sequences: the most
// entries that can have stayed in order, so that those that remain are the
// fewest that must have moved. Where no identity occurs twice, it is the
// longest increasing subsequence of the common entries' old positions.
//
// This is the algorithm of Hunt and Szymanski (CACM 20/5, 1977): patience
// sorting over all pairs of equals.
func align(old, new []identity) []pair {
	type link struct {
		pair
		before *link
	}
	var ends []*link // by length less one: the subsequence that ends earliest in old
	for _, p := range equals(old, new) {
		n, _ := slices.BinarySearchFunc(ends, p.old, func(end *link, at int) int { return end.old - at })
		l := &link{pair: p}
		if n > 0 {
			l.before = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, l)
		} else {
			ends[n] = l
		}
	}
	if len(ends) == 0 {
		return nil
	}
	var pairs []pair
	for l := ends[len(ends)-1]; l != nil; l = l.before {
		pairs = append(pairs, l.pair)
	}
	slices.Reverse(pairs)
	return pairs
}

// equals returns the pairs of equal entries, in the order of new, and for each
// of new from the last of old to the first, so that no two of them follow each
// other in a subsequence.
func equals(old, new []identity) []pair {
	inOld, inNew := positions(old), positions(new)
	met := map[identity]int{}
	var pairs []pair
	for j, id := range new {
		at := inOld[id]
		k := met[id]
		met[id]++
		switch {
		case len(at) <= maxEquals && len(inNew[id]) <= maxEquals:
			for _, i := range slices.Backward(at) {
				pairs = append(pairs, pair{i, j})
			}
		case k < len(at):
			pairs = append(pairs, pair{at[k], j})
		}
	}
	return pairs
}

func positions(ids []identity) map[identity][]int {
	at := map[identity][]int{}
	for i, id := range ids {
		at[id] = append(at[id], i)
	}
	return at
}
