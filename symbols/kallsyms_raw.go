package symbols

import (
	"bytes"
	"errors"
	"fmt"
)

// A raw image, as `objcopy -O binary` makes it and as boot loaders load it, does
// not say at which address its first byte lies. Four things tell it:
//
//   - exports: an entry of __ksymtab has a symbol's address and its name. The
//     address is in kallsyms; where the string is in the file can be seen;
//   - relocations: one of them is for kallsyms' relative_base, and the places of
//     all hold zero, or the value that the relocation will write there;
//   - the symbols of kallsyms' own arrays, in kernels with CONFIG_KALLSYMS_ALL
//     from 6.4 on;
//   - linux_banner, in kernels with CONFIG_KALLSYMS_ALL, is where the image has
//     the text "Linux version".
//
// Those that an image has must agree, and one of the first three must be there.
// In kernels whose addresses count from a base that is filled in by a
// relocation, or from their own places, the relocations come first: they hold
// addresses of functions, which are the distances between kallsyms' own apart.

// Placement is where a raw image lies in memory.
type Placement struct {
	Base   Addr     // the address of its first byte
	Proofs []string // what says so, for people

	// Relocations is the table of relocations (Elf64_Rela) in the image, and
	// DynamicSymbols that of the symbols that they are for; empty if there is
	// none.
	Relocations    Span
	DynamicSymbols Span
}

// ErrNoPlacement is returned for a raw image that has a symbol table, but
// nothing that tells at which address it lies.
var ErrNoPlacement = errors.New("nothing tells at which address the raw image begins")

// pageSize divides the address of every image and of every relative base.
const pageSize = 4096

// raw is a raw image whose place is being looked for.
type raw struct {
	*Kallsyms
	bytes  []byte
	addr   []Addr // of the symbols
	text   []int  // the symbols that are code, in order of address
	tokens *tokens
}

// placeRaw finds out where a raw image lies, and gives its symbols their
// addresses if those could not be read.
func (k *Kallsyms) placeRaw(t *tokens) error {
	c := k.rows.(*columns)
	r := &raw{Kallsyms: k, bytes: t.piece.Bytes, addr: c.addr, tokens: t}
	for i, kind := range c.kinds {
		if kind|0x20 == 't' {
			r.text = append(r.text, i)
		}
	}
	if len(r.text) == 0 {
		return errors.New("no symbol of code")
	}
	relocs := r.findRelocs()
	floating := k.Mode == AddressPlace || k.Mode != AddressAbsolute && k.RelativeBase == 0
	if floating {
		shift, ok := r.shiftFromRelocs(relocs)
		if !ok || k.Mode == AddressPercpu { // x86, where linkers fill in the base
			return ErrUnrelocated
		}
		for i := range r.addr {
			r.addr[i] += shift
		}
		if k.Mode != AddressPlace {
			k.RelativeBase = shift
		}
	}
	return r.prove(relocs)
}

// prove sets the image's base to what everything says that tells it.
func (r *raw) prove(relocs relocs) error {
	var votes []vote
	strong := false
	exports := r.relativeExports()
	if exports.count == 0 {
		exports = r.pointerExports()
	}
	for _, v := range []vote{exports, r.own(), r.slot(relocs), r.banner()} {
		if v.count > 0 {
			votes = append(votes, v)
			strong = strong || v.strong
		}
	}
	if len(votes) == 0 {
		return ErrNoPlacement
	}
	base := votes[0].base
	for _, v := range votes[1:] {
		if v.base != base {
			return fmt.Errorf("%w: %s says %#x, %s says %#x", ErrNoPlacement, votes[0].what, base, v.what, v.base)
		}
	}
	if n, all := relocs.agree(r, base); all > 0 {
		if n < all-all/maxOutside {
			return fmt.Errorf("%w: %s says %#x, but of %d relocations %d fit", ErrNoPlacement, votes[0].what, base, all, n)
		}
		votes = append(votes, vote{base, n, true, fmt.Sprintf("the places of %d relocations", n)})
		strong = true
	}
	if !strong {
		return fmt.Errorf("%w: only %s does, which is not enough", ErrNoPlacement, votes[0].what)
	}
	low, high := r.addr[r.text[0]], r.addr[r.text[len(r.text)-1]]
	if base%pageSize != 0 || low < base || uint64(high-base) > uint64(len(r.bytes)) {
		return fmt.Errorf("%w: %s says %#x, which does not hold the code from %#x to %#x", ErrNoPlacement, votes[0].what, base, low, high)
	}
	r.Placement.Base = base
	r.Placement.Relocations, r.Placement.DynamicSymbols = r.dynamicTables(relocs, base)
	for _, v := range votes {
		r.Placement.Proofs = append(r.Placement.Proofs, v.what)
	}
	return nil
}

// vote is what one source says of the image's base.
type vote struct {
	base   Addr
	count  int // how often; 0 says nothing
	strong bool
	what   string
}

// winner returns the base that most of the counts are for. There must be some,
// and no other with half as many.
func winner(counts map[Addr]int) (base Addr, count int) {
	second := 0
	for b, n := range counts {
		switch {
		case n > count:
			base, count, second = b, n, count
		case n > second:
			second = n
		}
	}
	if count < minVotes || second > count/2 {
		return 0, 0
	}
	return base, count
}

// minVotes is how many symbols must agree. A kernel exports thousands.
const minVotes = 16

// own looks for the symbols of the table's own arrays.
func (r *raw) own() vote {
	base, n, err := r.tokens.ownSymbols(r.Table, r.arrays)
	if err != nil || n == 0 {
		return vote{}
	}
	return vote{base, n, true, fmt.Sprintf("the symbols of %d arrays of kallsyms", n)}
}

// banner looks for linux_banner.
func (r *raw) banner() vote {
	syms, err := r.Named("linux_banner")
	if err != nil || len(syms["linux_banner"]) != 1 {
		return vote{}
	}
	addr := syms["linux_banner"][0].Addr
	want := []byte(bannerStart)
	var bases []Addr
	for at := 0; ; at++ {
		next := bytes.Index(r.bytes[at:], want)
		if next < 0 {
			break
		}
		at += next
		if base := addr - Addr(at); base%pageSize == 0 {
			bases = append(bases, base)
		}
	}
	if len(bases) != 1 {
		return vote{}
	}
	return vote{bases[0], 1, false, "linux_banner"}
}
