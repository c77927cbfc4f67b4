package symbols

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// decode finds the other arrays around a token table and decodes them. Exactly
// one reading of them must prove itself.
func (t *tokens) decode() (*Kallsyms, error) {
	var found []*Kallsyms
	var refused refusals
	for _, s := range shapes {
		if t.kernel.WordSize != 0 && t.kernel.WordSize != s.word {
			continue
		}
		heads, err := t.findHeads(s)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			if found, err = t.decodeNames(h, found, &refused); err != nil {
				return nil, err
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, refused.reason(t)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("the arrays around %#x make sense in two ways: %s and %s", t.place(t.table()), found[0].reading(), found[1].reading())
}

// decodeNames adds the readings of one set of names that prove themselves.
func (t *tokens) decodeNames(h head, found []*Kallsyms, refused *refusals) ([]*Kallsyms, error) {
	kinds, names, text, err := t.expand(h)
	if err != nil {
		refused.add(nearNames, err)
		return found, nil
	}
	table := func(addrs []Addr) *Table {
		return &Table{source: SourceKallsyms, rows: &columns{addrs, names, kinds}, text: text}
	}
	if err := hasKnownNames(table(make([]Addr, h.symbols))); err != nil {
		refused.add(nearNames, err)
		return found, nil
	}
	relative := false
	for _, l := range t.layouts(h.arrays) {
		if relative && l.mode == AddressAbsolute && l.addrs < l.names {
			continue // distances and their base ascend as 32-bit addresses would
		}
		addrs, base, mode, err := t.addresses(l)
		if err == nil && !t.kernel.Raw {
			err = t.textIsInside(addrs, kinds)
		}
		ordered := l.seqs >= 0 && t.orderProves(l, names, text)
		if err == nil && l.seqs >= 0 && !ordered {
			err = errNoOrder
		}
		if err != nil {
			refused.add(nearnessOf(err, ordered), err)
			continue
		}
		relative = relative || l.mode == AddressRelative
		k := &Kallsyms{
			Table: table(addrs), WordSize: l.word, BigEndian: t.order == binary.BigEndian,
			Mode: mode, RelativeBase: base, arrays: l.arrays,
		}
		if !slices.ContainsFunc(found, k.isTwinOf) {
			found = append(found, k)
		}
	}
	return found, nil
}

// isTwinOf reports whether k adds nothing to a reading that was found: it is the
// same, or it reads as distances what are the addresses of a 7.0 kernel of 32
// bits. Those tell themselves by aliases, which as distances would be four bytes
// apart, as the distances are; real distances of aliases would not ascend.
func (k *Kallsyms) isTwinOf(found *Kallsyms) bool {
	a, b := k.arrays, found.arrays
	a.shape, b.shape = shape{}, shape{}
	if a != b || k.WordSize != found.WordSize {
		return false
	}
	return k.Mode == found.Mode || k.Mode == AddressPlace && found.Mode == AddressAbsolute && found.hasAliases()
}

func (k *Kallsyms) hasAliases() bool {
	addrs := k.rows.(*columns).addr
	for i := 1; i < len(addrs); i++ {
		if addrs[i] == addrs[i-1] {
			return true
		}
	}
	return false
}

// textIsInside reports an error unless the code that the symbols name lies in
// the image.
func (t *tokens) textIsInside(addrs []Addr, kinds []Kind) error {
	text, outside := 0, 0
	for i, a := range addrs {
		if kinds[i]|0x20 != 't' {
			continue
		}
		text++
		if !t.kernel.contains(a) {
			outside++
		}
	}
	if outside > text/maxOutside {
		return fmt.Errorf("%d of %d functions would lie outside the image", outside, text)
	}
	return nil
}

// maxOutside is the inverse of the share of text symbols that may lie outside:
// marks such as _etext lie behind their section.
const maxOutside = 100

func (k *Kernel) contains(a Addr) bool {
	for _, p := range k.Pieces {
		if a >= p.Addr && uint64(a-p.Addr) <= uint64(len(p.Bytes)) {
			return true
		}
	}
	return false
}

// knownNames are in every kernel; one of each line.
var knownNames = [][]string{
	{"_text", "_stext"},
	{"start_kernel"},
}

func hasKnownNames(t *Table) error {
	for _, names := range knownNames {
		found, err := t.Named(names...)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("no symbol %s, which every kernel has", names[0])
		}
	}
	return nil
}

// place is the address of an offset in the piece.
func (t *tokens) place(off int) Addr { return t.piece.Addr + Addr(off) }

func (k *Kallsyms) reading() string {
	return fmt.Sprintf("%d symbols, %d-bit, %s", k.arrays.symbols, 8*k.WordSize, k.Mode)
}

var errNoOrder = errors.New("seqs_of_names does not order the names")

// nearness is how far a reading came that was refused.
type nearness int

const (
	nearNames  nearness = 1 + iota
	nearAddrs           // the addresses do not look like addresses
	nearValues          // they do
	nearOrder           // they are addresses, but the names are not in order
	nearProof           // the names are, and so the addresses are where they must be
)

func nearnessOf(err error, ordered bool) nearness {
	switch {
	case ordered:
		return nearProof
	case errors.Is(err, errNoOrder):
		return nearOrder
	case errors.Is(err, errNotAscending) || errors.Is(err, errFewAddrs):
		return nearAddrs
	}
	return nearValues
}

// refusals keeps the reason of the reading that came farthest.
type refusals struct {
	near nearness
	err  error
}

func (r *refusals) add(near nearness, err error) {
	if near > r.near {
		r.near, r.err = near, err
	}
}

func (r *refusals) reason(t *tokens) error {
	if r.err == nil {
		return fmt.Errorf("a token table at %#x, but no names that agree with their markers", t.place(t.table()))
	}
	return fmt.Errorf("the symbol table around %#x: %w", t.place(t.table()), r.err)
}

// cString cuts a NUL-ended string out of the text that begins with it.
func cString(text []byte) []byte {
	if end := bytes.IndexByte(text, 0); end >= 0 {
		return text[:end]
	}
	return text
}

func beforeDot(name []byte) []byte {
	if dot := bytes.IndexByte(name, '.'); dot >= 0 {
		return name[:dot]
	}
	return name
}

func compareBytes(a, b []byte) int { return cmp.Compare(string(a), string(b)) }
