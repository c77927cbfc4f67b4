package symbols_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

var arches = []fixture.Arch{
	{Class64: true}, {Class64: true, BigEndian: true}, {}, {BigEndian: true},
}

// kernelSymbols are n symbols of a kernel, in the order of their addresses, with
// aliases, names with every digit, and one that is longer than 127 tokens.
func kernelSymbols(arch fixture.Arch, n int, percpu bool) []fixture.KSymbol {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	base := arch.Base()
	syms := []fixture.KSymbol{
		{Addr: base, Type: 'T', Name: "_text"},
		{Addr: base, Type: 'T', Name: "_stext"},
		{Addr: base + 0x20, Type: 't', Name: "digits_0123456789.part.0"},
		{Addr: base + 0x24, Type: 'W', Name: strings.Repeat("Zq", 100)},
	}
	if percpu {
		syms = append([]fixture.KSymbol{{Addr: 0, Type: 'A', Name: "__per_cpu_start"}, {Addr: 0x4000, Type: 'A', Name: "cpu_number"}}, syms...)
	}
	addr := base + 0x40
	for i := len(syms); i < n-1; i++ {
		syms = append(syms, fixture.KSymbol{Addr: addr, Type: "tTdDbrRW"[r.IntN(8)], Name: fmt.Sprintf("function_%d_%s", r.IntN(n), randomName(r))})
		addr += uint64(r.IntN(4) * 8)
	}
	return append(syms, fixture.KSymbol{Addr: addr + 0x10, Type: 'T', Name: "start_kernel"})
}

// variant is a table with what there is to be found in it.
type variant struct {
	fixture.Kallsyms
	mode symbols.AddressMode
}

func (v variant) String() string {
	return fmt.Sprintf("%s-%s-%v-align%d-%d", v.Version, v.Mode, v.Arch, v.Align, len(v.Symbols))
}

// variants are all that kernels wrote, each small and large.
func variants() (all []variant) {
	modes := map[string]symbols.AddressMode{
		"addresses": symbols.AddressAbsolute, "offsets": symbols.AddressRelative,
		"percpu": symbols.AddressPercpu, "place": symbols.AddressPlace,
	}
	for _, arch := range arches {
		for _, version := range fixture.KallsymsVersions {
			of := map[string][]string{"2.6.11": {"addresses"}, "7.0": {"addresses", "place"}}[version]
			if of == nil {
				of = []string{"addresses", "offsets", "percpu"}
			}
			if version == "7.0" && arch.Class64 {
				of = of[1:]
			}
			aligns := []int{0}
			if slices.Contains([]string{"2.6.11", "4.6", "4.20"}, version) {
				aligns = append(aligns, map[bool]int{false: 16, true: 256}[arch.Class64])
			}
			for _, mode := range of {
				for _, align := range aligns {
					for _, n := range []int{9, 255, 256, 257, 512, 3000} {
						syms := kernelSymbols(arch, n, mode == "percpu")
						if version < "6.1" { // one-byte lengths, and names that fit
							syms = slices.DeleteFunc(syms, func(s fixture.KSymbol) bool { return len(s.Name) > 127 })
						}
						all = append(all, variant{fixture.Kallsyms{Arch: arch, Version: version, Mode: mode, Align: align, Symbols: syms}, modes[mode]})
					}
				}
			}
		}
	}
	return all
}

// image is a piece of memory with the table in it, and other things around.
func (v variant) image(at uint64) ([]byte, fixture.Labels) {
	const before = 0x3000
	b := make([]byte, before)
	copy(b[0x2000:], "Linux version 6.1.0 \x00 0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00 no token table")
	for i := before - 0x300; i < before-0x100; i++ {
		b[i] = byte(i * 7)
	}
	table, labels := v.Bytes(at + before)
	for name := range labels {
		labels[name] += before
	}
	b = append(b, table...)
	return append(b, make([]byte, 0x40000)...), labels
}

func (v variant) kernel(b []byte) symbols.Kernel {
	order := map[bool]binary.ByteOrder{false: binary.LittleEndian, true: binary.BigEndian}[v.BigEndian]
	return symbols.Kernel{
		Pieces:   []symbols.Piece{{Addr: symbols.Addr(v.Base()), Bytes: b}},
		WordSize: v.WordSize(), Order: order,
	}
}

func (v variant) want() (all []symbols.Symbol) {
	for _, s := range v.Symbols {
		all = append(all, symbols.Symbol{Name: s.Name, Addr: symbols.Addr(s.Addr), Kind: symbols.Kind(s.Type)})
	}
	return all
}

func requireTable(t *testing.T, v variant, found *symbols.Kallsyms) {
	t.Helper()
	require.Equal(t, v.mode, found.Mode)
	require.Equal(t, v.WordSize(), found.WordSize)
	require.Equal(t, v.BigEndian, found.BigEndian)
	require.Equal(t, symbols.SourceKallsyms, found.Source())
	all, err := found.All()
	require.NoError(t, err)
	require.Equal(t, v.want(), all)
	if v.mode == symbols.AddressRelative || v.mode == symbols.AddressPercpu {
		require.Equal(t, symbols.Addr(v.RelativeBase()), found.RelativeBase)
	} else {
		require.Zero(t, found.RelativeBase)
	}
}

// Every layout that kernels had is read, in both byte orders and word sizes.
func TestKallsymsLayouts(t *testing.T) {
	seen := 0
	for _, v := range variants() {
		seen++
		t.Run(v.String(), func(t *testing.T) {
			b, _ := v.image(v.Base())
			found, err := symbols.FindKallsyms(v.kernel(b))
			require.NoError(t, err)
			requireTable(t, v, found)
		})
	}
	require.Greater(t, seen, 300)
}
