package symbols

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

// shape is what the width of a word and the alignment decide about the arrays.
type shape struct {
	word  int // bytes of an address
	align int // of every array
	count int // bytes of num_syms and of a marker: a word until 4.19, then 4
}

// shapes are those that kernels had; see aligns. 7.0 aligns to 4 everywhere.
var shapes = []shape{
	{4, 4, 4},
	{4, 16, 4},
	{8, 8, 8},
	{8, 8, 4},
	{8, 256, 8},
	{8, 256, 4},
	{8, 4, 4},
}

// arrays is where the arrays begin, as offsets in their piece.
type arrays struct {
	shape
	symbols int // how many
	numSyms int
	names   int
	markers int
	seqs    int // -1 if there is none
	addrs   int // of offsets or addresses
	base    int // of relative_base, -1 if there is none
}

// markerEvery is how many symbols one marker stands for.
const markerEvery = 256

// maxLength is the most that a symbol takes in names: KSYM_NAME_LEN and its
// length.
const maxLength = 512 + 2

// maxSteps bounds how many symbols are looked at in search of the names. The
// largest kernel has 10⁶, and next to none is looked at in vain.
const maxSteps = 1 << 24

// maxNamesSize bounds the names together. The largest kernels have some 50 MB,
// but few bytes can stand for many.
const maxNamesSize = 1 << 27

var errManySteps = errors.New("too many places where the names could lie")

// head is where the symbols' names are, and how they are written.
type head struct {
	arrays
	wide bool // a length of 128 or more takes two bytes
}

// uint reads a number of 4 or 8 bytes at an offset.
func (t *tokens) uint(off, size int) uint64 { return t.wordIn(t.piece.Bytes[off:], size) }

func (t *tokens) wordIn(b []byte, size int) uint64 {
	if size == 8 {
		return t.order.Uint64(b)
	}
	return uint64(t.order.Uint32(b))
}

// findHeads returns where the names can be, in one shape: the markers must
// agree with them all.
func (t *tokens) findHeads(s shape) (found []head, err error) {
	// Without seqs_of_names the markers end where the token table begins.
	for end := t.table(); end > t.table()-s.align && end >= s.count && isZero(t.piece.Bytes[end:t.table()]); end -= s.count {
		a := arrays{shape: s, seqs: -1}
		if a.markers = t.markersBefore(end, s); a.markers < 0 {
			continue
		}
		n := (end - a.markers) / s.count
		if found, err = t.namesBefore(a, markerEvery*(n-1)+1, markerEvery*n, found); err != nil {
			return nil, err
		}
	}
	if s.count != 4 {
		return found, nil // older than seqs_of_names
	}
	for n := 1; n <= maxKallsyms; n++ {
		a := arrays{shape: s, seqs: t.alignDown(t.table()-3*n, s.align)}
		markers := (n + markerEvery - 1) / markerEvery
		a.markers = t.alignDown(a.seqs-4*markers, s.align)
		if a.markers < 0 {
			break
		}
		if !t.areMarkers(a.markers, markers) || !isZero(t.piece.Bytes[a.seqs+3*n:t.table()]) ||
			!isZero(t.piece.Bytes[a.markers+4*markers:a.seqs]) {
			continue
		}
		if found, err = t.namesBefore(a, n, n, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// markersBefore returns where the markers begin that end at an offset: they
// ascend from 0. It is -1 if there are none.
func (t *tokens) markersBefore(end int, s shape) int {
	above := uint64(math.MaxUint64)
	for off := end - s.count; off >= 0; off -= s.count {
		v := t.uint(off, s.count)
		if v >= above {
			return -1
		}
		if v == 0 {
			if t.alignDown(off, s.align) != off {
				return -1
			}
			return off
		}
		above = v
	}
	return -1
}

// areMarkers reports whether n markers of four bytes lie at an offset.
func (t *tokens) areMarkers(off, n int) bool {
	if t.uint(off, 4) != 0 {
		return false
	}
	last := uint64(0)
	for i := 1; i < n; i++ {
		v := t.uint(off+4*i, 4)
		if v < last+2*markerEvery || v > last+maxLength*markerEvery {
			return false
		}
		last = v
	}
	return true
}

// namesBefore looks for names that end where the markers begin, of at least min
// and at most max symbols, and adds what it finds. The number of symbols must
// lie before them.
func (t *tokens) namesBefore(a arrays, min, max int, found []head) ([]head, error) {
	markers := (max + markerEvery - 1) / markerEvery
	last := t.uint(a.markers+(markers-1)*a.count, a.count)
	if last > uint64(a.markers) || max > maxKallsyms+markerEvery {
		return found, nil
	}
	tail := markerEvery // symbols behind the last marker
	if min == max {
		tail = min - markerEvery*(markers-1)
	}
	lastAt := a.markers - int(last)
	for a.names = t.alignDown(lastAt-2, a.align); a.names >= lastAt-maxLength*tail-a.align; a.names -= a.align {
		a.numSyms = t.alignDown(a.names-a.count, a.align)
		if a.numSyms < 0 {
			break
		}
		n := t.uint(a.numSyms, a.count)
		if n < uint64(min) || n > uint64(max) || !isZero(t.piece.Bytes[a.numSyms+a.count:a.names]) {
			continue
		}
		a.symbols = int(n)
		for _, wide := range []bool{true, false} {
			h := head{a, wide}
			ok, sawWide := t.namesAgree(h)
			if ok {
				found = append(found, h)
			}
			if ok || !sawWide {
				break
			}
		}
		if *t.steps > maxSteps {
			return nil, errManySteps
		}
	}
	return found, nil
}

// namesAgree reports whether the names agree with every marker and end where
// the markers begin. sawLong tells of a length of 128 or more.
func (t *tokens) namesAgree(h head) (ok, sawLong bool) {
	off := h.names
	for i := range h.symbols {
		*t.steps++
		if i%markerEvery == 0 && uint64(off-h.names) != t.uint(h.markers+i/markerEvery*h.count, h.count) {
			return false, sawLong
		}
		if off+1 >= h.markers {
			return false, sawLong
		}
		start, n := t.length(off, h.wide)
		sawLong = sawLong || t.piece.Bytes[off] >= 0x80
		if n == 0 || n > h.markers-start {
			return false, sawLong
		}
		off = start + n
	}
	return t.alignUp(off, h.align) == h.markers && isZero(t.piece.Bytes[off:h.markers]), sawLong
}

// length reads the length of the symbol at an offset, and where its bytes
// begin.
func (t *tokens) length(off int, wide bool) (start, n int) {
	b := t.piece.Bytes
	if n = int(b[off]); wide && n >= 0x80 {
		return off + 2, n&0x7f | int(b[off+1])<<7
	}
	return off + 1, n
}

// symbolTypes are nm's letters, less that of undefined symbols.
var symbolTypes = []byte("AaBbCcDdGgIiNnPpRrSsTtuVvWw?-")

// expand writes out the symbols: their type letters, and their names with a NUL
// behind each, as one text.
func (t *tokens) expand(h head) (kinds []Kind, names []uint32, text []byte, err error) {
	total := int64(0)
	err = t.eachSymbol(h, func(i int, packed []byte) error {
		size := 0
		for _, c := range packed {
			if len(t.token(int(c))) == 0 {
				return fmt.Errorf("symbol %d uses token %d, which is empty", i, c)
			}
			size += len(t.token(int(c)))
		}
		if size < 2 || size > maxName+1 {
			return fmt.Errorf("symbol %d has a name of %d bytes", i, size-1)
		}
		total += int64(size) // the NUL takes the place of the type letter
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if total > maxNamesSize {
		return nil, nil, nil, fmt.Errorf("names of %d bytes: more than any kernel has", total)
	}
	kinds, names, text = make([]Kind, 0, h.symbols), make([]uint32, 0, h.symbols), make([]byte, 0, total)
	err = t.eachSymbol(h, func(i int, packed []byte) error {
		token := t.token(int(packed[0]))
		if !bytes.Contains(symbolTypes, token[:1]) {
			return fmt.Errorf("symbol %d has type %q", i, token[0])
		}
		kinds = append(kinds, Kind(token[0]))
		names = append(names, uint32(len(text)))
		text = append(text, token[1:]...)
		for _, c := range packed[1:] {
			text = append(text, t.token(int(c))...)
		}
		text = append(text, 0)
		return nil
	})
	return kinds, names, text, err
}

// eachSymbol calls visit with the bytes of every symbol.
func (t *tokens) eachSymbol(h head, visit func(i int, packed []byte) error) error {
	off := h.names
	for i := range h.symbols {
		start, n := t.length(off, h.wide)
		off = start + n
		if err := visit(i, t.piece.Bytes[start:off]); err != nil {
			return err
		}
	}
	return nil
}
