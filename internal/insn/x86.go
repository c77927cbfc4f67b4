package insn

import (
	"encoding/binary"

	"github.com/initsect/initsect/internal/safeelf"
)

// x86 tries each position as that of a 4-byte immediate or displacement
// (Intel SDM volume 2, chapter 2 and appendix A).
func (s *scan) x86() {
	long := s.Machine == safeelf.MachineAMD64
	low, span, mask := s.wanted.low, s.wanted.span, s.wanted.mask
	for at := 0; at+2 <= len(s.code); at++ {
		if s.code[at] == 0xeb { // jmp rel8
			s.found(Branch, at, s.addr+uint64(at)+2+signed(uint32(s.code[at+1]), 8))
		}
		if at+4 > len(s.code) {
			continue
		}
		value := signed(binary.LittleEndian.Uint32(s.code[at:]), 32)
		if (value-low)&mask <= span {
			s.found(Address, at, value)
		}
		// Relative to the next instruction, up to 4 bytes of immediate away.
		relative := s.addr + uint64(at) + 4 + value
		if (relative-low+4)&mask > span+4 || at == 0 {
			continue
		}
		switch before := s.code[at-1]; {
		case before&^1 == 0xe8: // call, jmp
			s.found(Branch, at-1, relative)
		case before&0xf0 == 0x80 && at > 1 && s.code[at-2] == 0x0f: // jcc
			s.found(Branch, at-2, relative)
		case long && before&0xc7 == 0x05 && at > 1: // ModRM of disp32(%rip)
			s.found(Address, at, relative+immediate(s.code[:at]))
		}
	}
}

// immediate returns the size of the immediate operand that follows the
// displacement of an instruction, given the code up to its ModRM byte. VEX
// instructions are taken for those without the prefix.
func immediate(code []byte) uint64 {
	back := func(n int) byte {
		if n > len(code) {
			return 0
		}
		return code[len(code)-n]
	}
	modRM, opcode := back(1), back(2)
	if back(3) == 0x0f {
		switch opcode {
		case 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6:
			return 1
		}
		return 0
	}
	if back(4) == 0x0f && back(3) == 0x3a {
		return 1
	}
	if back(4) == 0x0f && back(3) == 0x38 {
		return 0
	}
	switch opcode {
	case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6:
		return 1
	case 0xf6: // test has an immediate, the others of the group do not
		if modRM&0x30 == 0 {
			return 1
		}
		return 0
	case 0xf7:
		if modRM&0x30 != 0 {
			return 0
		}
	case 0x69, 0x81, 0xc7:
	default:
		return 0
	}
	rex := back(3)&0xf0 == 0x40
	if back(3) == 0x66 || rex && back(3)&8 == 0 && back(4) == 0x66 {
		return 2
	}
	return 4
}
