package insn

// delayed is what a branch does to the registers: it does so when the
// instruction behind it, in its delay slot, is done.
type delayed struct {
	kind delayedKind
	to   int // offset of the target
}

type delayedKind int

const (
	nothing delayedKind = iota
	conditional
	jump
	call
	leave
)

// mips follows lui (MIPS64 Architecture for Programmers, volume II-A).
func (s *scan) mips() {
	r := newRegisters()
	order := s.order()
	var branch delayed
	for at := int(-s.addr & 3); at+4 <= len(s.code); at += 4 {
		r.arrive(at)
		word, before := order.Uint32(s.code[at:]), branch
		branch = s.mipsBranch(word, at)
		if branch.kind == nothing {
			s.mipsRegisters(r, word, at)
		}
		switch before.kind {
		case conditional:
			r.branch(at, before.to)
		case jump:
			r.jump(at, before.to)
		case call: // compiled code reads no other register that a function may change
			r.kill(2, at)
			r.kill(3, at)
		case leave:
			r.leave(at)
		}
	}
}

func (s *scan) mipsBranch(word uint32, at int) delayed {
	next := s.addr + uint64(at) + 4
	rs, rt := word>>21&31, word>>16&31
	kind := conditional
	switch opcode := word >> 26; {
	case opcode == 2 || opcode == 3: // j, jal
		target := next&^0x0fffffff | uint64(word&0x03ffffff)<<2
		s.found(Branch, at, target)
		if opcode == 3 {
			return delayed{kind: call}
		}
		return delayed{jump, int(target - s.addr)}
	case word&0xfc00003e == 0x00000008: // jr, jalr
		switch {
		case word&1 == 1:
			return delayed{kind: call}
		case rs == 31:
			return delayed{kind: leave}
		}
		return delayed{}
	case opcode == 1 && rt&0x1e == 0x10: // bltzal, bgezal
		kind = call
	case opcode == 1 && rt < 4, opcode&^0x13 == 4: // of registers with each other or with 0
		if opcode == 4 && rs == rt {
			kind = jump
		}
	default:
		return delayed{}
	}
	target := next + 4*signed(word, 16)
	s.found(Branch, at, target)
	return delayed{kind, int(target - s.addr)}
}

// mipsRegisters follows what instructions other than branches write.
func (s *scan) mipsRegisters(r *registers, word uint32, at int) {
	rs, rt, rd := word>>21&31, word>>16&31, word>>11&31
	base, ok := r.known(rs)
	offset := signed(word, 16)
	switch opcode := word >> 26; opcode {
	case 0:
		s.mipsALU(r, word, at)
	case 15: // lui
		r.set(rt, signed(word<<16, 32), at)
	case 9, 13, 25: // addiu, ori, daddiu
		if !ok {
			r.kill(rt, at)
			break
		}
		value := base + offset
		switch opcode {
		case 9:
			value = signed(uint32(value), 32)
		case 13:
			value = base | offset&0xffff
		}
		s.found(Address, at, value)
		r.set(rt, value, at)
	case 8, 10, 11, 12, 14, 24: // other immediate operands
		r.kill(rt, at)
	case 16, 17, 18: // from a coprocessor
		if rs < 4 {
			r.kill(rt, at)
		}
	case 28:
		r.kill(rd, at)
	case 31:
		if word&0x3f == 32 || word&0x3f == 36 { // swaps and sign extensions
			r.kill(rd, at)
		} else {
			r.kill(rt, at)
		}
	default:
		if opcode < 26 || opcode == 50 || opcode == 54 || opcode == 58 || opcode == 59 || opcode == 62 {
			break
		}
		if ok { // loads and stores
			s.found(Address, at, base+offset)
		}
		if opcode < 40 || opcode == 48 || opcode == 52 || opcode == 55 || opcode == 56 || opcode == 60 {
			r.kill(rt, at) // loads, and the outcome of conditional stores
		}
	}
}

// mipsALU follows the steps of a 64-bit address: shifts by 16 or 32 and sums.
func (s *scan) mipsALU(r *registers, word uint32, at int) {
	rs, rt, rd := word>>21&31, word>>16&31, word>>11&31
	left, leftOK := r.known(rs)
	right, rightOK := r.known(rt)
	shift := word >> 6 & 31
	switch function := word & 0x3f; {
	case function == 56 && rightOK: // dsll
		r.set(rd, right<<shift, at)
	case function == 60 && rightOK: // dsll32
		r.set(rd, right<<(shift+32), at)
	case function == 45 && leftOK && rightOK: // daddu
		s.found(Address, at, left+right)
		r.set(rd, left+right, at)
	case function == 17 || function == 19 || function&^0x07 == 24: // to hi and lo
	default:
		r.kill(rd, at)
	}
}
