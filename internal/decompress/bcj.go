package decompress

import "encoding/binary"

// The branch filters of XZ (xz-file-format.txt, section 5.3.2; the kernel's
// lib/xz/xz_dec_bcj.c, v6.12). A filter made the targets of branches absolute
// before compression, so that calls of one function look alike; here they
// become relative again. Each works on a whole block in place; pos is the
// address of its first byte.
type branchFilter func(b []byte, pos uint32)

// branchFilters by filter id. IA-64's (6) is left out: no kernel is built for
// it with XZ (scripts/xz_wrap.sh).
var branchFilters = map[uint64]branchFilter{
	0x04: x86Branches,
	0x05: powerpcBranches,
	0x07: armBranches,
	0x08: thumbBranches,
	0x09: sparcBranches,
	0x0a: arm64Branches,
	0x0b: riscvBranches,
}

var le, be = binary.LittleEndian, binary.BigEndian

func powerpcBranches(b []byte, pos uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		if insn := be.Uint32(b[i:]); insn&0xfc000003 == 0x48000001 { // bl
			be.PutUint32(b[i:], 0x48000001|(insn&0x03fffffc-pos-uint32(i))&0x03fffffc)
		}
	}
}

func armBranches(b []byte, pos uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		if insn := le.Uint32(b[i:]); insn>>24 == 0xeb { // bl
			target := (insn<<2 - (pos + uint32(i) + 8)) >> 2
			le.PutUint32(b[i:], 0xeb000000|target&0x00ffffff)
		}
	}
}

func thumbBranches(b []byte, pos uint32) {
	for i := 0; i+4 <= len(b); i += 2 {
		high, low := uint32(le.Uint16(b[i:])), uint32(le.Uint16(b[i+2:]))
		if high>>11 != 0x1e || low>>11 != 0x1f { // the two halves of bl
			continue
		}
		target := (high&0x7ff<<11 | low&0x7ff) << 1
		target = (target - (pos + uint32(i) + 4)) >> 1
		le.PutUint16(b[i:], uint16(0xf000|target>>11&0x7ff))
		le.PutUint16(b[i+2:], uint16(0xf800|target&0x7ff))
		i += 2
	}
}

func sparcBranches(b []byte, pos uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		insn := be.Uint32(b[i:])
		if top := insn >> 22; top != 0x100 && top != 0x1ff { // call
			continue
		}
		insn = (insn<<2 - (pos + uint32(i))) >> 2
		insn = (0x40000000 - insn&0x400000) | 0x40000000 | insn&0x3fffff
		be.PutUint32(b[i:], insn)
	}
}

func arm64Branches(b []byte, pos uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		insn, at := le.Uint32(b[i:]), pos+uint32(i)
		switch {
		case insn>>26 == 0x25: // bl
			le.PutUint32(b[i:], 0x94000000|(insn-at>>2)&0x03ffffff)
		case insn&0x9f000000 == 0x90000000: // adrp
			page := insn>>29&3 | insn>>3&0x1ffffc
			if (page+0x020000)&0x1c0000 != 0 { // farther than 512 MiB
				continue
			}
			page -= at >> 12
			le.PutUint32(b[i:], insn&0x9000001f|page&3<<29|page&0x03fffc<<3|-(page&0x020000)&0xe00000)
		}
	}
}

func riscvBranches(b []byte, pos uint32) {
	for i := 0; i+8 <= len(b); {
		at := pos + uint32(i)
		switch op := b[i]; {
		case op == 0xef && b[i+1]&0x0d == 0: // jal to ra or t0
			riscvJAL(b[i:], at)
			i += 4
		case op&0x7f == 0x17: // auipc
			i += riscvAUIPC(b[i:], at)
		default:
			i += 2
		}
	}
}

// riscvJAL turns the big-endian target that the filter wrote into the
// scattered bits of the instruction.
func riscvJAL(b []byte, at uint32) {
	b1, b2, b3 := uint32(b[1]), uint32(b[2]), uint32(b[3])
	target := b1&0xf0<<13 | b2<<9 | b3<<1
	target -= at
	b[1] = byte(b1&0x0f | target>>8&0xf0)
	b[2] = byte(target>>16&0x0f | target>>7&0x10 | target<<4&0xe0)
	b[3] = byte(target>>4&0x7f | target>>13&0x80)
}

// riscvAUIPC undoes a pair of auipc and another instruction on its result, and
// returns how many bytes are done. The filter marked a pair that it converted
// by the register x2, and swapped the parts of pairs that have x0 or x2 of
// their own.
func riscvAUIPC(b []byte, at uint32) int {
	first, second := le.Uint32(b), le.Uint32(b[4:])
	if first&0xe80 != 0 { // neither x0 nor x2
		if (first<<8^(second-3))&0xf8003 != 0 {
			return 6
		}
		le.PutUint32(b, 0x17|2<<7|second<<12)
		le.PutUint32(b[4:], first&0xfffff000+second>>20)
		return 8
	}
	register := first >> 27
	if (first-0x3117)<<18 >= register&0x1d {
		return 4
	}
	target := be.Uint32(b[4:]) - at
	le.PutUint32(b, 0x17|register<<7|(target+0x800)&0xfffff000)
	le.PutUint32(b[4:], first>>12|target<<20)
	return 8
}
