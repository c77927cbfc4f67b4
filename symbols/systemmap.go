package symbols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

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
const maxMapSize = math.MaxUint32

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
	if len(text) > maxMapSize {
		return nil, fmt.Errorf("%d bytes: too large for a System.map", len(text))
	}
	guess := len(text)/typicalLine + 1
	m := &mapRows{
		is32:  bits == 32,
		addr:  make([]Addr, 0, guess),
		name:  make([]uint32, 0, guess),
		kinds: make([]Kind, 0, guess),
	}
	line := 1
	for pos := 0; pos < len(text); line++ {
		n := bytes.IndexByte(text[pos:], '\n')
		if n < 0 {
			return nil, &MapError{line, "the file ends in the middle of a line: is it truncated?"}
		}
		if err := m.addLine(text[pos:pos+n], pos); err != nil {
			if pos+n+1 == len(text) && line == 1 && bytes.Count(text, []byte{' '}) > 2 {
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

// typicalLine is a little less than the mean length of a System.map's lines.
const typicalLine = 40

// mapRows holds the lines of a map as columns.
type mapRows struct {
	addr    []Addr
	name    []uint32 // offsets in text
	kinds   []Kind
	is32    bool
	allBits Addr // all addresses, or'ed
}

func (m *mapRows) len() int { return len(m.addr) }

func (m *mapRows) addrs(first int, buf []Addr) []Addr {
	return m.addr[first:min(first+len(buf), len(m.addr))]
}

func (m *mapRows) names(first int, buf []uint32) []uint32 {
	return m.name[first:min(first+len(buf), len(m.name))]
}

func (m *mapRows) row(i int) row {
	return row{Symbol: Symbol{Addr: m.addr[i], Kind: m.kinds[i]}, name: m.name[i]}
}

var (
	errNotMapLine = errors.New("not in nm's format: want an address of 8 or 16 hex digits, a type letter and a name")
	errMapName    = errors.New("a name with a space in it")
	errMapWide    = errors.New("an address of 64 bits, but the image has 32-bit addresses")
)

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
	if _, size := hexField(line[n+1:]); size == n {
		n += size + 1
	}
	// " T name"
	if len(line) < n+4 || line[n] != ' ' || line[n+2] != ' ' || !isLetter(line[n+1]) {
		return errNotMapLine
	}
	kind, name := Kind(line[n+1]), line[n+3:]
	if kind == KindUndefined {
		return nil
	}
	if hasBlank(name) {
		if bytes.IndexByte(name, '\t') > 0 {
			return nil // "name\t[module]"
		}
		// Compilers do write other control characters into local labels.
		if bytes.IndexByte(name, ' ') >= 0 {
			return errMapName
		}
	}
	if high := addr >> 32; m.is32 && high != 0 {
		if high != math.MaxUint32 || addr&(1<<31) == 0 {
			return errMapWide
		}
		addr &= math.MaxUint32
	}
	m.allBits |= addr
	m.addr = append(m.addr, addr)
	m.kinds = append(m.kinds, kind)
	m.name = append(m.name, uint32(pos+n+3))
	return nil
}

// hasBlank reports whether b has a space or a control character.
func hasBlank(b []byte) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		// A byte below '!' borrows into its top bit, which it had not set.
		if w := binary.LittleEndian.Uint64(b); (w-low*'!')&^w&high != 0 {
			return true
		}
	}
	for _, c := range b {
		if c <= ' ' {
			return true
		}
	}
	return false
}

// undefinedLine accepts nm's line for a symbol that has no address.
func undefinedLine(line []byte) error {
	f := bytes.Fields(line)
	if len(f) == 2 && len(f[0]) == 1 && isLetter(f[0][0]) {
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

// hex8 reads eight hex digits.
func hex8(b []byte) (v Addr, ok bool) {
	if len(b) < 8 {
		return 0, false
	}
	bad := byte(0)
	for _, c := range b[:8] {
		d := hexDigits[c]
		bad |= d
		v = v<<4 | Addr(d&0xf)
	}
	return v, bad&notHex == 0
}

// hexDigits gives the value of each hex digit, and notHex for anything else.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = c - '0'
		case c >= 'a' && c <= 'f':
			t[i] = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			t[i] = c - 'A' + 10
		default:
			t[i] = notHex
		}
	}
	return t
}()

const notHex = 0x80

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '?' || c == '-' }
