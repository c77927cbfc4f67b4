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
		if (value-low)&mask <= span && absolute(s.code[:at], long) {
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

// absolute reports whether 4 bytes can be an immediate or an absolute
// displacement, given the code up to them. The upper bytes of kernel addresses are
// frequent opcodes (81, 83, c1), so many other bytes look like addresses.
func absolute(code []byte, long bool) bool {
	switch before := back(code, 1); before {
	case 0x05, 0x0d, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0xa9, // arithmetic with the accumulator
		0x68, 0xa0, 0xa1, 0xa2, 0xa3: // push, mov
		return true
	default:
		if before&0xf8 == 0xb8 { // mov
			return true
		}
	}
	modRM, sib := back(code, 1), back(code, 2)&7 == 4
	if displaced32(modRM, long) || sib && back(code, 2) < 0xc0 && displaced32SIB(back(code, 2), modRM) {
		return true
	}
	// An immediate behind the operand: its length tells where the opcode is.
	for n := 1; n <= 6; n++ {
		switch back(code, n+1) {
		case 0x69, 0x81, 0xc7, 0xf7:
			if operandSize(code[len(code)-n:], long) == n {
				return true
			}
		}
	}
	return false
}

// displaced32 reports whether a ModRM byte is followed by a displacement of 4
// bytes that is not relative.
func displaced32(modRM byte, long bool) bool {
	return modRM>>6 == 2 && modRM&7 != 4 || modRM&0xc7 == 0x05 && !long
}

func displaced32SIB(modRM, sib byte) bool {
	return modRM>>6 == 2 || modRM>>6 == 0 && sib&7 == 5
}

// operandSize is the size of a ModRM byte with its SIB byte and displacement.
func operandSize(operand []byte, long bool) int {
	modRM, size := operand[0], 1
	sib := modRM&7 == 4 && modRM>>6 != 3
	if sib {
		size++
	}
	switch {
	case modRM>>6 == 1:
		size++
	case displaced32(modRM, long), modRM&0xc7 == 0x05,
		sib && len(operand) > 1 && displaced32SIB(modRM, operand[1]):
		size += 4
	}
	return size
}

// back returns the nth byte from the end of the code, 0 before its start.
func back(code []byte, n int) byte {
	if n > len(code) {
		return 0
	}
	return code[len(code)-n]
}

// immediate returns the size of the immediate operand that follows the
// displacement of an instruction, given the code up to its ModRM byte. VEX
// instructions are taken for those without the prefix.
func immediate(code []byte) uint64 {
	modRM, opcode := back(code, 1), back(code, 2)
	if back(code, 3) == 0x0f {
		switch opcode {
		case 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6:
			return 1
		}
		return 0
	}
	if back(code, 4) == 0x0f && back(code, 3) == 0x3a {
		return 1
	}
	if back(code, 4) == 0x0f && back(code, 3) == 0x38 {
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
	rex := back(code, 3)&0xf0 == 0x40
	if back(code, 3) == 0x66 || rex && back(code, 3)&8 == 0 && back(code, 4) == 0x66 {
		return 2
	}
	return 4
}
