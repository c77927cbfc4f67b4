package insn

import (
	"encoding/binary"
	"math/bits"
)

// arm follows movw and movt, addresses relative to the pc and what literal pools
// hold (Arm ARM for ARMv7-A, chapter A5). A conditional instruction counts as
// executed, if only its value is to be known.
func (s *scan) arm() {
	r := newRegisters()
	for at := int(-s.addr & 3); at+4 <= len(s.code); at += 4 {
		r.arrive(at)
		word := binary.LittleEndian.Uint32(s.code[at:])
		if word>>28 == 15 {
			if word>>25&7 == 5 { // blx
				s.found(Branch, at, s.addr+uint64(at)+8+4*signed(word, 24)+uint64(word>>24&1*2))
			}
			if base, ok := r.known(word >> 16 & 15); ok && word&0x0d30f000 == 0x0510f000 { // pld
				s.found(Address, at, displaced(base, word&0xfff, word))
			}
			continue
		}
		switch word >> 25 & 7 {
		case 0, 1:
			s.armData(r, word, at)
		case 2, 3:
			s.armWord(r, word, at)
		case 4: // several registers
			if word>>20&1 == 1 {
				armPops(r, word, at)
			}
		case 5:
			s.armBranch(r, word, at)
		}
	}
}

func (s *scan) armBranch(r *registers, word uint32, at int) {
	offset := 8 + 4*signed(word, 24)
	s.found(Branch, at, s.addr+uint64(at)+offset)
	switch always := word>>28 == 14; {
	case word>>24&1 == 1: // compiled code reads no other register that a function may change
		r.kill(0, at)
		r.kill(1, at)
	case always:
		r.jump(at, at+int(offset))
	default:
		r.branch(at, at+int(offset))
	}
}

// armData follows the instructions that compute.
func (s *scan) armData(r *registers, word uint32, at int) {
	rd, rn := word>>12&15, word>>16&15
	always := word>>28 == 14
	rotated := uint64(bits.RotateLeft32(word&0xff, -int(word>>8&15*2)))
	value, ok := r.known(rn)
	if rn == 15 {
		value, ok = s.addr+uint64(at)+8, true
	}
	switch code := word >> 20 & 0xff; {
	case code == 0x30: // movw
		r.set(rd, uint64(word>>4&0xf000|word&0xfff), at)
	case code == 0x34: // movt
		if low, ok := r.known(rd); ok {
			value := low&0xffff | uint64(word>>4&0xf000|word&0xfff)<<16
			s.found(Address, at, value)
			r.set(rd, value, at)
		}
	case ok && rd != 15 && (code&^1 == 0x28 || code&^1 == 0x24): // add, sub
		if code&^1 == 0x24 {
			rotated = -rotated
		}
		s.found(Address, at, value+rotated)
		r.set(rd, value+rotated, at)
	case word&0x0ffffff0 == 0x012fff30: // blx
		r.kill(0, at)
		r.kill(1, at)
	case word&0x0fffffff == 0x012fff1e || word&0x0fffffff == 0x01a0f00e: // bx lr, mov pc, lr
		if always {
			r.leave(at)
		}
	case word&0x0e000090 == 0x00000090: // multiplications, halfwords and pairs
		s.armHalf(r, word, at)
	case code&0x18 == 0x10: // comparisons write no register
	default:
		r.kill(rd, at)
	}
}

// armHalf follows the loads and stores with an 8-bit offset.
func (s *scan) armHalf(r *registers, word uint32, at int) {
	rd, rn := word>>12&15, word>>16&15
	base, ok := r.known(rn)
	if word>>5&3 == 0 { // multiplications, swaps, exclusives
		r.kill(rd, at)
		if word>>24&1 == 0 {
			r.kill(rn, at)
		} else if ok {
			s.found(Address, at, base)
		}
		return
	}
	if ok && word>>22&1 == 1 && word>>24&1 == 1 {
		s.found(Address, at, displaced(base, word>>4&0xf0|word&0xf, word))
	}
	if word>>20&1 == 1 || word>>5&3 == 2 { // ldrh, ldrsb, ldrsh; ldrd
		r.kill(rd, at)
	}
	armWriteBack(r, word, at)
}

// armWord follows the loads and stores of words and bytes, and the media
// instructions, which share their code.
func (s *scan) armWord(r *registers, word uint32, at int) {
	rd, rn, load := word>>12&15, word>>16&15, word>>20&1 == 1
	if word>>25&1 == 1 && word>>4&1 == 1 { // media
		r.kill(rd, at)
		if word>>23&7 == 6 {
			r.kill(rn, at)
		}
		return
	}
	immediate := word>>25&1 == 0
	if base, ok := r.known(rn); ok && immediate && word>>24&1 == 1 {
		s.found(Address, at, displaced(base, word&0xfff, word))
	}
	if load {
		r.kill(rd, at)
	}
	armWriteBack(r, word, at)
	if word&0x0f7f0000 == 0x051f0000 && rd != 15 { // ldr rd, [pc, #…]
		pool := int(displaced(uint64(at)+8, word&0xfff, word))
		if pool >= 0 && pool+4 <= len(s.code) {
			r.set(rd, uint64(binary.LittleEndian.Uint32(s.code[pool:])), at)
		}
	}
}

// displaced adds or subtracts an offset, as bit 23 says.
func displaced(base uint64, offset, word uint32) uint64 {
	if word>>23&1 == 1 {
		return base + uint64(offset)
	}
	return base - uint64(offset)
}

// armWriteBack forgets a base register that a load or store changes.
func armWriteBack(r *registers, word uint32, at int) {
	if word>>24&1 == 0 || word>>21&1 == 1 {
		r.kill(word>>16&15, at)
	}
}

// armPops forgets the registers of an ldm.
func armPops(r *registers, word uint32, at int) {
	if word>>28 == 14 && word>>15&1 == 1 { // the pc: a return
		r.leave(at)
		return
	}
	for i := range uint32(15) {
		if word>>i&1 == 1 && word>>15&1 == 0 {
			r.kill(i, at)
		}
	}
}
