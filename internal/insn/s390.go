package insn

import "encoding/binary"

// s390 tries each halfword as the start of an instruction with a relative
// operand, which counts halfwords (z/Architecture Principles of Operation,
// formats RI and RIL).
func (s *scan) s390() {
	for at := int(s.addr & 1); at+4 <= len(s.code); at += 2 {
		here := s.addr + uint64(at)
		first, second, mask := s.code[at], s.code[at+1]&15, s.code[at+1]>>4
		// With no condition in its mask, a branch is a nop.
		branch := second == 5 || second == 4 && mask != 0
		if first == 0xa7 && branch { // brc, bras
			s.found(Branch, at, here+2*signed(uint32(binary.BigEndian.Uint16(s.code[at+2:])), 16))
		}
		if at+6 > len(s.code) || first&0xf0 != 0xc0 {
			continue
		}
		target := here + 2*signed(binary.BigEndian.Uint32(s.code[at+2:]), 32)
		switch {
		case first == 0xc0 && branch: // brcl, brasl
			s.found(Branch, at, target)
		case first == 0xc0 && second == 0, // larl
			first == 0xc4, first == 0xc6: // loads, stores, compares
			s.found(Address, at, target)
		}
	}
}
