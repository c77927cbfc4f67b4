package symbols

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A kernel built with CONFIG_KALLSYMS carries its own symbol table, which
// scripts/kallsyms.c writes as arrays of read-only data, in one of these orders:
//
//	2.6.11–4.5   addresses, num_syms, names, markers, token_table, token_index
//	4.6–6.1      the same, or with offsets, relative_base in place of addresses
//	6.2–6.3      the same with seqs_of_names before token_table; also in 6.1.y
//	6.4–6.19     num_syms, names, markers, token_table, token_index,
//	             offsets (or addresses), relative_base, seqs_of_names
//	7.0          the same without relative_base
//
// names holds for each symbol a length and so many bytes. Each of the bytes
// stands for one of 256 strings, the tokens, which lie NUL-ended in
// token_table; token_index has where each begins. Put together they are the
// type letter of nm and the name. From 6.1 on a length of 128 or more takes two
// bytes. markers has the place in names of every 256th symbol; seqs_of_names
// has the order of the symbols by name, three bytes each.
//
// Nothing in the image says where the arrays are. But every kernel has names
// with every digit in them, and a character that occurs is its own token. So
// the token table is found by the ten strings "0" to "9", and recognised by
// the index that says the same; all else is found from there, and proved.

// AddressMode is how a kernel's own symbol table holds addresses.
type AddressMode string

// The address modes.
const (
	// AddressAbsolute: addresses as they are, in native words (kallsyms_addresses,
	// until 6.10), or in 32 bits (from 7.0 on, a 32-bit kernel that does not move).
	AddressAbsolute AddressMode = "absolute"

	// AddressRelative: unsigned distances from kallsyms_relative_base (from 4.6 to 6.19).
	AddressRelative AddressMode = "base-relative"

	// AddressPercpu: as AddressRelative, but a distance d is held as -1-d, and a
	// value that is not negative is the address of a per-CPU symbol
	// (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, from 4.6 to 6.14).
	AddressPercpu AddressMode = "percpu-absolute"

	// AddressPlace: signed distances from where each of them lies (from 7.0 on).
	AddressPlace AddressMode = "place-relative"
)

// Errors that a caller may want to answer with advice.
var (
	// ErrNoKallsyms is returned for a kernel that was built without
	// CONFIG_KALLSYMS, and for anything that is no kernel at all.
	ErrNoKallsyms = errors.New("no kallsyms: the image has no symbol table of its own (CONFIG_KALLSYMS)")

	// ErrUnrelocated is returned if the addresses, or that which all others
	// count from, are zero: words that only relocations fill in.
	ErrUnrelocated = errors.New("its addresses are zero: they are filled in by relocations that the file does not have")
)

// Piece is a part of a kernel's memory whose bytes are known: a section or a
// segment of an ELF file, or all of a raw image.
type Piece struct {
	Addr  Addr
	Bytes []byte
}

// Kernel is where [FindKallsyms] looks.
type Kernel struct {
	Pieces []Piece

	// WordSize is the size of an address in bytes, 4 or 8, or 0 if it is not
	// known. Order is nil if the byte order is not known.
	WordSize int
	Order    binary.ByteOrder

	// Raw says that there is one piece, and that its address is not known.
	// Kallsyms.Placement then tells it.
	Raw bool

	// Read returns n bytes from an address on as they are after relocation. It
	// may be nil where relocations change nothing. It is not called for a raw
	// image.
	Read func(from Addr, n int) ([]byte, error)
}

// Kallsyms is a kernel's own symbol table.
type Kallsyms struct {
	*Table
	WordSize  int // of an address, in bytes
	BigEndian bool
	Mode      AddressMode

	// RelativeBase is what the addresses count from, 0 in other modes than
	// AddressRelative and AddressPercpu.
	RelativeBase Addr

	// Placement tells where a raw image lies. It is empty for other images.
	Placement Placement

	arrays arrays
}

// maxKallsyms bounds the number of symbols: seqs_of_names counts in 24 bits,
// and the largest kernels have some 10⁶.
const maxKallsyms = 1 << 22

// Bounds of what is searched: a kernel has one table, and what a boot loader
// loads has less than 100 MB.
const (
	maxTables = 16
	maxRaw    = 1 << 28
)

// FindKallsyms finds a kernel's own symbol table in its bytes, without any
// symbol, and decodes it. The table proves itself: the names end where they
// have to and agree with the markers, the list of names in order is one, the
// addresses ascend, and what every kernel has is there. One that does not is
// refused with an error that is not [ErrNoKallsyms]; so are two that do.
func FindKallsyms(k Kernel) (*Kallsyms, error) {
	var found *Kallsyms
	var refused error
	steps := 0
	for _, p := range k.Pieces {
		if k.Raw && len(p.Bytes) > maxRaw {
			return nil, fmt.Errorf("%d bytes: too large for a raw kernel", len(p.Bytes))
		}
		tables := findTokens(&k, p)
		if len(tables) > maxTables {
			return nil, fmt.Errorf("kallsyms: more than %d token tables", maxTables)
		}
		for _, t := range tables {
			t.steps = &steps
			got, err := t.decode()
			if err == nil && k.Raw {
				err = got.placeRaw(t)
			}
			switch {
			case err != nil && refused == nil:
				refused = err
			case err == nil && found != nil:
				return nil, fmt.Errorf("kallsyms: two symbol tables in one image, at %#x and at %#x", found.arrays.names, got.arrays.names)
			case err == nil:
				found = got
			}
		}
	}
	switch {
	case found != nil:
		return found, nil
	case refused != nil:
		return nil, fmt.Errorf("kallsyms: %w", refused)
	}
	return nil, ErrNoKallsyms
}
