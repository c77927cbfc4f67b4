package symbols

import (
	"bytes"
	"fmt"
	"slices"
)

// nameAt reports whether the image has, at an offset, the name of one of the
// symbols at an address, whole.
func (r *raw) nameAt(off int, addr Addr) bool {
	if off < 1 || off >= len(r.bytes) || r.bytes[off-1] != 0 || r.bytes[off] == 0 {
		return false
	}
	names := r.rows.(*columns).name
	for i, _ := slices.BinarySearch(r.addr[r.text[0]:], addr); r.text[0]+i < len(r.addr); i++ {
		at := r.text[0] + i
		if r.addr[at] != addr {
			return false
		}
		name := cString(r.Table.text[names[at]:])
		if rest := r.bytes[off:]; len(rest) > len(name) && rest[len(name)] == 0 && bytes.HasPrefix(rest, name) {
			return true
		}
	}
	return false
}

// relativeExports reads entries of __ksymtab that hold distances from
// themselves to the symbol and to its name (struct kernel_symbol with
// CONFIG_HAVE_ARCH_PREL32_RELOCATIONS, from 4.19 on: x86, arm64).
func (r *raw) relativeExports() vote {
	addrs := r.textByName()
	counts := map[Addr]int{}
	distance := func(at int) int { return at + int(int32(r.tokens.order.Uint32(r.bytes[at:]))) }
	for at := 0; at+8 <= len(r.bytes); at += 4 {
		name := distance(at + 4)
		if name < 1 || name >= len(r.bytes) || r.bytes[name-1] != 0 || r.bytes[name] == 0 {
			continue
		}
		symbol := distance(at)
		if symbol < 0 || symbol >= len(r.bytes) {
			continue
		}
		if addr, ok := addrs[string(cString(r.bytes[name:min(name+maxToken, len(r.bytes))]))]; ok {
			if base := (addr - Addr(symbol)) & wordMask(r.WordSize); base%pageSize == 0 {
				counts[base]++
			}
		}
	}
	base, n := winner(counts)
	return vote{base, n, true, fmt.Sprintf("the entries of %d exported symbols", n)}
}

// textByName gives the addresses of the symbols that are code and alone have
// their name.
func (r *raw) textByName() map[string]Addr {
	names := r.rows.(*columns).name
	addrs, twice := make(map[string]Addr, len(r.text)), map[string]bool{}
	for _, i := range r.text {
		name := string(cString(r.Table.text[names[i]:]))
		if _, ok := addrs[name]; ok {
			twice[name] = true
		}
		addrs[name] = r.addr[i]
	}
	for name := range twice {
		delete(addrs, name)
	}
	return addrs
}

// pair is the address of a function and the word behind it in the image, which
// in __ksymtab is that of the function's name.
type pair struct{ function, name Addr }

// maxPairs is how many of the pairs decide about the base.
const maxPairs = 4096

// pointerExports reads entries of __ksymtab that hold addresses. It tries every
// page that the image can begin with.
func (r *raw) pointerExports() vote {
	pairs := r.pairs()
	if step := len(pairs) / maxPairs; step > 1 {
		for i := range maxPairs {
			pairs[i] = pairs[i*step]
		}
		pairs = pairs[:maxPairs]
	}
	low, high := r.addr[r.text[0]], r.addr[r.text[len(r.text)-1]]
	counts := map[Addr]int{}
	for back := low % pageSize; ; back += pageSize {
		base := low - back
		if back > low || uint64(high-base) > uint64(len(r.bytes)) {
			break
		}
		for _, p := range pairs {
			if off := p.name - base; uint64(off) < uint64(len(r.bytes)) && r.nameAt(int(off), p.function) {
				counts[base]++
			}
		}
	}
	base, n := winner(counts)
	return vote{base, n, true, fmt.Sprintf("the entries of %d exported symbols", n)}
}

// pairs returns the words of the image that are addresses of functions, each
// with the next word.
func (r *raw) pairs() (found []pair) {
	low, high := r.addr[r.text[0]], r.addr[r.text[len(r.text)-1]]
	word := r.WordSize
	size := Addr(len(r.bytes))
	functions := r.functionSet()
	for at := 0; at+2*word <= len(r.bytes); at += word {
		v := Addr(r.tokens.uint(at, word))
		if v < low || v > high {
			continue
		}
		name := Addr(r.tokens.uint(at+word, word))
		if name+size < low || name > high+size {
			continue
		}
		if word == 4 && !functions.has(v) {
			v &^= 1 // Thumb
		}
		if functions.has(v) {
			found = append(found, pair{v, name})
		}
	}
	return found
}
