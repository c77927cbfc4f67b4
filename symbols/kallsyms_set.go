package symbols

// addrSet is a set of addresses that lie not far from each other: a bit for
// each from the lowest to the highest.
type addrSet struct {
	low  Addr
	bits []uint64
}

// maxSetSpan bounds how far apart the addresses may be. The code of the largest
// kernels spans some 50 MB.
const maxSetSpan = 1 << 30

// functionSet returns the addresses of the symbols that are code, of those that
// lie less than maxSetSpan behind the first.
func (r *raw) functionSet() addrSet {
	s := addrSet{low: r.addr[r.text[0]]}
	high := r.addr[r.text[len(r.text)-1]]
	s.bits = make([]uint64, min(uint64(high-s.low), maxSetSpan-1)/64+1)
	for _, i := range r.text {
		if d := uint64(r.addr[i] - s.low); d/64 < uint64(len(s.bits)) {
			s.bits[d/64] |= 1 << (d % 64)
		}
	}
	return s
}

func (s *addrSet) has(a Addr) bool {
	d := uint64(a - s.low)
	return d/64 < uint64(len(s.bits)) && s.bits[d/64]>>(d%64)&1 != 0
}
