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

// findRelocs returns the longest run of relative relocations.
func (r *raw) findRelocs() (best relocs) {
	if r.WordSize != 8 {
		return relocs{}
	}
	for _, info := range relativeInfos {
		for at := 0; at+relaSize <= len(r.bytes); at += 8 {
			n := 0
			for ; at+(n+1)*relaSize <= len(r.bytes) && r.tokens.uint(at+n*relaSize+8, 8) == info; n++ {
			}
			if n > best.count {
				best = relocs{at, n}
			}
			if n > 1 {
				at += (n - 1) * relaSize
			}
		}
	}
	if best.count < minVotes {
		return relocs{}
	}
	return best
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
