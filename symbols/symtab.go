package symbols

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Symtab is an ELF symbol table as it lies in the file (System V gABI,
// "Symbol Table").
type Symtab struct {
	Rows      []byte // section of type SHT_SYMTAB
	Names     []byte // the string table that its sh_link names
	Class64   bool   // ELFCLASS64
	BigEndian bool   // ELFDATA2MSB

	// Thumb clears bit 0 of function addresses, which on ARM marks Thumb code
	// and is no part of the address (ELF for the Arm Architecture, 5.5.3).
	Thumb bool

	// Sections gives nm's lower-case letter for a symbol in each section.
	Sections []Kind

	// Shndx is the section of type SHT_SYMTAB_SHNDX: the section indices that
	// do not fit into 16 bits. Empty in all but the largest object files.
	Shndx []byte
}

// Sizes of Elf32_Sym and Elf64_Sym.
const (
	sym32Size = 16
	sym64Size = 24
)

// Special section indices, bindings and types (System V gABI).
const (
	shnUndef  = 0
	shnLow    = 0xff00
	shnAbs    = 0xfff1
	shnCommon = 0xfff2
	shnXIndex = 0xffff

	stbLocal  = 0
	stbWeak   = 2
	stbUnique = 10

	sttObject  = 1
	sttFunc    = 2
	sttSection = 3
	sttFile    = 4
	sttIFunc   = 10
)

// FromSymtab returns the table of an ELF file. It keeps the bytes it is given.
func FromSymtab(st Symtab) (*Table, error) {
	if len(st.Rows)%st.rowSize() != 0 {
		return nil, fmt.Errorf("symbol table of %#x bytes: no multiple of the entry size %d", len(st.Rows), st.rowSize())
	}
	if n := len(st.Shndx); n != 0 && n/4 < st.len() {
		return nil, fmt.Errorf("extended section indices: %d bytes for %d symbols", n, st.len())
	}
	return &Table{source: SourceSymtab, rows: &st, text: st.Names}, nil
}

func (st *Symtab) rowSize() int {
	if st.Class64 {
		return sym64Size
	}
	return sym32Size
}

func (st *Symtab) wordSize() int {
	if st.Class64 {
		return 8
	}
	return 4
}

func (st *Symtab) len() int { return len(st.Rows) / st.rowSize() }

func (st *Symtab) addrs(first int, buf []Addr) []Addr {
	raw := st.chunk(first, len(buf))
	buf = buf[:len(raw)/st.rowSize()]
	switch {
	case st.Class64:
		for i := 0; i < len(buf) && len(raw) >= sym64Size; i++ {
			buf[i] = Addr(binary.LittleEndian.Uint64(raw[8:]))
			raw = raw[sym64Size:]
		}
	default:
		for i := 0; i < len(buf) && len(raw) >= sym32Size; i++ {
			buf[i] = Addr(binary.LittleEndian.Uint32(raw[4:]))
			raw = raw[sym32Size:]
		}
	}
	if st.BigEndian {
		shift := 64 - 8*st.wordSize()
		for i, a := range buf {
			buf[i] = Addr(bits.ReverseBytes64(uint64(a)) >> shift)
		}
	}
	if st.Thumb {
		st.clearThumb(first, buf)
	}
	return buf
}

func (st *Symtab) clearThumb(first int, addrs []Addr) {
	for i, a := range addrs {
		if a&1 != 0 {
			addrs[i] = st.row(first + i).Addr
		}
	}
}

func (st *Symtab) names(first int, buf []uint32) []uint32 {
	raw, size := st.chunk(first, len(buf)), st.rowSize()
	buf = buf[:len(raw)/size]
	for i := 0; i < len(buf) && len(raw) >= size; i++ {
		buf[i] = binary.LittleEndian.Uint32(raw)
		raw = raw[size:]
	}
	if st.BigEndian {
		for i, off := range buf {
			buf[i] = bits.ReverseBytes32(off)
		}
	}
	return buf
}

// chunk returns the bytes of at most n rows from first on.
func (st *Symtab) chunk(first, n int) []byte {
	size := st.rowSize()
	return st.Rows[first*size : min((first+n)*size, len(st.Rows))]
}

func (st *Symtab) row(i int) row {
	b := st.chunk(i, 1)
	var r row
	var info byte
	var shndx uint16
	r.name = st.u32(b)
	if st.Class64 {
		info, shndx = b[4], st.u16(b[6:])
		r.Addr, r.Size = Addr(st.u64(b[8:])), st.u64(b[16:])
	} else {
		info, shndx = b[12], st.u16(b[14:])
		r.Addr, r.Size = Addr(st.u32(b[4:])), uint64(st.u32(b[8:]))
	}
	typ := info & 0xf
	if st.Thumb && typ == sttFunc {
		r.Addr &^= 1
	}
	r.Section = st.section(i, shndx)
	r.Kind = st.kind(info, shndx, r.Section)
	r.hidden = r.name == 0 || typ == sttSection || typ == sttFile
	return r
}

// section returns the section header index of row i, 0 if it has none.
func (st *Symtab) section(i int, shndx uint16) int {
	switch {
	case shndx == shnXIndex && len(st.Shndx) > 0:
		return int(st.u32(st.Shndx[i*4:]))
	case shndx < shnLow:
		return int(shndx)
	}
	return 0
}

// kind gives the letter that nm prints (bfd_decode_symclass in binutils).
func (st *Symtab) kind(info byte, shndx uint16, section int) Kind {
	bind, typ := info>>4, info&0xf
	switch {
	case shndx == shnUndef:
		return KindUndefined
	case shndx == shnCommon:
		return 'C'
	case typ == sttIFunc:
		return 'i'
	case bind == stbWeak && typ == sttObject:
		return 'V'
	case bind == stbWeak:
		return 'W'
	case bind == stbUnique:
		return 'u'
	}
	kind := Kind('?')
	switch {
	case shndx == shnAbs:
		kind = 'a'
	case section > 0 && section < len(st.Sections):
		kind = st.Sections[section]
	}
	if bind != stbLocal && kind != '?' {
		kind &^= 0x20 // global: upper case
	}
	return kind
}

func (st *Symtab) u16(b []byte) uint16 {
	if st.BigEndian {
		return bits.ReverseBytes16(binary.LittleEndian.Uint16(b))
	}
	return binary.LittleEndian.Uint16(b)
}

func (st *Symtab) u32(b []byte) uint32 {
	if st.BigEndian {
		return bits.ReverseBytes32(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint32(b)
}

func (st *Symtab) u64(b []byte) uint64 {
	if st.BigEndian {
		return bits.ReverseBytes64(binary.LittleEndian.Uint64(b))
	}
	return binary.LittleEndian.Uint64(b)
}
