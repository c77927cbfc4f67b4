package symbols

import (
	"errors"
	"fmt"
	"math"
)

// layouts returns where the addresses and seqs_of_names can lie for names that
// were found, in each of the orders that kernels had.
func (t *tokens) layouts(a arrays) (found []layout) {
	add := func(mode AddressMode, addrs, base, seqs, width int) {
		l := layout{arrays: a, mode: mode, width: width}
		l.addrs, l.base, l.seqs = addrs, base, seqs
		end := max(addrs+width*a.symbols, base+a.word, seqs+3*a.symbols)
		if addrs >= 0 && end <= len(t.piece.Bytes) {
			found = append(found, l)
		}
	}
	sevenOnly := a.word == 8 && a.align == 4
	if !sevenOnly { // up to 6.3: before num_syms
		base := t.alignDown(a.numSyms-a.word, a.align)
		add(AddressRelative, t.alignDown(base-4*a.symbols, a.align), base, a.seqs, 4)
		add(AddressAbsolute, t.alignDown(a.numSyms-a.word*a.symbols, a.align), -1, a.seqs, a.word)
	}
	if a.seqs >= 0 || a.count != 4 {
		return found
	}
	// From 6.4 on: behind the token index.
	addrs := t.alignUp(t.indexEnd, a.align)
	if !sevenOnly {
		base := t.alignUp(addrs+4*a.symbols, a.align)
		add(AddressRelative, addrs, base, t.alignUp(base+a.word, a.align), 4)
		add(AddressAbsolute, addrs, -1, t.alignUp(addrs+a.word*a.symbols, a.align), a.word)
	}
	if a.align == 4 {
		add(AddressPlace, addrs, -1, t.alignUp(addrs+4*a.symbols, a.align), 4)
	}
	return found
}

// layout is where all arrays lie, and how the addresses are held.
type layout struct {
	arrays
	mode  AddressMode
	width int // bytes of an element of addrs
}

// orderProves reports whether seqs_of_names lists every symbol once, in the
// order of the names. Kernels of clang's LTO order them by what is before the
// first dot (6.2 to 6.10).
func (t *tokens) orderProves(l layout, names []uint32, text []byte) bool {
	seen := make([]bool, l.symbols)
	b := t.piece.Bytes[l.seqs:]
	whole, cut := true, true
	var last []byte
	for i := range l.symbols {
		seq := int(b[3*i])<<16 | int(b[3*i+1])<<8 | int(b[3*i+2])
		if seq >= l.symbols || seen[seq] {
			return false
		}
		seen[seq] = true
		name := cString(text[names[seq]:])
		whole = whole && compareBytes(last, name) <= 0
		cut = cut && compareBytes(beforeDot(last), beforeDot(name)) <= 0
		if !whole && !cut {
			return false
		}
		last = name
	}
	return true
}

var (
	errNotAscending = errors.New("the addresses do not ascend")
	errWraps        = errors.New("the addresses run over the end of the address space")
)

// addresses decodes the addresses of a layout. mode is the layout's own, but
// that AddressRelative becomes AddressPercpu where it is.
func (t *tokens) addresses(l layout) (addrs []Addr, base Addr, mode AddressMode, err error) {
	raw := make([]Addr, l.symbols)
	for i := range raw {
		raw[i] = Addr(t.uint(l.addrs+l.width*i, l.width))
	}
	switch l.mode {
	case AddressRelative:
		return t.relative(raw, l)
	case AddressPlace:
		for i, v := range raw {
			slot := uint64(t.piece.Addr) + uint64(l.addrs+4*i)
			raw[i] = Addr(slot+uint64(int64(int32(v)))) & wordMask(l.word)
		}
	}
	if !ascends(raw) {
		return nil, 0, "", errNotAscending
	}
	return raw, 0, l.mode, nil
}

// relative decodes distances from a base. The base is the lowest address that is
// not a per-CPU symbol's, so a distance of zero is there.
func (t *tokens) relative(raw []Addr, l layout) ([]Addr, Addr, AddressMode, error) {
	mode := AddressRelative
	percpu := 0 // how many per-CPU symbols come first
	if raw[0] != 0 || raw[len(raw)-1] > math.MaxInt32 {
		for percpu < len(raw) && raw[percpu] <= math.MaxInt32 {
			percpu++
		}
		if percpu < len(raw) && raw[percpu] == math.MaxUint32 {
			mode = AddressPercpu
			for i := percpu; i < len(raw); i++ {
				raw[i] = ^raw[i] & math.MaxUint32
			}
		} else {
			percpu = 0
		}
	}
	if raw[percpu] != 0 || !ascends(raw[:percpu]) || !ascends(raw[percpu:]) {
		return nil, 0, "", errNotAscending
	}
	base, err := t.relativeBase(l)
	if err != nil {
		return nil, 0, "", err
	}
	for i := percpu; i < len(raw); i++ {
		raw[i] += base
	}
	if last := raw[len(raw)-1]; last < base || last > wordMask(l.word) {
		return nil, 0, "", errWraps
	}
	return raw, base, mode, nil
}

// relativeBase reads the base, as it is after relocation.
func (t *tokens) relativeBase(l layout) (Addr, error) {
	v := t.uint(l.base, l.word)
	at := t.piece.Addr + Addr(l.base)
	if read := t.kernel.Word; read != nil && !t.kernel.Raw {
		var err error
		if v, err = read(at); err != nil {
			return 0, fmt.Errorf("the base of the addresses, at %#x: %w", at, err)
		}
	}
	if v == 0 && !t.kernel.Raw {
		return 0, ErrNoRelativeBase
	}
	return Addr(v), nil
}

func ascends(addrs []Addr) bool {
	for i := 1; i < len(addrs); i++ {
		if addrs[i] < addrs[i-1] {
			return false
		}
	}
	return true
}

// wordMask is the highest address of so many bytes.
func wordMask(word int) Addr { return Addr(math.MaxUint64) >> (64 - 8*word) }
