package bootlog

import (
	"errors"
	"slices"
)

// slideSample is how many calls of a log without names vote for what KASLR
// added to their addresses.
const slideSample = 256

var errAddresses = errors.New("the log names no functions, and its addresses are not those of the image, nor all moved by one offset")

// byAddress is candidates for a log whose kernel has no kallsyms: its addresses
// are those of the image, or are all moved by the same offset.
func (j *Join) byAddress(calls []int) ([][]int, error) {
	byTarget := map[uint64][]int{}
	for i, e := range j.Kernel.Entries {
		if e.Target != 0 {
			byTarget[e.Target] = append(byTarget[e.Target], i)
		}
	}
	slide, ok := j.slide(calls, byTarget)
	if !ok {
		return nil, errAddresses
	}
	j.ByAddress, j.Slide = true, slide
	found := make([][]int, len(calls))
	for i, call := range calls {
		found[i] = byTarget[j.Calls[call].Address-slide]
	}
	return found, nil
}

// slide finds the offset that makes the most calls entries. Half of the calls
// must agree on it, and no other offset may do as well.
func (j *Join) slide(calls []int, byTarget map[uint64][]int) (uint64, bool) {
	sample := calls[:min(len(calls), slideSample, maxPairs/(len(byTarget)+1))]
	addresses := make([]uint64, 0, len(sample))
	for _, call := range sample {
		addresses = append(addresses, j.Calls[call].Address)
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	votes := map[uint64]int{}
	for _, address := range addresses {
		for target := range byTarget {
			votes[address-target]++
		}
	}
	best, second, slide := 0, 0, uint64(0)
	for offset, n := range votes {
		switch {
		case n > best:
			best, second, slide = n, best, offset
		case n > second:
			second = n
		}
	}
	return slide, best > second && 2*best > len(addresses)
}
