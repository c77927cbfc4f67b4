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

// check refuses the log of another kernel. If log and image have the same
// banner they are of one build, and only a log whose calls are mostly unknown
// is refused.
func (j *Join) check() error {
	calls, unknown, sized, resized := 0, 0, 0, 0
	first := ""
	for _, c := range j.Calls {
		if c.Kind == KindModule || !j.Log.BeforeUser(c.Call) {
			continue
		}
		calls++
		if c.Entry < 0 {
			if unknown++; first == "" {
				first = fmt.Sprintf("the first is %s in line %d", c.label(), c.Line)
			}
			continue
		}
		if e := &j.Kernel.Entries[c.Entry]; c.Size > 0 && e.Size > 0 {
			sized++
			if c.Size < e.Size || c.Size >= e.Size+padding {
				resized++
			}
		}
	}
	switch {
	case 2*unknown > calls, disagree(unknown, calls) && !j.SameBanner:
		return &MismatchError{fmt.Sprintf("its order is not that of the image's tables: %d of %d calls fit no entry, %s", unknown, calls, first)}
	case disagree(resized, sized) && !j.SameBanner:
		return &MismatchError{fmt.Sprintf("%d of %d functions have another size in the log than in the image", resized, sized)}
	}
	return nil
}

// label is what a message calls a function.
func (f *Function) label() string {
	if f.Name == "" {
		return fmt.Sprintf("%#x", f.Address)
	}
	return f.Name
}
