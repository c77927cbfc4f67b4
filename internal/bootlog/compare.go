package bootlog

import (
	"errors"
	"slices"
)

// Change says what became of a call from one log to another.
type Change string

// The changes.
const (
	Same     Change = "same"
	Faster   Change = "faster"
	Slower   Change = "slower"
	Gone     Change = "gone"
	New      Change = "new"
	Deferred Change = "deferred" // it ran at boot, and now runs after user space began
	Moved    Change = "moved"    // as fast as before, at another place in the order

	Unmeasured Change = "not measured" // one of the logs does not tell how long it took
)

// Pair is a call of two logs, as far as each has it.
type Pair struct {
	Old, New           *Call // nil if the log has no such call
	OldIndex, NewIndex int   // in the log
	Change             Change
	Saved              Time // from old to new; negative if it became slower
}

// Comparison is two logs side by side.
type Comparison struct {
	Pairs    []Pair // in the order of the new log, what is gone at its old place
	Old, New *Summary
	Notes    []string
}

// Thresholds say what counts as faster or slower: both must be reached.
type Thresholds struct {
	US      int64   // microseconds
	Percent float64 // of the old duration
}

// Compare joins two logs by the order of their calls.
func Compare(older, newer *Log, t Thresholds) (*Comparison, error) {
	c := &Comparison{
		Old: Summarize(Alone(older), SummaryOptions{}),
		New: Summarize(Alone(newer), SummaryOptions{}),
	}
	partners := pairUp(older, newer)
	paired := make([]bool, len(older.Calls))
	common := false
	for _, p := range partners {
		if p.old >= 0 {
			paired[p.old], common = true, true
		}
	}
	if !common {
		return nil, errors.New("the two logs have no call in common")
	}
	next := 0 // the first old call that may need a row of its own
	gone := func(until int) {
		for ; next < until; next++ {
			if !paired[next] {
				c.Pairs = append(c.Pairs, Pair{Old: &older.Calls[next], OldIndex: next, Change: Gone})
			}
		}
	}
	for i, p := range partners {
		n := &newer.Calls[i]
		switch {
		case p.old < 0:
			c.Pairs = append(c.Pairs, Pair{New: n, NewIndex: i, Change: New})
			continue
		case !p.moved:
			gone(p.old)
		}
		pair := judge(older, newer, &older.Calls[p.old], n, p.moved, t)
		pair.OldIndex, pair.NewIndex = p.old, i
		c.Pairs = append(c.Pairs, pair)
	}
	gone(len(older.Calls))
	c.Notes = append(about("old", older), about("new", newer)...)
	return c, nil
}

// about is what a reader of the comparison must know of one of the logs.
func about(which string, l *Log) []string {
	var notes []string
	for _, note := range Alone(l).Notes() {
		notes = append(notes, which+" log: "+note)
	}
	return notes
}

// partner is the old call that a new one is.
type partner struct {
	old   int // -1 if there is none
	moved bool
}

// pairUp finds the longest run of calls that both logs have in the same order.
// What is left is paired by name where that name is left once in each.
func pairUp(older, newer *Log) []partner {
	places := map[string][]int{}
	for i := range older.Calls {
		key := compareKey(&older.Calls[i])
		places[key] = append(places[key], i)
	}
	candidates := make([][]int, len(newer.Calls))
	pairs := 0
	for i := range newer.Calls {
		candidates[i] = places[compareKey(&newer.Calls[i])]
		if pairs += len(candidates[i]); pairs > maxPairs {
			candidates[i] = nil // beyond any real log: left unpaired
		}
	}
	partners := make([]partner, len(newer.Calls))
	left := map[string][2][]int{}
	taken := make([]bool, len(older.Calls))
	for i, old := range longestChain(candidates) {
		partners[i] = partner{old: old}
		if old >= 0 {
			taken[old] = true
			continue
		}
		key := compareKey(&newer.Calls[i])
		both := left[key]
		both[1] = append(both[1], i)
		left[key] = both
	}
	for i := range older.Calls {
		if key := compareKey(&older.Calls[i]); !taken[i] {
			both := left[key]
			both[0] = append(both[0], i)
			left[key] = both
		}
	}
	for _, both := range left {
		if len(both[0]) == 1 && len(both[1]) == 1 {
			partners[both[1][0]] = partner{both[0][0], true}
		}
	}
	return partners
}

// compareKey tells calls apart as far as two kernels have that in common.
func compareKey(c *Call) string {
	if c.Name == "" {
		return c.label() + " " + c.Module
	}
	return callKey(c) + " " + c.Module
}

func judge(older, newer *Log, o, n *Call, moved bool, t Thresholds) Pair {
	p := Pair{Old: o, New: n, Change: Same, Saved: n.Duration.Until(o.Duration)}
	switch {
	case o.Module == "" && older.BeforeUser(o) && !newer.BeforeUser(n):
		p.Change = Deferred
	case !p.Saved.Known:
		p.Change = Unmeasured
	case notable(p.Saved.US, o.Duration.US, t):
		p.Change = Faster
	case notable(-p.Saved.US, o.Duration.US, t):
		p.Change = Slower
	case moved:
		p.Change = Moved
	}
	return p
}

func notable(by, of int64, t Thresholds) bool {
	return by > 0 && by >= t.US && float64(by)*100 >= t.Percent*float64(of)
}

// Slower reports whether any call became slower.
func (c *Comparison) Slower() bool {
	return slices.ContainsFunc(c.Pairs, func(p Pair) bool { return p.Change == Slower })
}
