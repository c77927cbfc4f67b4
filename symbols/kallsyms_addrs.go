package symbols

import (
	"errors"
	"fmt"
	"math"
)

// layouts returns where the addresses and seqs_of_names can lie for names that
// were found, in each of the orders that kernels had. Between the arrays there
// are but the zeros that align them.
func (t *tokens) layouts(a arrays) (found []layout) {
	add := func(l layout, gaps ...int) {
		for i := 0; i < len(gaps); i += 2 {
			if from, to := gaps[i], gaps[i+1]; from < 0 || to > len(t.piece.Bytes) || !isZero(t.piece.Bytes[from:to]) {
				return
			}
		}
		if l.addrs >= 0 && l.seqs+3*l.symbols <= len(t.piece.Bytes) {
			found = append(found, l)
		}
	}
	sevenOnly := a.word == 8 && a.align == 4
	if !sevenOnly { // up to 6.3: before num_syms
		l := layout{arrays: a, mode: AddressRelative, width: 4}
		l.base = t.alignDown(a.numSyms-a.word, a.align)
		l.addrs = t.alignDown(l.base-4*a.symbols, a.align)
		add(l, l.addrs+4*a.symbols, l.base, l.base+a.word, a.numSyms)

		l = layout{arrays: a, mode: AddressAbsolute, width: a.word}
		l.addrs, l.base = t.alignDown(a.numSyms-a.word*a.symbols, a.align), -1
		add(l, l.addrs+a.word*a.symbols, a.numSyms)
	}
	if a.seqs >= 0 || a.count != 4 {
		return found
	}
	// From 6.4 on: behind the token index.
	a.addrs = t.alignUp(t.indexEnd, a.align)
	if !sevenOnly {
		l := layout{arrays: a, mode: AddressRelative, width: 4}
		l.base = t.alignUp(a.addrs+4*a.symbols, a.align)
		l.seqs = t.alignUp(l.base+a.word, a.align)
		add(l, t.indexEnd, a.addrs, a.addrs+4*a.symbols, l.base, l.base+a.word, l.seqs)

		l = layout{arrays: a, mode: AddressAbsolute, width: a.word}
		l.base, l.seqs = -1, t.alignUp(a.addrs+a.word*a.symbols, a.align)
		add(l, t.indexEnd, a.addrs, a.addrs+a.word*a.symbols, l.seqs)
	}
	if a.align <= 8 {
		l := layout{arrays: a, mode: AddressPlace, width: 4}
		l.base, l.seqs = -1, t.alignUp(a.addrs+4*a.symbols, a.align)
		add(l, t.indexEnd, a.addrs, a.addrs+4*a.symbols, l.seqs)
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
	errFewAddrs     = errors.New("most symbols would share their address with another")
	errWraps        = errors.New("the addresses run over the end of the address space")
)

// addresses decodes the addresses of a layout. mode is the layout's own, but
// that AddressRelative becomes AddressPercpu where it is.
func (t *tokens) addresses(l layout) (addrs []Addr, base Addr, mode AddressMode, err error) {
	b, err := t.bytes(l.addrs, l.width*l.symbols, l.mode == AddressAbsolute)
	if err != nil {
		return nil, 0, "", err
	}
	raw := make([]Addr, l.symbols)
	for i := range raw {
		raw[i] = Addr(t.wordIn(b[l.width*i:], l.width))
	}
	switch l.mode {
	case AddressRelative:
		return t.relative(raw, l)
	case AddressPlace:
		if areFew(raw) { // no distances: symbols are seldom four bytes apart
			return nil, 0, "", errFewAddrs
		}
		for i, v := range raw {
			slot := uint64(t.piece.Addr) + uint64(l.addrs+4*i)
			raw[i] = Addr(slot+uint64(int64(int32(v)))) & wordMask(l.word)
		}
	}
	if raw[len(raw)-1] == 0 {
		return nil, 0, "", ErrUnrelocated
	}
	if !ascends(raw) {
		return nil, 0, "", errNotAscending
	}
	if areFew(raw) {
		return nil, 0, "", errFewAddrs
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
	if areFew(raw) {
		return nil, 0, "", errFewAddrs
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
	b, err := t.bytes(l.base, l.word, true)
	if err != nil {
		return 0, err
	}
	v := t.wordIn(b, l.word)
	if v == 0 && !t.kernel.Raw {
		return 0, ErrUnrelocated
	}
	return Addr(v), nil
}

// bytes returns bytes of the piece, with relocations if they are native words.
func (t *tokens) bytes(off, n int, words bool) ([]byte, error) {
	if t.kernel.Read == nil || t.kernel.Raw || !words {
		return t.piece.Bytes[off : off+n], nil
	}
	b, err := t.kernel.Read(t.place(off), n)
	if err == nil && len(b) != n {
		err = errors.New("too few bytes")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %#x bytes at %#x: %w", n, t.place(off), err)
	}
	return b, nil
}

func ascends(addrs []Addr) bool {
	for i := 1; i < len(addrs); i++ {
		if addrs[i] < addrs[i-1] {
			return false
		}
	}
	return true
}

// areFew reports whether most symbols share their address. In a kernel one of a
// hundred does; where the array is no array of addresses, as of zeros, all do.
func areFew(addrs []Addr) bool {
	shared := 0
	for i := 1; i < len(addrs); i++ {
		if addrs[i] == addrs[i-1] {
			shared++
		}
	}
	return shared > len(addrs)/2
}

// wordMask is the highest address of so many bytes.
func wordMask(word int) Addr { return Addr(math.MaxUint64) >> (64 - 8*word) }
