package insn

import "encoding/binary"

// arm64 follows adrp (Arm ARM, section C4.1). The instructions are little-endian
// in either byte order.
func (s *scan) arm64() {
	r := newRegisters()
	for at := int(-s.addr & 3); at+4 <= len(s.code); at += 4 {
		r.arrive(at)
		word := binary.LittleEndian.Uint32(s.code[at:])
		switch {
		case word&0x1c000000 == 0x14000000:
			s.arm64Branch(r, word, at)
		case word&0x1f000000 == 0x10000000: // adr, adrp
			offset := signed(word>>3&^3|word>>29&3, 21)
			target := s.addr + uint64(at) + offset
			if word>>31 == 1 {
				target = (s.addr+uint64(at))&^0xfff + offset<<12
			} else {
				s.found(Address, at, target)
			}
			r.set(word&31, target, at)
		case word&0xbf800000 == 0x91000000: // add, sub
			offset := uint64(word >> 10 & 0xfff)
			if word>>22&1 == 1 {
				offset <<= 12
			}
			if word>>30&1 == 1 {
				offset = -offset
			}
			if base, ok := r.known(word >> 5 & 31); ok {
				s.found(Address, at, base+offset)
				r.set(word&31, base+offset, at)
			} else {
				r.kill(word&31, at)
			}
		case word&0x0a000000 == 0x08000000:
			s.arm64Memory(r, word, at)
		default:
			r.kill(word&31, at)
		}
	}
}

// arm64Branch follows branches, exceptions and system instructions.
func (s *scan) arm64Branch(r *registers, word uint32, at int) {
	var offset uint64
	switch {
	case word&0x7c000000 == 0x14000000: // b, bl
		offset = 4 * signed(word, 26)
	case word&0xff000000 == 0x54000000, word&0x7e000000 == 0x34000000: // b.cond, cbz
		offset = 4 * signed(word>>5, 19)
	case word&0x7e000000 == 0x36000000: // tbz
		offset = 4 * signed(word>>5, 14)
	case word&0xfffffc1f == 0xd65f0000, word&0xfffffbff == 0xd65f0bff: // ret
		r.leave(at)
		return
	case word&0xfffffc1f == 0xd63f0000: // blr
		arm64Call(r, at)
		return
	case word&0xfff00000 == 0xd5300000: // mrs
		r.kill(word&31, at)
		return
	default:
		return
	}
	s.found(Branch, at, s.addr+uint64(at)+offset)
	switch to := at + int(offset); word >> 26 {
	case 0x25:
		arm64Call(r, at)
	case 0x05:
		r.jump(at, to)
	default:
		r.branch(at, to)
	}
}

// arm64Call: compiled code uses no other register that a function may change
// behind its call without writing it anew, or knows that the function does not
// change it.
func arm64Call(r *registers, at int) {
	r.kill(0, at)
	r.kill(1, at)
}

// arm64Memory follows loads and stores.
func (s *scan) arm64Memory(r *registers, word uint32, at int) {
	rt, rn := word&31, word>>5&31
	base, ok := r.known(rn)
	load, pair, writeBack := word>>22&1 == 1, false, false
	switch {
	case word&0x3b000000 == 0x39000000: // unsigned offset, in units of the operand
		scale := word >> 30
		if word&0x04800000 == 0x04800000 { // 128 bits
			scale += 4
		}
		if ok {
			s.found(Address, at, base+uint64(word>>10&0xfff)<<scale)
		}
		load = word>>22&3 != 0
	case word&0x3a000000 == 0x28000000: // pair
		pair, writeBack = true, word>>23&1 == 1 && word>>24&1 == 0 || word>>23&3 == 3
		scale := 2 + word>>31
		if word>>26&1 == 1 {
			scale = 2 + word>>30
		}
		if ok {
			s.found(Address, at, base+signed(word>>15, 7)<<scale)
		}
	case word&0x3b000000 == 0x38000000: // 9-bit offset, register offset, atomic
		load = word>>22&3 != 0 || word>>21&1 == 1 && word>>10&3 == 0
		if word>>21&1 == 0 {
			writeBack = word>>10&1 == 1
			if ok && word>>10&3 != 1 { // before the access
				s.found(Address, at, base+signed(word>>12, 9))
			}
		}
		if ok && (word>>21&1 == 1 && word>>10&3 == 0 || word>>21&1 == 0 && word>>10&3 == 1) {
			s.found(Address, at, base)
		}
	case word&0x3b000000 == 0x18000000: // from a literal pool
		load = true
	case word&0x3f000000 == 0x08000000: // exclusive, with a status register
		r.kill(word>>16&31, at)
		if ok {
			s.found(Address, at, base)
		}
	}
	if load && word>>26&1 == 0 {
		r.kill(rt, at)
		if pair {
			r.kill(word>>10&31, at)
		}
	}
	if writeBack {
		r.kill(rn, at)
	}
}
