package symbols

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/initsect/initsect/internal/filemap"
)

// Addr is a virtual address in the kernel's address space as linked, before
// any KASLR shift. In an object file (ET_REL) it is the offset in a section.
type Addr uint64

// Kind is the type letter that nm prints for a symbol: 't' for text, 'd' for
// data and so on, upper case if the symbol is global. See nm(1).
type Kind byte

// KindUndefined is the kind of a symbol that its file does not define.
const KindUndefined Kind = 'U'

// Weak reports whether scripts/kallsyms.c takes the symbol for weak. It does
// not know nm's letters for weak objects, 'v' and 'V'.
func (k Kind) Weak() bool { return k|0x20 == 'w' }

// Global reports whether the symbol is seen outside its object file.
func (k Kind) Global() bool { return k >= 'A' && k <= 'Z' && k != KindUndefined || k == 'u' }

// Text reports whether the symbol can name a function: it lies in executable
// memory, or it is weak and of no type, where nm does not say.
func (k Kind) Text() bool { return k|0x20 == 't' || k|0x20 == 'w' || k == 'i' }

// dropped reports whether kallsyms leaves symbols of this kind out: absolute,
// non-allocated and debugging ones.
func (k Kind) dropped() bool { return k|0x20 == 'a' || k|0x20 == 'n' || k == 'u' || k == KindUndefined }

func (k Kind) String() string {
	if k > ' ' && k < 0x7f {
		return string(rune(k))
	}
	return fmt.Sprintf("Kind(%#x)", byte(k))
}

// Source says where a table's symbols were read.
type Source string

// Sources of symbols.
const (
	SourceSymtab Source = "symtab"     // .symtab of the image
	SourceMap    Source = "System.map" // a file in nm's format

	SourceKallsyms Source = "kallsyms" // the symbol table in the kernel's own memory
)

// Sources lists them all.
var Sources = []Source{SourceSymtab, SourceMap, SourceKallsyms}

// Symbol is one symbol of a table.
type Symbol struct {
	Name    string // as the linker wrote it
	Addr    Addr   // Thumb bit cleared
	Size    uint64 // in bytes; 0 where the source does not tell
	Kind    Kind
	Section int // section header index; 0 where the source does not tell
}

// Table is a list of symbols that does not change. Its methods return an error
// only if the file that it was read from changed meanwhile.
type Table struct {
	source Source
	rows   rows
	text   []byte // names, each ended by the byte end or by the end of text
	end    byte   // NUL, or \n for a map, where a \r may precede it
}

// rows holds everything about the symbols but their names. A pass over the
// table asks for one column in chunks, and for whole rows only where it found
// what it looks for.
type rows interface {
	len() int
	addrs(first int, buf []Addr) []Addr // of the rows from first on, at most cap(buf)
	names(first int, buf []uint32) []uint32
	row(i int) row
}

// row is one symbol with its name as an offset in the table's text.
type row struct {
	Symbol
	name   uint32
	hidden bool // of no use to anyone: a section, a file, without a name
}

// columns are rows of which nothing but these is known.
type columns struct {
	addr  []Addr
	name  []uint32 // offsets in the table's text
	kinds []Kind
}

func (c *columns) len() int { return len(c.addr) }

func (c *columns) addrs(first int, buf []Addr) []Addr {
	return c.addr[first:min(first+len(buf), len(c.addr))]
}

func (c *columns) names(first int, buf []uint32) []uint32 {
	return c.name[first:min(first+len(buf), len(c.name))]
}

func (c *columns) row(i int) row {
	return row{Symbol: Symbol{Addr: c.addr[i], Kind: c.kinds[i]}, name: c.name[i]}
}

// chunkRows is how many rows a pass looks at together: their column stays in
// the processor's first cache.
const chunkRows = 1024

// Source tells where the table was read.
func (t *Table) Source() Source { return t.source }

// Len is the number of rows, including those that no query returns.
func (t *Table) Len() int { return t.rows.len() }

// Row returns the symbol at index i of its source, 0 ≤ i < Len, whatever it
// is: relocations name symbols by this index.
func (t *Table) Row(i int) (s Symbol, err error) {
	defer filemap.Guard(&err)()
	if i < 0 || i >= t.rows.len() {
		return Symbol{}, fmt.Errorf("symbol %d of a table of %d", i, t.rows.len())
	}
	r := t.rows.row(i)
	r.Name = t.nameAt(r.name)
	return r.Symbol, nil
}

// All returns the defined symbols in the order of the source.
func (t *Table) All() (found []Symbol, err error) {
	defer filemap.Guard(&err)()
	found = make([]Symbol, 0, t.rows.len())
	for i := range t.rows.len() {
		found = t.collect(found, i)
	}
	return found, nil
}

// Named returns the defined symbols that have one of the names, by name.
func (t *Table) Named(names ...string) (found map[string][]Symbol, err error) {
	defer filemap.Guard(&err)()
	found = make(map[string][]Symbol, len(names))
	wanted := make(map[string]bool, len(names))
	var starts filter
	for _, name := range names {
		wanted[name] = true
		if key, ok := prefixKey([]byte(name)); ok {
			starts.add(key)
		} else {
			starts.fill()
		}
	}
	t.scanNames(&starts, func(i int, text []byte) {
		if name := t.cutName(text); wanted[string(name)] {
			if syms := t.collect(found[string(name)], i); syms != nil {
				found[string(name)] = syms
			}
		}
	})
	return found, nil
}

// Prefixed returns the defined symbols whose names begin with prefix, in the
// order of the source, and no more than limit of them.
func (t *Table) Prefixed(prefix string, limit int) (found []Symbol, err error) {
	defer filemap.Guard(&err)()
	want := []byte(prefix)
	var starts filter
	if key, ok := prefixKey(want); ok {
		starts.add(key)
	} else {
		starts.fill()
	}
	t.scanNames(&starts, func(i int, text []byte) {
		if len(found) < limit && bytes.HasPrefix(text, want) {
			found = t.collect(found, i)
		}
	})
	return found, nil
}

// At returns the defined symbols that lie exactly at one of the addresses, by
// address. In a table of an object file addresses of different sections look
// alike; [Symbol.Section] tells them apart.
func (t *Table) At(addrs []Addr) (found map[Addr][]Symbol, err error) {
	defer filemap.Guard(&err)()
	found = make(map[Addr][]Symbol, len(addrs))
	wanted := make(map[Addr]bool, len(addrs))
	var some filter
	for _, a := range addrs {
		wanted[a] = true
		some.add(uint64(a))
	}
	t.scanAddrs(&some, func(i int, a Addr) {
		if wanted[a] {
			if syms := t.collect(found[a], i); syms != nil {
				found[a] = syms
			}
		}
	})
	return found, nil
}

// Within returns the defined symbols in [from, to), in the order of the
// source.
func (t *Table) Within(from, to Addr) (found []Symbol, err error) {
	defer filemap.Guard(&err)()
	var all filter
	all.fill()
	t.scanAddrs(&all, func(i int, a Addr) {
		if a >= from && a < to {
			found = t.collect(found, i)
		}
	})
	return found, nil
}

// Before returns, for each of the addresses, the nearest address at or below
// it at which there is a text symbol that a kernel would print. An address
// below all of them is missing from the result.
func (t *Table) Before(addrs []Addr) (found map[Addr]Addr, err error) {
	defer filemap.Guard(&err)()
	sorted := slices.Clone(addrs)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	// nearest[i] is the highest text symbol in (sorted[i-1], sorted[i]].
	nearest := make([]Addr, len(sorted))
	has := make([]bool, len(sorted))
	var all filter
	all.fill()
	t.scanAddrs(&all, func(i int, a Addr) {
		at, _ := slices.BinarySearch(sorted, a)
		if at == len(sorted) || has[at] && a <= nearest[at] {
			return
		}
		r := t.rows.row(i)
		if !r.hidden && r.Kind.Text() && isKept(t.nameAt(r.name)) {
			nearest[at], has[at] = a, true
		}
	})
	found = make(map[Addr]Addr, len(sorted))
	for i, a := range sorted {
		if !has[i] && i > 0 && has[i-1] {
			nearest[i], has[i] = nearest[i-1], true
		}
		if has[i] {
			found[a] = nearest[i]
		}
	}
	return found, nil
}

// scanAddrs calls visit with the index and address of every row that the
// filter lets through.
func (t *Table) scanAddrs(some *filter, visit func(i int, a Addr)) {
	buf := make([]Addr, chunkRows)
	for first := 0; first < t.rows.len(); {
		chunk := t.rows.addrs(first, buf)
		for i, a := range chunk {
			if some.has(uint64(a)) {
				visit(first+i, a)
			}
		}
		first += len(chunk)
	}
}

// scanNames calls visit with every row's index and the names' text from where
// that row's name begins, if the filter lets its prefixKey through.
func (t *Table) scanNames(starts *filter, visit func(i int, text []byte)) {
	buf := make([]uint32, chunkRows)
	for first := 0; first < t.rows.len(); {
		chunk := t.rows.names(first, buf)
		for i, off := range chunk {
			if uint64(off) >= uint64(len(t.text)) {
				continue
			}
			text := t.text[off:]
			if key, ok := prefixKey(text); !ok || starts.has(key) {
				visit(first+i, text)
			}
		}
		first += len(chunk)
	}
}

// collect appends row i to syms if it is a symbol that someone can ask for.
func (t *Table) collect(syms []Symbol, i int) []Symbol {
	r := t.rows.row(i)
	if r.hidden || r.Kind == KindUndefined {
		return syms
	}
	r.Name = t.nameAt(r.name)
	if r.Name == "" {
		return syms
	}
	return append(syms, r.Symbol)
}

// nameAt returns the name that begins at off, "" beyond the text.
func (t *Table) nameAt(off uint32) string {
	if uint64(off) >= uint64(len(t.text)) {
		return ""
	}
	return string(t.cutName(t.text[off:]))
}

// maxName is the length at which scripts/kallsyms.c stops to read a name
// (KSYM_NAME_LEN_BUFFER), four times what a kernel keeps. Without a bound, names
// that overlap make small files much work.
const maxName = 2048

// cutName cuts a name out of the text that begins with it. One that is too
// long is no name.
func (t *Table) cutName(text []byte) []byte {
	short := text[:min(len(text), maxName+1)]
	if end := bytes.IndexByte(short, t.end); end >= 0 {
		text = text[:end]
	} else if len(text) > maxName {
		return nil
	}
	if n := len(text); t.end == '\n' && n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	return text
}

// prefixKey is the first four bytes of a name with its NUL, which a filter
// takes for a key. One shorter than that has none and passes every filter.
func prefixKey(text []byte) (key uint64, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(text)), true
}

// filter answers "surely not" for most keys that were never added, so that a
// pass over the whole table touches a map for the few others only.
type filter struct {
	bits [1 << 10]uint64
}

func (f *filter) add(key uint64) {
	h := filterHash(key)
	f.bits[h>>6] |= 1 << (h & 63)
}

// fill lets every key through.
func (f *filter) fill() {
	for i := range f.bits {
		f.bits[i] = ^uint64(0)
	}
}

func (f *filter) has(key uint64) bool {
	h := filterHash(key)
	return f.bits[h>>6]&(1<<(h&63)) != 0
}

// filterHash is Fibonacci hashing to 16 bits.
func filterHash(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 48 }
