package elfscan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
)

// Relocation types, from each machine's psABI.
const (
	r386Relative, rARMRelative, rARMAbs32  = 8, 23, 2
	rX8664Relative, rX866464               = 8, 1
	rAArch64Relative, rAArch64Abs64        = 1027, 257
	rPPC64Relative, rPPC64Addr64           = 22, 38
	r390Relative, r39064                   = 12, 22
	rRISCVRelative, rRISCV64               = 3, 2
	rMIPSRel32                             = 3
	rIA64Rel64LSB, rIA64Dir64LSB           = 0x6f, 0x27
	rSPARCRelative, rLoongArchRelative     = 22, 3
	emSPARCV9, emLoongArch, emM68K, em68KR = 43, 258, 4, 22
)

// Whatever the entries hold in place, what counts is what they hold when the
// kernel's boot code has applied its relocations.
func TestRelocations(t *testing.T) {
	le64 := func(machine uint16) fixture.Arch { return fixture.Arch{Class64: true, Machine: machine} }
	be64 := func(machine uint16) fixture.Arch {
		return fixture.Arch{Class64: true, BigEndian: true, Machine: machine}
	}
	for _, test := range []struct {
		fixture.Arch
		encoding fixture.Encoding
		relocs   fixture.Relocs
		typ      uint32
	}{
		{le64(emAMD64), fixture.Absolute, fixture.RelativeRELA, rX8664Relative},
		{le64(emAMD64), fixture.Absolute, fixture.SymbolicRELA, rX866464},
		{le64(emAMD64), fixture.Absolute, fixture.InPlaceREL, rX8664Relative},
		{le64(emAArch64), fixture.Absolute, fixture.RelativeRELA, rAArch64Relative},
		{le64(emAArch64), fixture.Absolute, fixture.SymbolicRELA, rAArch64Abs64},
		{le64(emAArch64), fixture.Absolute, fixture.PackedRELR, 0},
		{le64(emRISCV), fixture.Absolute, fixture.RelativeRELA, rRISCVRelative},
		{le64(emRISCV), fixture.Absolute, fixture.SymbolicRELA, rRISCV64},
		{le64(emLoongArch), fixture.Absolute, fixture.RelativeRELA, rLoongArchRelative},
		{be64(emS390), fixture.Absolute, fixture.RelativeRELA, r390Relative},
		{be64(emS390), fixture.Absolute, fixture.SymbolicRELA, r39064},
		{be64(emS390), fixture.Absolute, fixture.PackedRELR, 0},
		{be64(emPPC64), fixture.Descriptor, fixture.RelativeRELA, rPPC64Relative},
		{be64(emPPC64), fixture.Descriptor, fixture.SymbolicRELA, rPPC64Addr64},
		{be64(emPPC64), fixture.Descriptor, fixture.PackedRELR, 0},
		{le64(emIA64), fixture.Descriptor, fixture.RelativeRELA, rIA64Rel64LSB},
		{le64(emIA64), fixture.Descriptor, fixture.SymbolicRELA, rIA64Dir64LSB},
		{be64(emSPARCV9), fixture.Absolute, fixture.RelativeRELA, rSPARCRelative},
		{le64(emMIPS), fixture.Absolute, fixture.InPlaceREL, rMIPSRel32 << 24}, // its r_type is the last byte
		{be64(emMIPS), fixture.Absolute, fixture.InPlaceREL, rMIPSRel32},
		{arm, fixture.Absolute, fixture.InPlaceREL, rARMRelative},
		{arm, fixture.Absolute, fixture.SymbolicRELA, rARMAbs32},
		{fixture.Arch{Machine: em386}, fixture.Absolute, fixture.InPlaceREL, r386Relative},
		{fixture.Arch{Machine: em386}, fixture.Absolute, fixture.PackedRELR, 0},
		{fixture.Arch{BigEndian: true, Machine: emM68K}, fixture.Absolute, fixture.RelativeRELA, em68KR},
	} {
		t.Run(fmt.Sprintf("%v/%s", test.Arch, test.relocs), func(t *testing.T) {
			k := modern()
			k.Arch, k.Encoding, k.Relocs, k.Type = test.Arch, test.encoding, test.relocs, test.typ
			im := k.Build()
			want := wanted(im, k)
			require.Equal(t, want, linesOf(mustList(t, im.Bytes())))

			// The same file without them is refused where they carried the targets.
			if test.relocs == fixture.RelativeRELA || test.relocs == fixture.SymbolicRELA {
				im.Section(".rela.dyn").Data = nil
				requireRefused(t, im.Bytes(), "initcall table", "zero")
			}
		})
	}
}

// RELR packs many words: more than one bitmap of 63 bits after an address.
func TestLongBitmaps(t *testing.T) {
	for _, arch := range []fixture.Arch{{Class64: true, Machine: emAArch64}, {Machine: em386}} {
		k := pointers()
		k.Arch, k.Relocs, k.Calls = arch, fixture.PackedRELR, nil
		for i := range 200 {
			k.Calls = append(k.Calls, fixture.Call{
				Table: "initcall", Level: "6", Func: fmt.Sprintf("driver_%c_init", 'A'+i%26) + fmt.Sprint(i), Module: "m", Line: 1 + i,
			})
		}
		im := k.Build()
		spread(im)
		require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
	}
}

// spread moves what lies behind .init.data of a kernel with many calls.
func spread(im *fixture.Image) {
	for _, name := range []string{".bss", ".relr.dyn"} {
		im.Section(name).Addr += 0x10000
	}
	for i := range im.Symbols {
		if im.Symbols[i].Section == ".bss" {
			im.Symbols[i].Value += 0x10000
		}
	}
}

func relocated() (fixture.Kernel, *fixture.Image) {
	k := pointers()
	k.Machine, k.Relocs, k.Type = emAArch64, fixture.RelativeRELA, rAArch64Relative
	return k, k.Build()
}

func TestBadRelocations(t *testing.T) {
	slot := func(im *fixture.Image) uint64 { return im.Find("__initcall_start").Value }
	t.Run("unknown type in the table", func(t *testing.T) {
		_, im := relocated()
		rela := im.Section(".rela.dyn")
		rela.Data = im.Word(im.Word(im.Word(rela.Data, slot(im)), 1032), 0) // R_AARCH64_IRELATIVE
		requireRefused(t, im.Bytes(), ".rela.dyn", "1032", fmt.Sprintf("%#x", slot(im)))
	})
	t.Run("unknown type elsewhere", func(t *testing.T) {
		k, im := relocated()
		rela := im.Section(".rela.dyn")
		rela.Data = im.Word(im.Word(im.Word(rela.Data, im.Section(".bss").Addr), 1032), 0)
		require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
	})
	t.Run("symbol beyond .dynsym", func(t *testing.T) {
		_, im := relocated()
		rela := im.Section(".rela.dyn")
		rela.Data = im.Word(im.Word(im.Word(rela.Data, slot(im)), 3<<32|rAArch64Abs64), 0)
		requireRefused(t, im.Bytes(), ".rela.dyn", "symbol 3")
	})
	t.Run("no .dynsym", func(t *testing.T) {
		k := pointers()
		k.Relocs, k.Type = fixture.SymbolicRELA, rX866464
		im := k.Build()
		im.Section(".rela.dyn").Link = "none"
		requireRefused(t, im.Bytes(), ".rela.dyn", "sh_link")
	})
	t.Run("half an entry", func(t *testing.T) {
		_, im := relocated()
		rela := im.Section(".rela.dyn")
		rela.Data = rela.Data[:len(rela.Data)-3]
		requireRefused(t, im.Bytes(), ".rela.dyn")
	})
	t.Run("across the edge of the table", func(t *testing.T) {
		// Four bytes of a pointer before the table, four in its first entry:
		// whatever that is, it is no entry.
		for _, at := range []uint64{^uint64(3), 4} {
			k := modern()
			k.Relocs, k.Type = fixture.RelativeRELA, rX8664Relative
			im := k.Build()
			edge := im.Find("__initcall_start").Value
			if at == 4 {
				edge = im.Find("__initcall_end").Value - 8
			}
			rela := im.Section(".rela.dyn")
			rela.Data = im.AppendReloc(rela.Data, edge+at, im.Base()+0x123456789)
			requireRefused(t, im.Bytes(), ".rela.dyn")
		}
	})
}

// Relocations that are no part of the image are what --emit-relocs leaves
// behind: the linker has applied them. Applied again they would do harm.
func TestEmittedRelocations(t *testing.T) {
	k := pointers()
	im := k.Build()
	var rela []byte
	for _, r := range im.Rows {
		rela = im.Word(im.Word(im.Word(rela, r.Slot), rX8664Relative), im.Base())
	}
	im.Sections = append(im.Sections, &fixture.Section{Name: ".rela.init.data", Type: fixture.Rela, Data: rela, Link: ".symtab"})
	require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))

	im.Section(".rela.init.data").Flags = fixture.Alloc // and this they would do
	requireRefused(t, im.Bytes(), "13 of 13 entry symbols", `"_text"`)
}

// Zeros that nothing fills are no empty table and no table of null pointers.
func TestUnfilledTable(t *testing.T) {
	for _, a := range arches {
		k := modern()
		k.Arch, k.Encoding = a.Arch, a.Encoding
		im := k.Build()
		clear(im.Section(".init.data").Data)
		requireRefused(t, im.Bytes(), "initcall table", "zero", "vmlinux.relocs")
	}
	t.Run("console only", func(t *testing.T) {
		im := pointers().Build()
		clear(im.Section(".init.data").Data[:32])
		requireRefused(t, im.Bytes(), "console table", "zero")
	})
	t.Run("deferred only", func(t *testing.T) {
		k := pointers()
		k.Deferred = fixture.Original
		k.Calls = append(k.Calls[:len(k.Calls):len(k.Calls)], fixture.Call{Table: "deferred", Func: "slow_init"})
		im := k.Build()
		clear(im.Section(".deferred_initcall.init").Data)
		requireRefused(t, im.Bytes(), "deferred table", "zero")
	})
	t.Run("lost descriptors", func(t *testing.T) {
		k := pointers()
		k.Arch, k.Encoding = ppc64, fixture.Descriptor
		im := k.Build()
		clear(im.Section(".opd").Data)
		requireRefused(t, im.Bytes(), "initcall table")
	})
}

// A MIPS relocation R_MIPS_REL32 may name a symbol, whose value then counts.
func TestMIPSRel32WithSymbol(t *testing.T) {
	k := pointers()
	k.Arch = fixture.Arch{BigEndian: true, Machine: emMIPS}
	k.Relocs, k.Type = fixture.SymbolicRELA, rMIPSRel32
	im := k.Build()
	require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
}
