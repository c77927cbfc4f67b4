package decompress

import (
	"errors"
	"io"
)

// The LZMA2 decoder (xz-file-format.txt 5.3.1, lzma-specification.txt of the
// LZMA SDK, whose names are used). It is our own, for a kernel's XZ is one block
// of known size: written straight to where it belongs, there is no dictionary to
// fill beside it, which is half of the memory and half of the time.

const (
	lzmaStates     = 12
	lzmaPosStates  = 16
	lzmaMinMatch   = 2
	lzmaProbBits   = 11
	lzmaProbInit   = 1 << (lzmaProbBits - 1)
	lzmaMoveBits   = 5
	lzmaTop        = 1 << 24
	lzmaAlignBits  = 4
	lzmaMaxLitBits = 4 // LZMA2 allows lc + lp of no more
)

var errLZMA = errors.New("malformed LZMA data")

// lzma2 decodes into out, in which n bytes are there.
type lzma2 struct {
	out   []byte
	n     int
	start int // of the dictionary in out: where it was reset last
	dict  int // how far back a match may reach

	// The range decoder. Past the end of src it reads zeros, and at tells.
	src       []byte
	at        int
	rng, code uint32

	lc, lp, pb int
	state      uint32
	rep        [4]uint32

	isMatch, isRep0Long              [lzmaStates][lzmaPosStates]uint16
	isRep, isRepG0, isRepG1, isRepG2 [lzmaStates]uint16
	slot                             [4][64]uint16
	special                          [114]uint16
	align                            [1<<lzmaAlignBits - 1]uint16
	matchLength, repLength           lzmaLength
	literal                          [0x300 << lzmaMaxLitBits]uint16

	needsDict, needsProperties bool // before anything else can be decoded
}

// lzmaLength has the probabilities of a match's length.
type lzmaLength struct {
	choice, choice2 uint16
	low, mid        [lzmaPosStates][8]uint16
	high            [256]uint16
}

// unlzma2 decodes a block's LZMA2 data, which fills dst.
func unlzma2(dst, src []byte, dict int) error {
	d := &lzma2{out: dst, dict: dict, needsDict: true, needsProperties: true}
	for at := 0; ; {
		if at >= len(src) {
			return io.ErrUnexpectedEOF
		}
		if src[at] == 0 {
			if d.n != len(dst) {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		used, err := d.chunk(src[at:])
		if err != nil {
			return err
		}
		at += used
	}
}

// chunk decodes the chunk that b begins with, and returns its length.
func (d *lzma2) chunk(b []byte) (used int, err error) {
	if len(b) < 3 {
		return 0, io.ErrUnexpectedEOF
	}
	control, size := b[0], int(be.Uint16(b[1:]))+1
	if control == 1 || control >= 0xe0 {
		d.start, d.needsDict, d.needsProperties = d.n, false, true
	}
	if d.needsDict || control > 2 && control < 0x80 {
		return 0, errLZMA
	}
	if control <= 2 {
		if size > len(d.out)-d.n || size > len(b)-3 {
			return 0, io.ErrUnexpectedEOF
		}
		d.n += copy(d.out[d.n:], b[3:3+size])
		return 3 + size, nil
	}
	size += int(control&0x1f) << 16
	header := 5
	if control >= 0xc0 {
		header++
	}
	if len(b) < header {
		return 0, io.ErrUnexpectedEOF
	}
	packed := int(be.Uint16(b[3:])) + 1
	if size > len(d.out)-d.n || packed > len(b)-header || packed < 5 {
		return 0, io.ErrUnexpectedEOF
	}
	if control >= 0xc0 {
		if err := d.properties(b[5]); err != nil {
			return 0, err
		}
	}
	if d.needsProperties {
		return 0, errLZMA
	}
	if control >= 0xa0 {
		d.reset()
	}
	d.src, d.at = b[header:header+packed], 5
	d.rng, d.code = 1<<32-1, be.Uint32(d.src[1:])
	if d.src[0] != 0 || !d.decode(d.n+size) {
		return 0, errLZMA
	}
	d.normalize()
	if d.code != 0 || d.at != packed {
		return 0, errLZMA
	}
	return header + packed, nil
}

func (d *lzma2) properties(p byte) error {
	d.lc, d.lp, d.pb = int(p%9), int(p/9%5), int(p/45)
	if d.pb > 4 || d.lc+d.lp > lzmaMaxLitBits {
		return errLZMA
	}
	d.needsProperties = false
	return nil
}

func (d *lzma2) reset() {
	d.state, d.rep = 0, [4]uint32{}
	fill := func(probs []uint16) {
		for i := range probs {
			probs[i] = lzmaProbInit
		}
	}
	for i := range lzmaStates {
		fill(d.isMatch[i][:])
		fill(d.isRep0Long[i][:])
	}
	for _, probs := range [][]uint16{d.isRep[:], d.isRepG0[:], d.isRepG1[:], d.isRepG2[:], d.special[:], d.align[:], d.literal[:]} {
		fill(probs)
	}
	for i := range d.slot {
		fill(d.slot[i][:])
	}
	for _, l := range []*lzmaLength{&d.matchLength, &d.repLength} {
		l.choice, l.choice2 = lzmaProbInit, lzmaProbInit
		fill(l.high[:])
		for i := range lzmaPosStates {
			fill(l.low[i][:])
			fill(l.mid[i][:])
		}
	}
}

// decode writes out up to end; ok is false if the data makes no sense.
func (d *lzma2) decode(end int) (ok bool) {
	for d.n < end {
		posState := (d.n - d.start) & (1<<d.pb - 1)
		if d.bit(&d.isMatch[d.state][posState]) == 0 {
			d.putLiteral()
			continue
		}
		length := 0
		if d.bit(&d.isRep[d.state]) == 0 {
			length = d.length(&d.matchLength, posState)
			d.rep[3], d.rep[2], d.rep[1] = d.rep[2], d.rep[1], d.rep[0]
			d.rep[0] = d.distance(length)
			d.state = choose(d.state < 7, 7, 10)
		} else if length = d.repeat(posState); length == 1 {
			d.state = choose(d.state < 7, 9, 11)
		} else {
			d.state = choose(d.state < 7, 8, 11)
		}
		if !d.copyMatch(length, end) {
			return false
		}
	}
	return d.at <= len(d.src)
}

func choose(first bool, a, b uint32) uint32 {
	if first {
		return a
	}
	return b
}

// repeat reads which of the last distances is used again, and the length.
func (d *lzma2) repeat(posState int) (length int) {
	if d.bit(&d.isRepG0[d.state]) == 0 {
		if d.bit(&d.isRep0Long[d.state][posState]) == 0 {
			return 1
		}
		return d.length(&d.repLength, posState)
	}
	which := 1
	if d.bit(&d.isRepG1[d.state]) != 0 {
		which = 2 + int(d.bit(&d.isRepG2[d.state]))
	}
	again := d.rep[which]
	copy(d.rep[1:], d.rep[:which])
	d.rep[0] = again
	return d.length(&d.repLength, posState)
}

// copyMatch repeats what was written. It may overlap with itself.
func (d *lzma2) copyMatch(length, end int) bool {
	back := int(d.rep[0]) + 1
	if length > end-d.n || back > d.n-d.start || back > d.dict {
		return false
	}
	from, to := d.out[d.n-back:d.n], d.out[d.n:d.n+length]
	d.n += length
	for len(to) > 0 {
		to = to[copy(to, from):]
	}
	return true
}

// putLiteral decodes one byte.
func (d *lzma2) putLiteral() {
	pos := d.n - d.start
	previous := byte(0)
	if pos > 0 {
		previous = d.out[d.n-1]
	}
	context := (pos&(1<<d.lp-1))<<d.lc + int(previous)>>(8-d.lc)
	probs := d.literal[0x300*context:][:0x300]
	symbol := uint32(1)
	if d.state >= 7 && int(d.rep[0]) < pos {
		match := uint32(d.out[d.n-1-int(d.rep[0])])
		for offset := uint32(0x100); symbol < 0x100; {
			match <<= 1
			bit := d.bit(&probs[offset+match&offset+symbol])
			symbol = symbol<<1 | bit
			offset &= ^(match ^ -bit)
		}
	} else {
		symbol = d.tree(probs[:0x100])
	}
	d.out[d.n] = byte(symbol)
	d.n++
	switch {
	case d.state < 4:
		d.state = 0
	case d.state < 10:
		d.state -= 3
	default:
		d.state -= 6
	}
}

func (d *lzma2) length(l *lzmaLength, posState int) int {
	switch {
	case d.bit(&l.choice) == 0:
		return lzmaMinMatch + int(d.tree(l.low[posState][:])) - 8
	case d.bit(&l.choice2) == 0:
		return lzmaMinMatch + 8 + int(d.tree(l.mid[posState][:])) - 8
	}
	return lzmaMinMatch + 16 + int(d.tree(l.high[:])) - 256
}

// distance reads how far back a match lies, less one.
func (d *lzma2) distance(length int) uint32 {
	slot := d.tree(d.slot[min(length-lzmaMinMatch, 3)][:]) - 64
	if slot < 4 {
		return slot
	}
	bits := int(slot>>1) - 1
	distance := (2 | slot&1) << bits
	if slot < 14 {
		return distance + d.reverse(d.special[distance-slot:], bits)
	}
	return distance + d.direct(bits-lzmaAlignBits)<<lzmaAlignBits + d.reverse(d.align[:], lzmaAlignBits)
}

// tree reads as many bits as a tree of probabilities has levels, the highest
// first, behind a leading 1.
func (d *lzma2) tree(probs []uint16) uint32 {
	rng, code, at, src := d.rng, d.code, d.at, d.src
	symbol := uint32(1)
	for int(symbol) < len(probs) {
		if rng < lzmaTop {
			rng, code = rng<<8, code<<8
			if at < len(src) {
				code |= uint32(src[at])
			}
			at++
		}
		p := &probs[symbol]
		if bound := rng >> lzmaProbBits * uint32(*p); code < bound {
			rng = bound
			*p += (1<<lzmaProbBits - *p) >> lzmaMoveBits
			symbol <<= 1
		} else {
			rng, code = rng-bound, code-bound
			*p -= *p >> lzmaMoveBits
			symbol = symbol<<1 | 1
		}
	}
	d.rng, d.code, d.at = rng, code, at
	return symbol
}

// reverse reads bits, the lowest first. Its probabilities begin with that of
// the first bit.
func (d *lzma2) reverse(probs []uint16, bits int) (value uint32) {
	symbol := uint32(1)
	for i := range bits {
		bit := d.bit(&probs[symbol-1])
		symbol = symbol<<1 | bit
		value |= bit << i
	}
	return value
}

// direct reads bits of even odds, the highest first.
func (d *lzma2) direct(bits int) (value uint32) {
	for range bits {
		d.normalize()
		d.rng >>= 1
		bit := uint32(0)
		if d.code >= d.rng {
			d.code -= d.rng
			bit = 1
		}
		value = value<<1 | bit
	}
	return value
}

// bit reads one bit.
func (d *lzma2) bit(p *uint16) uint32 {
	d.normalize()
	bound := d.rng >> lzmaProbBits * uint32(*p)
	if d.code < bound {
		d.rng = bound
		*p += (1<<lzmaProbBits - *p) >> lzmaMoveBits
		return 0
	}
	d.rng, d.code = d.rng-bound, d.code-bound
	*p -= *p >> lzmaMoveBits
	return 1
}

func (d *lzma2) normalize() {
	if d.rng >= lzmaTop {
		return
	}
	d.rng, d.code = d.rng<<8, d.code<<8
	if d.at < len(d.src) {
		d.code |= uint32(d.src[d.at])
	}
	d.at++
}
