package symbols

// Span is a part of a raw image: an offset and a size in bytes.
type Span struct{ Offset, Size int }

// Types of relocation that are for a symbol: the value is the symbol's and the
// addend.
const (
	symbolicS390    = 22 // R_390_64
	globalS390      = 10
	symbolicAArch64 = 257 // R_AARCH64_ABS64
	globalAArch64   = 1025
	symbolicRISCV   = 2 // R_RISCV_64
	symbolicPPC64   = 38
)

// dynamicTables finds out how far the table of relocations reaches, of which the
// relative ones, which linkers put first, are known; and where the table of
// symbols lies that the others are for, which is just before it.
func (r *raw) dynamicTables(s relocs, base Addr) (table, dynsym Span) {
	if s.count == 0 {
		return Span{}, Span{}
	}
	end := s.at
	for ; end+relaSize <= len(r.bytes); end += relaSize {
		place := Addr(r.tokens.uint(end, 8))
		info := r.tokens.uint(end+8, 8)
		if uint64(place-base) > uint64(len(r.bytes)) && info != 0 || !isRelocation(info) {
			break
		}
	}
	return Span{s.at, end - s.at}, r.dynamicSymbols(s.at)
}

func isRelocation(info uint64) bool {
	for _, relative := range relativeInfos {
		if info == relative {
			return true
		}
	}
	switch info & 0xffffffff {
	case 0, symbolicS390, globalS390, symbolicAArch64, globalAArch64, symbolicRISCV, symbolicPPC64:
		return true
	}
	return false
}

// dynamicSymbols finds the table of Elf64_Sym that ends at an offset. It begins
// with a symbol that is all zero.
func (r *raw) dynamicSymbols(end int) Span {
	const size = 24
	for at := end - size; at >= 0; at -= size {
		name, info, value := r.tokens.uint(at, 4), r.bytes[at+4], r.tokens.uint(at+8, 8)
		if name == 0 && info == 0 && value == 0 && r.tokens.uint(at+16, 8) == 0 {
			return Span{at, end - at}
		}
		if bind, typ := info>>4, info&15; bind > 2 || typ > 6 || r.bytes[at+5] > 3 || name > uint64(len(r.bytes)) {
			return Span{}
		}
	}
	return Span{}
}
