package symbols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/initsect/initsect/internal/filemap"
)

// Errors that a caller may want to answer with advice.
var (
	// ErrMapStub is returned for the one-line placeholder that Debian ships
	// as /boot/System.map-<release>.
	ErrMapStub = errors.New("this is a placeholder, not a System.map")

	// ErrMapHidden is returned for a /proc/kallsyms that was read without the
	// right to see addresses, which are then all zero.
	ErrMapHidden = errors.New("every address is zero: /proc/kallsyms was read without CAP_SYSLOG, or kptr_restrict hides it")
)

// MapError tells what is wrong in a line of a System.map.
type MapError struct {
	Line int // counted from 1
	Msg  string
}

func (e *MapError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// maxMapSize bounds a map: offsets of names are held in 32 bits.
const maxMapSize int64 = math.MaxUint32

// ParseMap reads text in nm's format, as in System.map, /proc/kallsyms and
// what nm prints with and without -S:
//
//	ffffffff81000000 T _stext
//	c0008000 0000002c t do_one_initcall
//	                 U undefined
//	ffffffffc0400000 t init_once	[ext4]
//
// Lines may end in \n or \r\n. Undefined symbols and those of loaded modules
// are left out: neither is part of the image. The table keeps text.
//
// bits is the size of the image's addresses, 32 or 64. GNU nm prints those of
// 32-bit MIPS extended by their sign to 16 digits; they are cut to size.
func ParseMap(text []byte, bits int) (t *Table, err error) {
	defer filemap.Guard(&err)()
	if int64(len(text)) > maxMapSize {
		return nil, fmt.Errorf("%d bytes: too large for a System.map", len(text))
	}
	guess := len(text)/typicalLine + 1
	m := &mapRows{
		columns: columns{make([]Addr, 0, guess), make([]uint32, 0, guess), make([]Kind, 0, guess)},
		is32:    bits == 32,
	}
	line := 1
	for pos := 0; pos < len(text); line++ {
		if next, ok := m.addPlainLine(text, pos); ok {
			pos = next
			continue
		}
		n := bytes.IndexByte(text[pos:], '\n')
		if n < 0 && pos == 0 && isStub(text) {
			return nil, fmt.Errorf("%w: %q", ErrMapStub, text)
		}
		if n < 0 {
			return nil, &MapError{line, "the file ends in the middle of a line: is it truncated?"}
		}
		if err := m.addLine(text[pos:pos+n], pos); err != nil {
			if pos+n+1 == len(text) && line == 1 && isStub(text) {
				return nil, fmt.Errorf("%w: %q", ErrMapStub, text[:n])
			}
			return nil, &MapError{line, err.Error()}
		}
		pos += n + 1
	}
	if len(m.addr) == 0 {
		return nil, errors.New("no symbol in the file")
	}
	if m.allBits == 0 {
		return nil, ErrMapHidden
	}
	return &Table{source: SourceMap, rows: m, text: text, end: '\n'}, nil
}

// isStub reports whether a text of one line is the placeholder for a map: a
// sentence in the place of a name.
func isStub(text []byte) bool {
	return len(text) < maxStub && bytes.Count(text, []byte{' '}) > 2
}

const maxStub = 1024

// typicalLine is a little less than the mean length of a System.map's lines.
const typicalLine = 40

// Unshifted returns the table of a map with the addresses in [from, to) moved
// down by shift: what a kernel that KASLR has moved up prints in
// /proc/kallsyms is so brought back to the addresses of its image. Symbols
// outside, such as per-CPU ones, do not move.
func (t *Table) Unshifted(from, to, shift Addr) *Table {
	m, ok := t.rows.(*mapRows)
	if !ok {
		return t
	}
	moved := *m
	moved.addr = make([]Addr, len(m.addr))
	for i, a := range m.addr {
		if a >= from && a < to {
			a -= shift
		}
		moved.addr[i] = a
	}
	return &Table{source: t.source, rows: &moved, text: t.text, end: t.end}
}

// mapRows holds the lines of a map.
type mapRows struct {
	columns
	is32    bool
	allBits Addr // all addresses, or'ed
}

var (
	errNotMapLine = errors.New("not in nm's format: want an address of 8 or 16 hex digits, a type letter and a name")
	errMapName    = errors.New("a name with a space in it")
	errMapLong    = fmt.Errorf("a name of more than %d bytes", maxName)
	errMapWide    = errors.New("an address of 64 bits, but the image has 32-bit addresses")
)

// addPlainLine adds the symbol on the line at pos, if it is one like nearly all
// others: an address, a type letter and a name without anything unusual. Each
// of its bytes is looked at once. ok is false for any other line.
func (m *mapRows) addPlainLine(text []byte, pos int) (next int, ok bool) {
	addr, n := hexField(text[pos:])
	kind := pos + n + 1
	name := kind + 2
	if n == 0 || name >= len(text) || text[kind+1] != ' ' || !isLetter(text[kind]) || text[kind] == byte(KindUndefined) {
		return 0, false
	}
	length := indexBlank(text[name:])
	end := name + length
	if length == 0 || length > maxName || end == len(text) || text[end] != '\n' || m.is32 && addr>>32 != 0 {
		return 0, false
	}
	m.add(addr, Kind(text[kind]), name)
	return end + 1, true
}

func (m *mapRows) add(addr Addr, kind Kind, name int) {
	m.allBits |= addr
	m.addr = append(m.addr, addr)
	m.kinds = append(m.kinds, kind)
	m.name = append(m.name, uint32(name))
}

// addLine adds the symbol on a line that begins at pos in the text.
func (m *mapRows) addLine(line []byte, pos int) error {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 {
		return nil
	}
	if line[0] == ' ' {
		return undefinedLine(line)
	}
	addr, n := hexField(line)
	if n == 0 {
		return errNotMapLine
	}
	if len(line) > n+2 && line[n+2] != ' ' { // nm -S: the size comes next
		if _, size := hexField(line[n+1:]); size == n {
			n += size + 1
		}
	}
	// " T name"
	if len(line) < n+4 || line[n] != ' ' || line[n+2] != ' ' || !isLetter(line[n+1]) {
		return errNotMapLine
	}
	kind, name := Kind(line[n+1]), line[n+3:]
	if kind == KindUndefined {
		return nil
	}
	if indexBlank(name) < len(name) {
		if _, module, ok := bytes.Cut(name, []byte("\t[")); ok && bytes.IndexByte(module, ']') == len(module)-1 {
			return nil // "name\t[module]"
		}
		// Compilers do write other control characters into local labels.
		if bytes.ContainsAny(name, " \t") {
			return errMapName
		}
	}
	if len(name) > maxName {
		return errMapLong
	}
	if high := addr >> 32; m.is32 && high != 0 {
		if high != math.MaxUint32 || addr&(1<<31) == 0 {
			return errMapWide
		}
		addr &= math.MaxUint32
	}
	m.add(addr, kind, pos+n+3)
	return nil
}

// indexBlank returns the index of the first space or control character in b,
// len(b) if there is none.
func indexBlank(b []byte) int {
	const each, top = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		// A byte below '!' borrows into its top bit, which it had not set.
		w := binary.LittleEndian.Uint64(b[i:])
		if blank := (w - each*'!') &^ w & top; blank != 0 {
			return i + bits.TrailingZeros64(blank)/8
		}
	}
	for ; i < len(b) && b[i] > ' '; i++ {
	}
	return i
}

// undefinedLine accepts nm's line for a symbol that has no address.
func undefinedLine(line []byte) error {
	f := bytes.Fields(line) // nm gives sparc64's register symbols no name
	if (len(f) == 1 || len(f) == 2) && len(f[0]) == 1 && isLetter(f[0][0]) {
		return nil
	}
	return errNotMapLine
}

// hexField reads the 8 or 16 hex digits that b begins with and that a space
// ends. n is 0 if it does not begin so.
func hexField(b []byte) (v Addr, n int) {
	high, ok := hex8(b)
	if !ok {
		return 0, 0
	}
	if len(b) > 8 && b[8] == ' ' {
		return high, 8
	}
	low, ok := hex8(b[8:])
	if !ok || len(b) <= 16 || b[16] != ' ' {
		return 0, 0
	}
	return high<<32 | low, 16
}

// hex8 reads eight hex digits, all at once: each byte of a word becomes the
// value of its digit, is turned back into a digit to see that it was one, and
// the values are drawn together.
func hex8(b []byte) (v Addr, ok bool) {
	if len(b) < 8 {
		return 0, false
	}
	const each = 0x0101010101010101
	text := binary.LittleEndian.Uint64(b)
	letter := text >> 6 & each // 1 in each byte that is a letter, if it is a digit at all
	value := text&(each*0x0f) + letter*9
	above9 := (value + each*0x76) >> 7 & each
	if value&(each*0xf0) != 0 || value+each*'0'+above9*('a'-'0'-10) != text|letter<<5 {
		return 0, false
	}
	value = bits.ReverseBytes64(value)
	value = (value | value>>4) & 0x00ff00ff00ff00ff
	value = (value | value>>8) & 0x0000ffff0000ffff
	return Addr((value | value>>16) & math.MaxUint32), true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '?' || c == '-' }
