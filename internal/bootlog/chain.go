package bootlog

import (
	"slices"
	"sort"
)

// longestChain chooses for each element of a sequence one of its candidates, or
// -1, so that the choices rise strictly and as many as possible are made: the
// longest common subsequence, after Hunt and Szymanski ("A fast algorithm for
// computing longest common subsequences", 1977), which is fast where most
// elements have one candidate. Candidates must rise.
func longestChain(candidates [][]int) []int {
	type link struct {
		element, choice int
		before          *link
	}
	var ends []*link // ends[n] is the end of a chain of n+1 links with the lowest last choice
	for element, choices := range candidates {
		for i := len(choices) - 1; i >= 0; i-- { // from the highest, so that no chain takes two of one element
			choice := choices[i]
			n := sort.Search(len(ends), func(n int) bool { return ends[n].choice >= choice })
			l := &link{element: element, choice: choice}
			if n > 0 {
				l.before = ends[n-1]
			}
			if n == len(ends) {
				ends = append(ends, l)
			} else if choice < ends[n].choice {
				ends[n] = l
			}
		}
	}
	chosen := make([]int, len(candidates))
	for i := range chosen {
		chosen[i] = -1
	}
	if len(ends) > 0 {
		for l := ends[len(ends)-1]; l != nil; l = l.before {
			chosen[l.element] = l.choice
		}
	}
	return chosen
}

// longestChainLate is longestChain that, where choices do as well as others,
// takes the last and not the first. Choices are below limit.
func longestChainLate(candidates [][]int, limit int) []int {
	mirror := func(n int) int { return limit - 1 - n }
	backward := make([][]int, 0, len(candidates))
	for _, choices := range slices.Backward(candidates) {
		var mirrored []int
		for _, choice := range slices.Backward(choices) {
			mirrored = append(mirrored, mirror(choice))
		}
		backward = append(backward, mirrored)
	}
	chosen := longestChain(backward)
	slices.Reverse(chosen)
	for i, choice := range chosen {
		if choice >= 0 {
			chosen[i] = mirror(choice)
		}
	}
	return chosen
}
