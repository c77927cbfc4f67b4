package symbols

// relocs is a table of relocations in a raw image: .rela.dyn, which kernels of
// 64 bits that can move carry. Its records are r_offset, r_info and r_addend.
type relocs struct {
	at, count int // of the records that are relative
}

const relaSize = 24

// relativeInfos are the r_info of relative relocations: the value is the addend.
var relativeInfos = []uint64{
	3,     // R_RISCV_RELATIVE
	12,    // R_390_RELATIVE
	22,    // R_PPC64_RELATIVE
	0x403, // R_AARCH64_RELATIVE
}

// minRelocs is how long a run must be. Kernels have 10⁵ relocations; other
// tables with elements of this size can have one of these numbers in each, too.
const minRelocs = 64

// findRelocs returns the longest run of relative relocations. Linkers sort them
// by their places.
func (r *raw) findRelocs() (best relocs) {
	if r.WordSize != 8 {
		return relocs{}
	}
	for _, info := range relativeInfos {
		for at := 0; at+relaSize <= len(r.bytes); at += 8 {
			n := r.countRelocs(at, info)
			if n > best.count {
				best = relocs{at, n}
			}
			if n > 1 {
				at += (n - 1) * relaSize
			}
		}
	}
	if best.count < minRelocs {
		return relocs{}
	}
	return best
}

// countRelocs counts the relocations of one type that follow each other at an
// offset, with places that ascend.
func (r *raw) countRelocs(at int, info uint64) (n int) {
	last := uint64(0)
	for ; at+relaSize <= len(r.bytes) && r.tokens.uint(at+8, 8) == info; at += relaSize {
		place := r.tokens.uint(at, 8)
		if place <= last {
			break
		}
		last = place
		n++
	}
	return n
}

// reloc returns the place and the value of relocation i.
func (s relocs) reloc(r *raw, i int) (place, value Addr) {
	at := s.at + i*relaSize
	return Addr(r.tokens.uint(at, 8)), Addr(r.tokens.uint(at+16, 8))
}

// agree counts the relocations whose places, in an image with this base, hold
// zero or what will be there.
func (s relocs) agree(r *raw, base Addr) (n, all int) {
	for i := range s.count {
		place, value := s.reloc(r, i)
		off := place - base
		if uint64(off) > uint64(len(r.bytes)-8) {
			continue
		}
		if held := Addr(r.tokens.uint(int(off), 8)); held == 0 || held == value {
			n++
		}
	}
	return n, s.count
}

// maxSlots bounds how many relocations are tried that write the value of
// relative_base, which is that of _text or _stext.
const maxSlots = 32

// slot looks for the relocation that is for relative_base. With the base that it
// tells all relocations must fit.
func (r *raw) slot(s relocs) vote {
	var bases []Addr
	tried := 0
	for i := 0; i < s.count && r.arrays.base >= 0 && tried < maxSlots; i++ {
		place, value := s.reloc(r, i)
		base := place - Addr(r.arrays.base)
		if value != r.RelativeBase || base%pageSize != 0 {
			continue
		}
		tried++
		if n, all := s.agree(r, base); n >= all-all/maxOutside {
			bases = append(bases, base)
		}
	}
	if len(bases) != 1 {
		return vote{}
	}
	return vote{bases[0], 1, true, "the relocation of relative_base"}
}

// Samples of the relocations: with a few, every distance from every symbol is
// tried; the more decide.
const (
	fewRelocs  = 64
	moreRelocs = 2048
)

// shiftFromRelocs finds how far the symbols' addresses, which begin at 0, have
// to be moved up so that relocations hold addresses of functions.
func (r *raw) shiftFromRelocs(s relocs) (shift Addr, ok bool) {
	functions := r.functionSet()
	counts := map[Addr]int{}
	for i := 0; i < s.count; i += max(1, s.count/fewRelocs) {
		_, value := s.reloc(r, i)
		for _, f := range r.text {
			if by := value - r.addr[f]; by%pageSize == 0 {
				counts[by] = 0
			}
		}
	}
	var values []Addr
	for i := 0; i < s.count; i += max(1, s.count/moreRelocs) {
		_, value := s.reloc(r, i)
		values = append(values, value)
	}
	for by := range counts {
		for _, value := range values {
			if functions.has(value - by) {
				counts[by]++
			}
		}
	}
	shift, n := winner(counts)
	return shift, n > 0
}
