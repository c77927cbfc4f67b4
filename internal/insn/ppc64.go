package insn

// setsTOC reports whether two instructions set r2, as they do where a function
// has an entry of its own for callers that share its r2.
func setsTOC(first, second uint32) bool {
	return (first>>16 == 0x3c4c || first>>16 == 0x3c40) && second>>16 == 0x3842
}

// ppc64 follows addis (Power ISA version 3.1, book I).
func (s *scan) ppc64() {
	r := newRegisters()
	order := s.order()
	for at := int(-s.addr & 3); at+4 <= len(s.code); at += 4 {
		r.arrive(at)
		r.set(2, s.GlobalPointer, at) // in all C code
		word := order.Uint32(s.code[at:])
		rt, ra := word>>21&31, word>>16&31
		base, ok := r.known(ra)
		offset := signed(word, 16)
		switch opcode := word >> 26; opcode {
		case 1: // prefixed
			if at+8 <= len(s.code) && word>>20&1 == 1 {
				suffix := order.Uint32(s.code[at+4:])
				s.found(Address, at, s.addr+uint64(at)+signed(word&0x3ffff, 18)<<16+uint64(suffix&0xffff))
				r.kill(suffix>>21&31, at)
			}
			at += 4
		case 14, 15: // addi, addis
			if opcode == 15 {
				offset <<= 16
			}
			if ra == 0 {
				base, ok = 0, true
			}
			if ok {
				if opcode == 14 && ra != 0 {
					s.found(Address, at, base+offset)
				}
				r.set(rt, base+offset, at)
			} else {
				r.kill(rt, at)
			}
		case 16, 18, 19:
			s.ppc64Branch(r, word, at)
		case 24, 25: // ori, oris: the destination is ra
			value, ok := r.known(rt)
			low := uint64(word&0xffff) << (16 * (opcode - 24))
			if ok {
				if opcode == 24 && rt != ra {
					s.found(Address, at, value|low)
				} else if opcode == 24 && low != 0 {
					s.found(Address, at, value|low)
				}
				r.set(ra, value|low, at)
			} else {
				r.kill(ra, at)
			}
		case 30: // rotates, among them sldi 32
			if value, ok := r.known(rt); ok && word&0xffff == 0x07c6 {
				r.set(ra, value<<32, at)
			} else {
				r.kill(ra, at)
			}
		case 58, 62: // ld, std and such
			if ok && ra != 0 {
				s.found(Address, at, base+offset&^3)
			}
			if opcode == 58 {
				r.kill(rt, at)
			}
			if word&3 == 1 {
				r.kill(ra, at)
			}
		default:
			if opcode >= 32 && opcode < 56 && ok && ra != 0 {
				s.found(Address, at, base+offset)
			}
			ppc64Kill(r, word, at)
		}
	}
}

func (s *scan) ppc64Branch(r *registers, word uint32, at int) {
	opcode, link := word>>26, word&1 == 1
	always := opcode == 18 || word>>21&0x14 == 0x14
	if opcode == 19 {
		switch word >> 1 & 0x3ff {
		case 16: // bclr
			if always && !link {
				r.leave(at)
			}
		case 528: // bcctr
			if link {
				r.kill(3, at)
			}
		}
		return
	}
	offset := signed(word&0x03fffffc, 26)
	if opcode == 16 {
		offset = signed(word&0xfffc, 16)
	}
	target := offset
	if word&2 == 0 {
		target += s.addr + uint64(at)
	}
	s.found(Branch, at, target)
	switch to := int(target - s.addr); {
	case link:
		r.kill(3, at)
	case always:
		r.jump(at, to)
	default:
		r.branch(at, to)
	}
}

// ppc64Kill forgets what the other instructions write.
func ppc64Kill(r *registers, word uint32, at int) {
	rt, ra := word>>21&31, word>>16&31
	switch opcode := word >> 26; opcode {
	case 7, 8, 12, 13, 32, 34, 40, 42:
		r.kill(rt, at)
	case 33, 35, 41, 43: // loads that update
		r.kill(rt, at)
		r.kill(ra, at)
	case 20, 21, 23, 26, 27, 28, 29, 37, 39, 45, 49, 51, 53, 55:
		r.kill(ra, at)
	case 46: // lmw
		for i := rt; i < 32; i++ {
			r.kill(i, at)
		}
	case 31:
		switch word >> 1 & 0x3ff {
		case 24, 26, 27, 28, 58, 60, 122, 124, 284, 316, 378, 412, 444, 476, 506, 508,
			536, 539, 792, 794, 824, 826, 827, 922, 954, 986: // logic and shifts
			r.kill(ra, at)
		case 0, 4, 32, 68, // compare, trap
			54, 86, 246, 278, 470, 854, 982, 1014, 598, // cache, sync
			144, 146, 178, 467, // move to special registers
			149, 150, 151, 214, 215, 407, 661, 662, 694, 726, 918: // stores
		case 181, 183, 247, 439: // stores that update
			r.kill(ra, at)
		default:
			r.kill(rt, at)
		}
	}
}
