package symbols

import (
	"bytes"
	"encoding/binary"
)

// numTokens is how many tokens there are: one for each value of a byte.
const numTokens = 256

// maxToken bounds a token's length. It is a part of a name (KSYM_NAME_LEN).
const maxToken = 512

// digitTokens are the tokens '0' to '9' as they lie in every token table.
var digitTokens = []byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")

// tokens is a token table with its index, found in a piece of a kernel.
type tokens struct {
	kernel   *Kernel
	piece    Piece
	order    binary.ByteOrder
	starts   [numTokens + 1]int // offsets in the piece; the last is where the table ends
	indexEnd int                // of token_index in the piece
	steps    *int               // symbols looked at so far in the kernel; see maxSteps
}

// token returns the string that a byte of a name stands for.
func (t *tokens) token(c int) []byte { return t.piece.Bytes[t.starts[c] : t.starts[c+1]-1] }

// table is where token_table begins.
func (t *tokens) table() int { return t.starts[0] }

// findTokens returns what may be the token tables of a piece.
func findTokens(k *Kernel, p Piece) (found []*tokens) {
	for at := 0; ; at++ {
		next := bytes.Index(p.Bytes[at:], digitTokens)
		if next < 0 || len(found) > maxTables {
			return found
		}
		at += next
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			t := &tokens{kernel: k, piece: p, order: order}
			if (k.Order == nil || k.Order == order) && t.parse(at) {
				found = append(found, t)
			}
		}
	}
}

// aligns are what the arrays can be aligned to: .balign 4 or 8 as the assembler
// source says (from 5.x on); where .align is a power of two the .align 4 or 8
// of earlier ones meant 16 or 256.
var aligns = []int{4, 8, 16, 256}

// parse takes the table that has its digits at an offset, if there is one: the
// index behind it must say where each token is.
func (t *tokens) parse(digits int) bool {
	if !t.split(digits) {
		return false
	}
	end := t.starts[numTokens]
	for _, align := range aligns {
		index := t.alignUp(end, align)
		if index+2*numTokens <= len(t.piece.Bytes) && isZero(t.piece.Bytes[end:index]) && t.agrees(index) {
			t.indexEnd = index + 2*numTokens
			return true
		}
	}
	return false
}

// split finds where the tokens begin, forwards from '0' and backwards, but for
// the first: what lies before it may end in no NUL.
func (t *tokens) split(digits int) bool {
	b := t.piece.Bytes
	t.starts['0'] = digits
	for c := '0'; c < numTokens; c++ {
		start := t.starts[c]
		n := bytes.IndexByte(b[start:min(start+maxToken, len(b))], 0)
		if n < 0 {
			return false
		}
		t.starts[c+1] = start + n + 1
	}
	for c := '0' - 1; c > 0; c-- {
		end := t.starts[c+1] - 1 // the NUL of token c
		low := max(end-maxToken, 0)
		n := -1
		if end > 0 && b[end] == 0 {
			n = bytes.LastIndexByte(b[low:end], 0)
		}
		if n < 0 {
			return false
		}
		t.starts[c] = low + n + 1
	}
	return true
}

// agrees reports whether token_index, at an offset, has where each token
// begins. It tells where the first one does.
func (t *tokens) agrees(index int) bool {
	entry := func(c int) int { return int(t.order.Uint16(t.piece.Bytes[index+2*c:])) }
	start := t.starts[1] - entry(1)
	if entry(0) != 0 || entry(1) == 0 || start < 0 {
		return false
	}
	for c := 1; c < numTokens; c++ {
		if entry(c) != t.starts[c]-start {
			return false
		}
	}
	t.starts[0] = start
	for c := range numTokens {
		if !isPrintable(t.token(c)) {
			return false
		}
	}
	return true
}

// isPrintable reports whether no byte is a space or a control character.
func isPrintable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// alignUp returns the next offset in the piece whose address is a multiple of
// align.
func (t *tokens) alignUp(off, align int) int {
	return off + int(-(uint64(t.piece.Addr)+uint64(off))&uint64(align-1))
}

// alignDown returns the last such offset at or below off; it may be negative.
func (t *tokens) alignDown(off, align int) int {
	return off - int((uint64(t.piece.Addr)+uint64(off))&uint64(align-1))
}
