package safeelf

import (
	"debug/elf"
	"fmt"
)

// RelocKind is what a relocation does, whatever the machine calls it.
type RelocKind int

// Kinds of relocations that may lie in a table of pointers or offsets.
const (
	RelocUnknown  RelocKind = iota
	RelocNone               // nothing
	RelocRelative           // addend, plus the distance between link and load address
	RelocAbs                // symbol + addend
	RelocPC                 // symbol + addend - place
)

// Reloc is one relocation.
type Reloc struct {
	Off    uint64 // address, or in an object file offset in the section
	Kind   RelocKind
	Type   uint32 // the machine's number
	Size   int    // bytes that it writes
	Sym    uint32 // index in the symbol table; 0 is none
	Addend int64  // see InPlace

	// InPlace means that the addend is what the place itself holds
	// (SHT_REL and SHT_RELR).
	InPlace bool
}

type relocClass struct {
	kind RelocKind
	size int // 0: a word of the file's class
}

// relocClasses gives the meaning of the types that kernels use for pointers
// and offsets, from each machine's psABI. A type that is missing is unknown:
// it may lie anywhere but in a table.
var relocClasses = map[elf.Machine]map[uint32]relocClass{
	elf.EM_X86_64: {
		uint32(elf.R_X86_64_RELATIVE): {RelocRelative, 8},
		uint32(elf.R_X86_64_64):       {RelocAbs, 8},
		uint32(elf.R_X86_64_GLOB_DAT): {RelocAbs, 8},
		uint32(elf.R_X86_64_JMP_SLOT): {RelocAbs, 8},
		uint32(elf.R_X86_64_32):       {RelocAbs, 4},
		uint32(elf.R_X86_64_32S):      {RelocAbs, 4},
		uint32(elf.R_X86_64_PC32):     {RelocPC, 4},
		uint32(elf.R_X86_64_PLT32):    {RelocPC, 4},
	},
	elf.EM_386: {
		uint32(elf.R_386_RELATIVE): {RelocRelative, 4},
		uint32(elf.R_386_32):       {RelocAbs, 4},
		uint32(elf.R_386_PC32):     {RelocPC, 4},
		uint32(elf.R_386_PLT32):    {RelocPC, 4},
	},
	elf.EM_AARCH64: {
		uint32(elf.R_AARCH64_RELATIVE):  {RelocRelative, 8},
		uint32(elf.R_AARCH64_ABS64):     {RelocAbs, 8},
		uint32(elf.R_AARCH64_GLOB_DAT):  {RelocAbs, 8},
		uint32(elf.R_AARCH64_JUMP_SLOT): {RelocAbs, 8},
		uint32(elf.R_AARCH64_ABS32):     {RelocAbs, 4},
		uint32(elf.R_AARCH64_PREL32):    {RelocPC, 4},
		314:                             {RelocPC, 4}, // R_AARCH64_PLT32
	},
	elf.EM_ARM: {
		uint32(elf.R_ARM_RELATIVE): {RelocRelative, 4},
		uint32(elf.R_ARM_ABS32):    {RelocAbs, 4},
		38:                         {RelocAbs, 4}, // R_ARM_TARGET1, absolute in the kernel
		uint32(elf.R_ARM_REL32):    {RelocPC, 4},
	},
	elf.EM_PPC64: {
		uint32(elf.R_PPC64_RELATIVE): {RelocRelative, 8},
		uint32(elf.R_PPC64_ADDR64):   {RelocAbs, 8},
		uint32(elf.R_PPC64_GLOB_DAT): {RelocAbs, 8},
		43:                           {RelocAbs, 8}, // R_PPC64_UADDR64
		uint32(elf.R_PPC64_ADDR32):   {RelocAbs, 4},
		uint32(elf.R_PPC64_REL32):    {RelocPC, 4},
	},
	elf.EM_PPC: {
		22: {RelocRelative, 4}, // R_PPC_RELATIVE
		1:  {RelocAbs, 4},      // R_PPC_ADDR32
		24: {RelocAbs, 4},      // R_PPC_UADDR32
		26: {RelocPC, 4},       // R_PPC_REL32
	},
	elf.EM_S390: {
		uint32(elf.R_390_RELATIVE): {RelocRelative, 0},
		uint32(elf.R_390_64):       {RelocAbs, 8},
		uint32(elf.R_390_32):       {RelocAbs, 4},
		uint32(elf.R_390_PC32):     {RelocPC, 4},
		uint32(elf.R_390_GLOB_DAT): {RelocAbs, 0},
		uint32(elf.R_390_JMP_SLOT): {RelocAbs, 0},
	},
	elf.EM_RISCV: {
		uint32(elf.R_RISCV_RELATIVE):  {RelocRelative, 0},
		uint32(elf.R_RISCV_64):        {RelocAbs, 8},
		uint32(elf.R_RISCV_JUMP_SLOT): {RelocAbs, 0},
		uint32(elf.R_RISCV_32):        {RelocAbs, 4},
		57:                            {RelocPC, 4}, // R_RISCV_32_PCREL
	},
	elf.EM_LOONGARCH: {
		uint32(elf.R_LARCH_RELATIVE): {RelocRelative, 0},
		uint32(elf.R_LARCH_64):       {RelocAbs, 8},
		uint32(elf.R_LARCH_32):       {RelocAbs, 4},
		99:                           {RelocPC, 4}, // R_LARCH_32_PCREL
	},
	elf.EM_MIPS: {
		uint32(elf.R_MIPS_32):    {RelocAbs, 4},
		uint32(elf.R_MIPS_64):    {RelocAbs, 8},
		uint32(elf.R_MIPS_REL32): {RelocRelative, 0},
		248:                      {RelocPC, 4}, // R_MIPS_PC32
	},
	elf.EM_PARISC: {
		1:  {RelocAbs, 4}, // R_PARISC_DIR32
		80: {RelocAbs, 8}, // R_PARISC_DIR64
		64: {RelocAbs, 8}, // R_PARISC_FPTR64: the function's descriptor
	},
	elf.EM_IA_64: {
		0x27: {RelocAbs, 8}, // R_IA64_DIR64LSB
		0x47: {RelocAbs, 8}, // R_IA64_FPTR64LSB: the function's descriptor
		0x6f: {RelocRelative, 8},
	},
	elf.EM_SPARCV9: {
		uint32(elf.R_SPARC_RELATIVE): {RelocRelative, 8},
		uint32(elf.R_SPARC_64):       {RelocAbs, 8},
		uint32(elf.R_SPARC_UA64):     {RelocAbs, 8},
		uint32(elf.R_SPARC_32):       {RelocAbs, 4},
	},
	elf.EM_SPARC: {
		uint32(elf.R_SPARC_32):   {RelocAbs, 4},
		uint32(elf.R_SPARC_UA32): {RelocAbs, 4},
	},
	elf.EM_68K:   {1: {RelocAbs, 4}, 4: {RelocPC, 4}, 22: {RelocRelative, 4}},
	elf.EM_SH:    {1: {RelocAbs, 4}, 2: {RelocPC, 4}, 165: {RelocRelative, 4}},
	elf.EM_ALPHA: {2: {RelocAbs, 8}, 10: {RelocPC, 4}, 27: {RelocRelative, 8}},
}

// classify fills in what the machine's relocation type means.
func (f *File) classify(r *Reloc) {
	if r.Type == 0 {
		r.Kind = RelocNone
		return
	}
	class, ok := relocClasses[f.Machine][r.Type]
	if !ok {
		return
	}
	r.Kind, r.Size = class.kind, class.size
	if r.Size == 0 {
		r.Size = f.WordSize()
	}
}

// IsReloc reports whether a section holds relocations that Relocs reads.
func (s Section) IsReloc() bool {
	return s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA || s.isRelr()
}

func (s Section) isRelr() bool { return s.Type == shtRelr || s.Type == shtAndroidRelr }

// RELR section types: the gABI's and the one that Android used before it.
const (
	shtRelr        elf.SectionType = 19
	shtAndroidRelr elf.SectionType = 0x6fffff00
)

// EachReloc calls visit with the relocations of a section whose Off lies in
// [from, to), in the order of the file. A kernel has 200,000 of them and a
// caller wants those of a few tables, so the others are passed over before
// they are decoded. Read under [filemap.Guard].
func (f *File) EachReloc(s Section, from, to uint64, visit func(Reloc)) error {
	raw, err := f.Bytes(s)
	if err != nil {
		return err
	}
	if s.isRelr() {
		return f.eachRelr(s, raw, from, to, visit)
	}
	rela := s.Type == elf.SHT_RELA
	size := 2 * f.WordSize()
	if rela {
		size += f.WordSize()
	}
	if len(raw)%size != 0 {
		return fmt.Errorf("section %s: %#x bytes, no multiple of the entry size %d", s.Label(), len(raw), size)
	}
	for ; len(raw) > 0; raw = raw[size:] {
		if off := f.Word(raw); off < from || off >= to {
			continue
		}
		r := f.decodeReloc(raw[:size], rela)
		f.classify(&r)
		visit(r)
	}
	return nil
}

func (f *File) decodeReloc(b []byte, rela bool) Reloc {
	w := f.WordSize()
	r := Reloc{Off: f.Word(b), InPlace: !rela}
	info := f.Word(b[w:])
	switch {
	case !f.Class64:
		r.Sym, r.Type = uint32(info>>8), uint32(info&0xff)
	case f.Machine == elf.EM_MIPS && !f.BigEndian:
		// 64-bit MIPS keeps r_info as five fields; read as one little-endian
		// word, the symbol is its low half and the type its highest byte.
		r.Sym, r.Type = uint32(info), uint32(info>>56)
	case f.Machine == elf.EM_MIPS, f.Machine == elf.EM_SPARCV9:
		r.Sym, r.Type = uint32(info>>32), uint32(info&0xff)
	default:
		r.Sym, r.Type = uint32(info>>32), uint32(info)
	}
	if rela {
		r.Addend = int64(f.Word(b[2*w:]))
		if !f.Class64 {
			r.Addend = int64(int32(r.Addend))
		}
	}
	return r
}

// eachRelr decodes SHT_RELR (gABI, "Relative Relocation Table"): an even word
// is the address of one relocation; an odd one is a bitmap of which of the
// next words are relocated.
func (f *File) eachRelr(s Section, raw []byte, from, to uint64, visit func(Reloc)) error {
	w := f.WordSize()
	if len(raw)%w != 0 {
		return fmt.Errorf("section %s: %#x bytes, no multiple of the entry size %d", s.Label(), len(raw), w)
	}
	at := func(off uint64) {
		if off >= from && off < to {
			visit(Reloc{Off: off, Kind: RelocRelative, Size: w, InPlace: true})
		}
	}
	var next uint64
	for ; len(raw) > 0; raw = raw[w:] {
		word := f.Word(raw)
		if word&1 == 0 {
			at(word)
			next = word + uint64(w)
			continue
		}
		for bit := range 8*w - 1 {
			if word>>(bit+1)&1 != 0 {
				at(next + uint64(bit*w))
			}
		}
		next += uint64((8*w - 1) * w)
	}
	return nil
}
