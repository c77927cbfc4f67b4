package insn

import "encoding/binary"

// riscv follows auipc (The RISC-V Instruction Set Manual, volume I, with
// extension C). Instructions are little-endian.
func (s *scan) riscv() {
	r := newRegisters()
	size := 0
	for at := int(s.addr & 1); at+2 <= len(s.code); at += size {
		r.arrive(at)
		if s.GlobalPointer != 0 {
			r.set(3, s.GlobalPointer, at)
		}
		half := uint32(binary.LittleEndian.Uint16(s.code[at:]))
		if half&3 != 3 {
			size = 2
			s.riscvCompressed(r, half, at)
			continue
		}
		size = 4
		if at+4 <= len(s.code) {
			s.riscvWord(r, half|uint32(binary.LittleEndian.Uint16(s.code[at+2:]))<<16, at)
		}
	}
}

func (s *scan) riscvWord(r *registers, word uint32, at int) {
	rd, rs1 := word>>7&31, word>>15&31
	base, ok := r.known(rs1)
	here, offset := s.addr+uint64(at), signed(word>>20, 12)
	switch opcode := word & 0x7f; opcode {
	case 0x17: // auipc
		r.set(rd, here+signed(word&^0xfff, 32), at)
	case 0x37: // lui
		r.set(rd, signed(word&^0xfff, 32), at)
	case 0x13, 0x1b: // operations with an immediate
		if !ok || word>>12&7 != 0 {
			r.kill(rd, at)
			break
		}
		value := base + offset // addi, addiw
		if opcode == 0x1b {
			value = signed(uint32(value), 32)
		}
		if rs1 != 0 {
			s.found(Address, at, value)
		}
		r.set(rd, value, at)
	case 0x6f: // jal
		offset = signed(word>>31<<20|word>>12&0xff<<12|word>>20&1<<11|word>>21&0x3ff<<1, 21)
		s.riscvJump(r, rd, at, here+offset)
	case 0x67: // jalr
		switch {
		case ok && rs1 != 0:
			s.riscvJump(r, rd, at, base+offset)
		case rd != 0:
			r.kill(10, at)
		case rs1 == 1:
			r.leave(at)
		}
	case 0x63: // conditional
		offset = signed(word>>31<<12|word>>7&1<<11|word>>25&0x3f<<5|word>>8&15<<1, 13)
		s.found(Branch, at, here+offset)
		r.branch(at, at+int(offset))
	case 0x03, 0x07, 0x23, 0x27: // loads and stores
		if opcode&0x20 != 0 {
			offset = signed(word>>25<<5|rd, 12)
		}
		if ok && rs1 != 0 {
			s.found(Address, at, base+offset)
		}
		if opcode == 0x03 {
			r.kill(rd, at)
		}
	case 0x2f, 0x33, 0x3b, 0x73: // atomics, operations, control registers
		r.kill(rd, at)
	}
}

// riscvJump is a jump that leaves its return address in a register, or in none.
func (s *scan) riscvJump(r *registers, link uint32, at int, target uint64) {
	s.found(Branch, at, target)
	if link != 0 { // compiled code reads no other register that a function may change
		r.kill(10, at)
		r.kill(11, at)
		return
	}
	r.jump(at, int(target-s.addr))
}

// riscvCompressed follows the 16-bit instructions; the names of the registers in
// three bits begin with x8.
func (s *scan) riscvCompressed(r *registers, half uint32, at int) {
	rd, short := half>>7&31, half>>2&7+8
	here := s.addr + uint64(at)
	switch half>>13<<2 | half&3 {
	case 0b000_00, 0b010_10: // c.addi4spn, c.lwsp
		if half&3 == 0 {
			rd = short
		}
		r.kill(rd, at)
	case 0b011_10: // c.ldsp; on RV32 c.flwsp
		if s.Class64 {
			r.kill(rd, at)
		}
	case 0b010_00, 0b110_00, 0b011_00, 0b111_00: // c.lw, c.sw, c.ld, c.sd
		offset := half >> 10 & 7 << 3
		if half>>13&1 == 1 && s.Class64 {
			offset |= half >> 5 & 3 << 6
		} else {
			offset |= half>>6&1<<2 | half>>5&1<<6
		}
		if base, ok := r.known(half>>7&7 + 8); ok {
			s.found(Address, at, base+uint64(offset))
		}
		if half>>15 == 0 && (s.Class64 || half>>13&1 == 0) {
			r.kill(short, at)
		}
	case 0b000_01, 0b001_01: // c.addi, c.addiw; on RV32 c.jal
		if half>>13 == 1 && !s.Class64 {
			s.riscvJump(r, 1, at, here+compressedJump(half))
			break
		}
		base, ok := r.known(rd)
		if !ok || half>>13 == 1 {
			r.kill(rd, at)
			break
		}
		value := base + signed(half>>12&1<<5|half>>2&31, 6)
		s.found(Address, at, value)
		r.set(rd, value, at)
	case 0b010_01, 0b011_01, 0b000_10: // c.li, c.lui, c.slli
		r.kill(rd, at)
	case 0b100_01: // arithmetic
		r.kill(half>>7&7+8, at)
	case 0b101_01: // c.j
		s.riscvJump(r, 0, at, here+compressedJump(half))
	case 0b110_01, 0b111_01: // c.beqz, c.bnez
		offset := signed(half>>12&1<<8|half>>5&3<<6|half>>2&1<<5|half>>10&3<<3|half>>3&3<<1, 9)
		s.found(Branch, at, here+offset)
		r.branch(at, at+int(offset))
	case 0b100_10:
		switch link := half>>12&1 == 1; {
		case half>>2&31 != 0: // c.mv, c.add
			r.kill(rd, at)
		case link: // c.jalr
			r.kill(10, at)
			r.kill(11, at)
		case rd == 1: // c.jr ra
			r.leave(at)
		}
	}
}

// compressedJump is the offset of c.j and c.jal.
func compressedJump(half uint32) uint64 {
	return signed(half>>12&1<<11|half>>8&1<<10|half>>9&3<<8|half>>6&1<<7|
		half>>7&1<<6|half>>2&1<<5|half>>11&1<<4|half>>3&7<<1, 12)
}
