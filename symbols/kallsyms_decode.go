package symbols

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
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
			err = t.isInPlace(table(addrs), l.arrays)
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

// isInPlace reports an error unless the addresses fit to the image: the code that
// the symbols name lies in it, and where they name what can be recognised, it is
// there.
func (t *tokens) isInPlace(table *Table, a arrays) error {
	all, err := table.Named("linux_banner")
	if err != nil {
		return err
	}
	for _, s := range all["linux_banner"] {
		if b := t.kernel.at(s.Addr); b != nil && !bytes.HasPrefix(b, []byte(bannerStart)) {
			return fmt.Errorf("linux_banner would lie at %#x, where it is not", s.Addr)
		}
	}
	base, n, err := t.ownSymbols(table, a)
	if err == nil && n > 0 && base != t.piece.Addr {
		err = fmt.Errorf("the arrays would lie %#x bytes from where they are", base-t.piece.Addr)
	}
	if err != nil {
		return err
	}
	return t.textIsInside(table.rows.(*columns))
}

// bannerStart is how linux_banner begins.
const bannerStart = "Linux version "

// ownSymbols returns the address at which the piece must begin for the n symbols
// of the table's own arrays to be right.
func (t *tokens) ownSymbols(table *Table, a arrays) (base Addr, n int, err error) {
	places := map[string]int{
		"kallsyms_num_syms": a.numSyms, "kallsyms_names": a.names, "kallsyms_markers": a.markers,
		"kallsyms_token_table": t.table(), "kallsyms_token_index": t.indexEnd - 2*numTokens,
	}
	found, err := table.Named(slices.Collect(maps.Keys(places))...)
	if err != nil {
		return 0, 0, err
	}
	for name, syms := range found {
		for _, s := range syms {
			b := (s.Addr - Addr(places[name])) & wordMask(a.word)
			if n > 0 && b != base {
				return 0, 0, errors.New("the symbols of its own arrays contradict each other")
			}
			base = b
			n++
		}
	}
	return base, n, nil
}

// textIsInside reports an error unless the code lies in the image.
func (t *tokens) textIsInside(c *columns) error {
	text, outside := 0, 0
	for i, a := range c.addr {
		if c.kinds[i]|0x20 != 't' {
			continue
		}
		text++
		if t.kernel.at(a) == nil {
			outside++
		}
	}
	if text == 0 || outside > text/maxOutside {
		return fmt.Errorf("%d of %d functions would lie outside the image", outside, text)
	}
	return nil
}

// maxOutside is the inverse of the share of text symbols that may lie outside:
// marks such as _etext lie behind their section.
const maxOutside = 100

// at returns the bytes from an address on, nil if there are none.
func (k *Kernel) at(a Addr) []byte {
	for _, p := range k.Pieces {
		if a >= p.Addr && uint64(a-p.Addr) <= uint64(len(p.Bytes)) {
			return p.Bytes[a-p.Addr:]
		}
	}
	return nil
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
