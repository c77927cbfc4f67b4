package bootlog

import (
	"fmt"
	"strings"
)

// MismatchError says by what a log was recognised as another kernel's.
type MismatchError struct{ Reason string }

func (e *MismatchError) Error() string { return "the log is another kernel's: " + e.Reason }

// Release is the second word behind "Linux version", empty if there is none.
func Release(banner string) string {
	words := strings.Fields(banner)
	if len(words) < 3 {
		return ""
	}
	return words[2]
}

func checkRelease(l *Log, k *Kernel) error {
	if said := Release(l.Banner); said != "" && k.Release != "" && said != k.Release {
		return &MismatchError{fmt.Sprintf("it says Linux %s, the image is Linux %s", said, k.Release)}
	}
	return nil
}

const (
	// tolerated is one in how many calls may disagree with the tables: a name
	// that a serial line spoiled, a symbol that kallsyms leaves out.
	tolerated = 50
	// padding is by how much the size in the log, which reaches to the next
	// symbol, may exceed the function's. Seen: 16 at most, but for one in a
	// hundred.
	padding = 256
)

// disagree reports whether so many of some are too many.
func disagree(some, of int) bool { return some > max(2, of/tolerated) }

// check refuses the log of another kernel. A name that was spoiled on its way
// is that of a call whose entry seems not to have been called, at this place in
// the order; a call for which there is no such entry is another kernel's.
func (j *Join) check() error {
	v := j.evidence()
	noise := j.Log.Dropped + j.Log.Mended + j.Log.Unreadable
	switch {
	case 2*v.unknown > v.calls, disagree(v.unknown, v.calls), v.extra > 0 && noise == 0:
		return &MismatchError{fmt.Sprintf("its order is not that of the image's tables: %d of %d calls fit no entry, the first is %s in line %d",
			v.unknown, v.calls, v.first.label(), v.first.Line)}
	case disagree(v.resized, v.sized):
		return &MismatchError{fmt.Sprintf("%d of %d functions have another size in the log than in the image", v.resized, v.sized)}
	}
	return nil
}

// evidence is what speaks against a log's being that of a kernel.
type evidence struct {
	calls   int   // of the kernel's own, before user space
	unknown int   // of those: of no entry
	first   *Call // of the unknown ones
	extra   int   // unknown, and no entry at their place is left uncalled
	sized   int   // joined, and both sizes are known
	resized int   // of those: the sizes disagree
}

func (j *Join) evidence() evidence {
	var v evidence
	called := make([]bool, len(j.Kernel.Entries))
	for _, c := range j.Calls {
		if c.Entry >= 0 {
			called[c.Entry] = true
		}
	}
	left := uncalled(called, 0) // entries that were not called, up to the next that was
	for _, c := range j.Calls {
		if c.Kind == KindModule || !j.Log.BeforeUser(c.Call) {
			continue
		}
		v.calls++
		if c.Entry >= 0 {
			left = uncalled(called, c.Entry+1)
		}
		if c.Entry < 0 {
			if v.unknown++; v.first == nil {
				v.first = c.Call
			}
			if left--; left < 0 {
				v.extra++
			}
			continue
		}
		if e := &j.Kernel.Entries[c.Entry]; c.Size > 0 && e.Size > 0 {
			v.sized++
			if c.Size < e.Size || c.Size >= e.Size+padding {
				v.resized++
			}
		}
	}
	return v
}

// uncalled counts the entries from one on that were not called, up to the next
// that was.
func uncalled(called []bool, from int) int {
	n := 0
	for from+n < len(called) && !called[from+n] {
		n++
	}
	return n
}

// label is what a message calls a function.
func (f *Function) label() string {
	if f.Name == "" {
		return fmt.Sprintf("%#x", f.Address)
	}
	return f.Name
}
