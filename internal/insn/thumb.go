package insn

import "encoding/binary"

// isA32 reports whether code is A32, not Thumb-2: nearly all of its instructions
// are unconditional, with 0xe in the highest 4 bits.
func isA32(code []byte, addr uint64) bool {
	words, always := 0, 0
	for at := int(-addr & 3); at+4 <= len(code); at += 4 {
		words++
		if code[at+3]>>4 == 0xe {
			always++
		}
	}
	return 2*always > words
}

// thumb tries each halfword as the start of a 32-bit Thumb-2 instruction (Arm ARM
// for ARMv7-A, chapter A6). Compilers write movw and movt of an address in pairs, so
// what else writes the register between them does not matter.
func (s *scan) thumb() {
	var low [16]uint64
	next := 0 // where an instruction begins, if none of 4 bytes was entered in its middle
	for at := int(s.addr & 1); at+2 <= len(s.code); at += 2 {
		first := uint32(binary.LittleEndian.Uint16(s.code[at:]))
		if at >= next {
			switch {
			case first>>11 > 0b11100:
				next = at + 4
			case first>>11 == 0b11100: // b
				s.found(Branch, at, s.addr+uint64(at)+4+signed(first&0x7ff<<1, 12))
			}
		}
		if first>>11 != 0b11110 || at+4 > len(s.code) {
			continue
		}
		second := uint32(binary.LittleEndian.Uint16(s.code[at+2:]))
		if second>>15 == 1 {
			s.thumbBranch(first, second, at)
			continue
		}
		rd := second >> 8 & 15
		value := uint64(first>>10&1<<11 | second>>12&7<<8 | second&0xff)
		pc := (s.addr + uint64(at) + 4) &^ 3
		switch first & 0xfbff {
		case 0xf20f: // add rd, pc
			s.found(Address, at, pc+value)
		case 0xf2af: // sub rd, pc
			s.found(Address, at, pc-value)
		}
		switch first & 0xfbf0 {
		case 0xf240: // movw
			low[rd] = value | uint64(first&15)<<12
		case 0xf2c0: // movt
			s.found(Address, at, low[rd]|(value|uint64(first&15)<<12)<<16)
		}
	}
}

func (s *scan) thumbBranch(first, second uint32, at int) {
	pc := s.addr + uint64(at) + 4
	sign, j1, j2 := first>>10&1, second>>13&1, second>>11&1
	far := signed(sign<<24|(j1^sign^1)<<23|(j2^sign^1)<<22|first&0x3ff<<12|second&0x7ff<<1, 25)
	switch second >> 12 & 5 { // bits 14 and 12
	case 0: // b with a condition
		if first>>7&7 != 7 {
			s.found(Branch, at, pc+signed(sign<<20|j2<<19|j1<<18|first&0x3f<<12|second&0x7ff<<1, 21))
		}
	case 1, 5: // b, bl
		s.found(Branch, at, pc+far)
	case 4: // blx, to A32
		s.found(Branch, at, (pc+far)&^3)
	}
}
