package bootlog

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Entry is an entry of a table, as far as a join needs it.
type Entry struct {
	Raw    string   // the target as the linker wrote it, empty if it has no name
	Names  []string // of the target: Raw, its aliases, as people read it
	Offset uint64   // of the target behind the names
	Target uint64   // 0 if not known
	Size   uint64   // 0 if not known
	Table  string   // console, security, initcall or deferred
	Level  string
	Group  string // what user space asks for to have it called, in a vendor's deferred table
	Direct bool   // the kernel calls the entry without a line in the log
}

// Kernel is what a join needs to know of an image.
type Kernel struct {
	Release string // empty if not known
	Banner  string
	Sync    bool    // sync levels are told from their base levels
	Entries []Entry // in run order
}

// Kind says what a call is in the light of the tables.
type Kind string

// The kinds.
const (
	KindInitcall Kind = "initcall"
	KindConsole  Kind = "console"
	KindDeferred Kind = "deferred"
	KindModule   Kind = "module"  // of a module that was loaded
	KindUnknown  Kind = "unknown" // no entry, or no image to tell
)

// Joined is a call with its entry.
type Joined struct {
	*Call
	Kind      Kind
	Entry     int  // index of the entry, -1 if there is none
	Ambiguous bool // an entry of the same name, next to this one, was not called: it may be the other
}

// Join is a log in the light of a kernel's tables.
type Join struct {
	Log        *Log
	Kernel     *Kernel // nil if the log stands alone
	Calls      []Joined
	Missing    []Missing
	Slide      uint64 // what KASLR added to the addresses of a log without names
	ByAddress  bool
	SameBanner bool // log and image have the same banner
	AfterStart int  // entries before the first call of the log: its beginning is missing
}

// Alone returns the join of a log with no image.
func Alone(l *Log) *Join {
	j := &Join{Log: l}
	for i := range l.Calls {
		c := &l.Calls[i]
		kind := KindUnknown
		if c.Module != "" {
			kind = KindModule
		}
		j.Calls = append(j.Calls, Joined{Call: c, Kind: kind, Entry: -1})
	}
	return j
}

// With joins a log with the tables of the kernel that wrote it, by the order of
// the calls. The log of another kernel is a [MismatchError].
//
// Names alone do not tell which entry was called: a kernel of 1,566 initcalls
// was seen that has 1,542 names. So the longest run of calls and entries that
// follow one another in both is taken as the truth, and a call that is not part
// of it is unknown; only deferred calls may come in any order, as user space
// asks for them.
func With(l *Log, k *Kernel) (*Join, error) {
	j := Alone(l)
	j.Kernel = k
	j.SameBanner = l.Banner != "" && l.Banner == k.Banner
	if err := checkRelease(l, k); err != nil {
		return nil, err
	}
	var kernels []int // the calls that entries can explain
	for i := range j.Calls {
		if j.Calls[i].Kind != KindModule {
			kernels = append(kernels, i)
		}
	}
	candidates, err := j.candidates(kernels)
	if err != nil {
		return nil, err
	}
	taken := make([]bool, len(k.Entries))
	// Of two that fit, a call is the first: a log that ends early is a common
	// thing. Without its banner a log begins late, and it is the last.
	chain := longestChain
	if l.Banner == "" {
		chain = func(c [][]int) []int { return longestChainLate(c, len(k.Entries)) }
	}
	for a, b := range chain(candidates) {
		if b >= 0 {
			j.join(kernels[a], b)
			taken[b] = true
		}
	}
	j.joinDeferred(kernels, candidates, taken)
	j.markAmbiguous(taken)
	j.Missing = missing(j, taken)
	return j, j.check()
}

func (j *Join) join(call, entry int) {
	c := &j.Calls[call]
	c.Entry = entry
	switch j.Kernel.Entries[entry].Table {
	case "console":
		c.Kind = KindConsole
	case "deferred":
		c.Kind = KindDeferred
	default:
		c.Kind = KindInitcall
	}
}

// maxPairs bounds the work of a join. Real kernels have some thousand pairs.
const maxPairs = 1 << 22

// candidates returns for each call the entries that it could be, in run order.
func (j *Join) candidates(calls []int) ([][]int, error) {
	byName := map[string][]int{}
	for i := range j.Kernel.Entries {
		for _, name := range entryKeys(&j.Kernel.Entries[i]) {
			byName[name] = append(byName[name], i)
		}
	}
	found := make([][]int, len(calls))
	named, pairs := false, 0
	for i, call := range calls {
		c := j.Calls[call].Call
		if c.Name != "" {
			named = true
			found[i] = byName[callKey(c)]
			pairs += len(found[i])
		}
	}
	if pairs > maxPairs {
		return nil, errors.New("the same names are repeated too often, in the log and in the tables, for an order to tell them apart")
	}
	if named {
		return found, nil
	}
	return j.byAddress(calls)
}

func callKey(c *Call) string {
	return linkName(c.Name) + offsetKey(c.Offset)
}

func entryKeys(e *Entry) []string {
	var keys []string
	for _, name := range e.Names {
		if key := linkName(name) + offsetKey(e.Offset); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func offsetKey(offset uint64) string {
	if offset == 0 {
		return ""
	}
	return "+" + strconv.FormatUint(offset, 16)
}

// linkName takes off what ThinLTO appends to a static function's name when it
// makes it global, and what the kernel's kallsyms takes off again
// (cleanup_symbol_name, kernel/kallsyms.c, v6.12).
func linkName(name string) string {
	name, _, _ = strings.Cut(name, ".llvm.")
	return name
}

// joinDeferred joins calls that are left with deferred entries that are left:
// a vendor's kernel runs groups of them in the order that user space likes.
func (j *Join) joinDeferred(calls []int, candidates [][]int, taken []bool) {
	for i, call := range calls {
		if j.Calls[call].Entry >= 0 {
			continue
		}
		for _, b := range candidates[i] {
			if !taken[b] && j.Kernel.Entries[b].Table == "deferred" {
				j.join(call, b)
				taken[b] = true
				break
			}
		}
	}
}

// markAmbiguous marks calls that fit an entry that was not called as well as
// theirs: one of the same name, with no call between. What lies before the
// beginning or behind the end of a log that was cut there does not count.
func (j *Join) markAmbiguous(taken []bool) {
	owner := make([]int, len(taken))
	for i, c := range j.Calls {
		if c.Entry >= 0 {
			owner[c.Entry] = i
		}
	}
	for _, step := range []int{1, -1} {
		free := map[string]bool{} // names of entries not called since the last one that was
		cut := step > 0 && j.Log.Banner == "" || step < 0 && j.Log.UserLine == 0
		for n := range taken {
			i := n
			if step < 0 {
				i = len(taken) - 1 - n
			}
			keys := entryKeys(&j.Kernel.Entries[i])
			if !taken[i] {
				for _, key := range keys {
					free[key] = true
				}
				continue
			}
			c := &j.Calls[owner[i]]
			c.Ambiguous = c.Ambiguous || !cut && slices.ContainsFunc(keys, func(key string) bool { return free[key] })
			clear(free)
			cut = false
		}
	}
}
