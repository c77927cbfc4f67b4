package initdiff

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func idsOf(letters string) []identity {
	var ids []identity
	for letter := range strings.SplitSeq(letters, "") {
		if letter != "" {
			ids = append(ids, identity{function: letter})
		}
	}
	return ids
}

// What is aligned is worked out by hand; where several answers are as long,
// any of them is right.
func TestAlign(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{"nothing", "", "", []string{""}},
		{"nothing in common", "abc", "xyz", []string{""}},
		{"the same", "abc", "abc", []string{"abc"}},
		{"reversed", "abc", "cba", []string{"a", "b", "c"}},
		{"one to the front", "abcd", "dabc", []string{"abc"}},
		{"one to the end", "abcd", "bcda", []string{"bcd"}},
		{"two blocks", "abcdef", "defabc", []string{"abc", "def"}},
		{"insertions and deletions", "abcde", "xaycz", []string{"ac"}},
		{"equals", "aba", "baab", []string{"ab", "ba", "aa"}},
		{"equals in front", "xax", "xxax", []string{"xax"}},
		{"textbook", "abcbdab", "bdcaba", []string{"bcba", "bdab", "bcab"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := idsOf(test.old), idsOf(test.new)
			got := ""
			last := pair{-1, -1}
			for _, p := range align(old, new) {
				require.Greater(t, p.old, last.old)
				require.Greater(t, p.new, last.new)
				require.Equal(t, old[p.old], new[p.new])
				got += old[p.old].function
				last = p
			}
			require.Contains(t, test.want, got)
		})
	}
}

// A document may hold 100,000 times the same initcall.
func TestAlignIsBounded(t *testing.T) {
	start := time.Now()
	many := make([]identity, 100_000)
	require.Len(t, align(many, many), len(many))
	require.Len(t, align(many, many[:5]), 5)
	require.Less(t, time.Since(start), 10*time.Second)
}
