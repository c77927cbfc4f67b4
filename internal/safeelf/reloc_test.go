package safeelf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/safeelf"
)

// relocsOf reads the relocations in [from, to) of a file's section.
func relocsOf(t *testing.T, arch fixture.Arch, typ uint32, raw []byte, from, to uint64) ([]safeelf.Reloc, error) {
	t.Helper()
	file := small(arch)
	file.Sections = append(file.Sections, &fixture.Section{Name: ".relocs", Type: typ, Flags: fixture.Alloc, Addr: 0x4000, Data: raw})
	f, err := safeelf.New(filemap.FromBytes(file.Bytes()))
	require.NoError(t, err)
	s, ok := f.SectionByName(".relocs")
	require.True(t, ok)
	require.True(t, s.IsReloc())
	var all []safeelf.Reloc
	err = f.EachReloc(s, from, to, func(r safeelf.Reloc) { all = append(all, r) })
	return all, err
}

const everywhere = 1<<64 - 1

// The gABI's description of SHT_RELR, followed by hand: an even word is an
// address; each bit of an odd word but the lowest is one of the 63 (31) words
// that follow; a second bitmap goes on where the first ends.
func TestRELR(t *testing.T) {
	for _, arch := range archs {
		w := uint64(arch.WordSize())
		per := 8*w - 1
		top := uint64(1) << per // the highest bit: the last of the words
		words := []uint64{
			0x10000,      // the word at 0x10000
			0b1011,       // of the next: the first and the third
			1 | top | 2,  // of those behind them: the first and the last
			1,            // none
			3,            // the first of those behind them
			0x40000,      // a new place
			0x50000, 0x3, // and one with its next
		}
		want := []uint64{
			0x10000,
			0x10000 + w, 0x10000 + 3*w,
			0x10000 + w*(1+per), 0x10000 + w*(per+per),
			0x10000 + w*(1+3*per),
			0x40000,
			0x50000, 0x50000 + w,
		}
		var raw []byte
		for _, v := range words {
			raw = arch.Word(raw, v)
		}
		for _, typ := range []uint32{fixture.Relr, 0x6fffff00} { // and Android's
			all, err := relocsOf(t, arch, typ, raw, 0, everywhere)
			require.NoError(t, err)
			var got []uint64
			for _, r := range all {
				require.Equal(t, safeelf.Reloc{Off: r.Off, Kind: safeelf.RelocRelative, Size: int(w), InPlace: true}, r)
				got = append(got, r.Off)
			}
			require.Equal(t, want, got, arch)

			some, err := relocsOf(t, arch, typ, raw, want[1], want[2])
			require.NoError(t, err)
			require.Len(t, some, 1, "from is inside, to is not")
			require.Equal(t, want[1], some[0].Off)
			_, err = relocsOf(t, arch, typ, raw[:len(raw)-1], 0, everywhere)
			require.Error(t, err)
		}
	}
}

// r_info is put together in another way on each kind of machine.
func TestDecode(t *testing.T) {
	amd64, s390, i386, mips := archs[2], archs[3], archs[0], archs[1]
	mips64 := fixture.Arch{Class64: true, BigEndian: true, Machine: 8}
	mips64el := fixture.Arch{Class64: true, Machine: 8}
	sparc := fixture.Arch{Class64: true, BigEndian: true, Machine: 43}
	for _, test := range []struct {
		name string
		fixture.Arch
		typ  uint32
		raw  []byte
		want safeelf.Reloc
	}{
		{
			"x86-64 RELA", amd64, fixture.Rela, amd64.U64(amd64.U64(amd64.U64(nil, 0x1234), 7<<32|2), 1<<64-4),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocPC, Type: 2, Size: 4, Sym: 7, Addend: -4},
		},
		{
			"s390 RELA", s390, fixture.Rela, s390.U64(s390.U64(s390.U64(nil, 0x1234), 7<<32|22), 5),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 22, Size: 8, Sym: 7, Addend: 5},
		},
		{
			"i386 REL", i386, fixture.Rel, i386.U32(i386.U32(nil, 0x1234), 7<<8|1),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 1, Size: 4, Sym: 7, InPlace: true},
		},
		{
			"negative addend of 32 bits", i386, fixture.Rela, i386.U32(i386.U32(i386.U32(nil, 0x1234), 7<<8|2), 0xfffffffc),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocPC, Type: 2, Size: 4, Sym: 7, Addend: -4},
		},
		{
			"MIPS REL", mips, fixture.Rel, mips.U32(mips.U32(nil, 0x1234), 7<<8|2),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 2, Size: 4, Sym: 7, InPlace: true},
		},
		{
			// {sym 4, ssym 1, type3 1, type2 1, type 1}: R_MIPS_64
			"MIPS64 big", mips64, fixture.Rela, append(mips64.U64(nil, 0x1234), 0, 0, 0, 7, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 5),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 18, Size: 8, Sym: 7, Addend: 5},
		},
		{
			"MIPS64 little", mips64el, fixture.Rela, append(mips64el.U64(nil, 0x1234), 7, 0, 0, 0, 0, 0, 0, 18, 5, 0, 0, 0, 0, 0, 0, 0),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 18, Size: 8, Sym: 7, Addend: 5},
		},
		{
			"SPARC with data beside the type", sparc, fixture.Rela, sparc.U64(sparc.U64(sparc.U64(nil, 0x1234), 7<<32|0xabcd00|32), 5),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocAbs, Type: 32, Size: 8, Sym: 7, Addend: 5},
		},
		{
			"none", amd64, fixture.Rela, amd64.U64(amd64.U64(amd64.U64(nil, 0x1234), 0), 5),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocNone, Addend: 5},
		},
		{
			"unknown", amd64, fixture.Rela, amd64.U64(amd64.U64(amd64.U64(nil, 0x1234), 99), 5),
			safeelf.Reloc{Off: 0x1234, Kind: safeelf.RelocUnknown, Type: 99, Addend: 5},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := relocsOf(t, test.Arch, test.typ, test.raw, 0, everywhere)
			require.NoError(t, err)
			require.Equal(t, []safeelf.Reloc{test.want}, got)
			got, err = relocsOf(t, test.Arch, test.typ, test.raw, 0x1235, everywhere)
			require.NoError(t, err)
			require.Empty(t, got)
			_, err = relocsOf(t, test.Arch, test.typ, test.raw[:len(test.raw)-1], 0, everywhere)
			require.ErrorContains(t, err, "entry size")
		})
	}
}
