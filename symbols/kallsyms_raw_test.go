package symbols_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

// rawKernel is a raw image with a symbol table, exported symbols and
// relocations, as linkers make them.
type rawKernel struct {
	variant
	exports  string // "prel32", "pointers" or ""
	relocs   uint64 // r_info of relative relocations, 0 for none
	inPlace  bool   // the places of the relocations hold their addends
	banner   bool   // linux_banner is a symbol
	distance uint64 // by which the exports' strings are off
}

const rawTableAt, rawExportsAt, rawStringsAt, rawRelocsAt, rawSize = 0x40000, 0x10000, 0x20000, 0x30000, 0x80000

// functions are the symbols that can be exported: code whose name is its alone.
func (k rawKernel) functions() (all []fixture.KSymbol) {
	seen := map[string]int{}
	for _, s := range k.Symbols {
		seen[s.Name]++
	}
	for _, s := range k.Symbols {
		if (s.Type == 'T' || s.Type == 't') && seen[s.Name] == 1 && strings.HasPrefix(s.Name, "function_") {
			all = append(all, s)
		}
	}
	return all
}

func (k rawKernel) bytes() []byte {
	order := map[bool]binary.ByteOrder{false: binary.LittleEndian, true: binary.BigEndian}[k.BigEndian]
	b := make([]byte, rawSize)
	if k.banner {
		k.Symbols = append(k.Symbols, fixture.KSymbol{Addr: k.Base() + 0x3f000, Type: 'D', Name: "linux_banner"})
	}
	copy(b[0x3f000:], "Linux version 6.1.0-fixture\n\x00")
	table, labels := k.Bytes(k.Base() + rawTableAt)
	copy(b[rawTableAt:], table)
	word := func(at int, v uint64) {
		if k.WordSize() == 8 {
			order.PutUint64(b[at:], v)
		} else {
			order.PutUint32(b[at:], uint32(v))
		}
	}
	entry, text, reloc := rawExportsAt, rawStringsAt+1, rawRelocsAt
	relocate := func(place int, value uint64) {
		if k.relocs == 0 {
			return
		}
		order.PutUint64(b[reloc:], k.Base()+uint64(place))
		order.PutUint64(b[reloc+8:], k.relocs)
		order.PutUint64(b[reloc+16:], value)
		reloc += 24
		word(place, 0)
		if k.inPlace {
			word(place, value)
		}
	}
	for i, s := range k.functions() {
		copy(b[text:], s.Name)
		switch k.exports {
		case "prel32":
			order.PutUint32(b[entry:], uint32(s.Addr-k.Base())-uint32(entry))
			order.PutUint32(b[entry+4:], uint32(text+int(k.distance))-uint32(entry+4))
			entry += 12
		case "pointers":
			word(entry, s.Addr)
			relocate(entry, s.Addr)
			word(entry+k.WordSize(), k.Base()+k.distance+uint64(text))
			relocate(entry+k.WordSize(), k.Base()+k.distance+uint64(text))
			entry += 2 * k.WordSize()
		}
		if k.exports != "pointers" {
			relocate(0x28000+8*i, s.Addr) // a table of functions
		}
		text += len(s.Name) + 1
	}
	if k.RelocBase {
		place := rawTableAt + labels["relative_base"]
		relocate(place, k.RelativeBase())
		word(place, 0)
	}
	return b
}

func (k rawKernel) find() (*symbols.Kallsyms, error) {
	return symbols.FindKallsyms(symbols.Kernel{
		Pieces: []symbols.Piece{{Bytes: k.bytes()}}, Raw: true, WordSize: k.WordSize(),
	})
}

func newRaw(arch fixture.Arch, version, mode string) rawKernel {
	of := map[string]symbols.AddressMode{
		"addresses": symbols.AddressAbsolute, "offsets": symbols.AddressRelative,
		"percpu": symbols.AddressPercpu, "place": symbols.AddressPlace,
	}
	return rawKernel{variant: variant{
		fixture.Kallsyms{Arch: arch, Version: version, Mode: mode, Symbols: kernelSymbols(arch, 1500, mode == "percpu")}, of[mode],
	}}
}

// A raw image's address is told by what holds addresses in it, and each time it
// is the right one.
func TestKallsymsRaw(t *testing.T) {
	const aarch64, s390 = 0x403, 12
	for _, arch := range arches {
		for _, test := range []struct {
			name  string
			make  func() rawKernel
			only  bool // 64-bit
			proof string
		}{
			{"relative exports", func() rawKernel {
				k := newRaw(arch, "6.4", "offsets")
				k.exports = "prel32"
				return k
			}, false, "exported symbols"},
			{"pointers", func() rawKernel {
				k := newRaw(arch, "6.2", "offsets")
				k.exports, k.banner = "pointers", true
				return k
			}, false, "exported symbols linux_banner"},
			{"absolute addresses", func() rawKernel {
				k := newRaw(arch, "6.4", "addresses")
				k.exports = "pointers"
				return k
			}, false, "exported symbols"},
			{"per-CPU", func() rawKernel {
				k := newRaw(arch, "6.4", "percpu")
				k.exports, k.banner = "prel32", true
				return k
			}, true, "exported symbols linux_banner"},
			{"base from relocations, as on arm64", func() rawKernel {
				k := newRaw(arch, "6.4", "offsets")
				k.exports, k.relocs, k.RelocBase = "prel32", aarch64, true
				return k
			}, true, "exported symbols relocations"},
			{"base from relocations, as on s390x", func() rawKernel {
				k := newRaw(arch, "6.2", "offsets")
				k.exports, k.relocs, k.inPlace, k.RelocBase = "pointers", s390, true, true
				return k
			}, true, "exported symbols relocations"},
			{"no exports, as without modules", func() rawKernel {
				k := newRaw(arch, "6.4", "offsets")
				k.relocs, k.RelocBase = aarch64, true
				return k
			}, true, "relative_base relocations"},
			{"distances from their own places", func() rawKernel {
				k := newRaw(arch, "7.0", "place")
				k.exports, k.relocs = "prel32", aarch64
				return k
			}, true, "exported symbols relocations"},
		} {
			if test.only && !arch.Class64 {
				continue
			}
			t.Run(fmt.Sprintf("%v/%s", arch, test.name), func(t *testing.T) {
				k := test.make()
				found, err := k.find()
				require.NoError(t, err)
				require.Equal(t, symbols.Addr(k.Base()), found.Placement.Base)
				for _, word := range strings.Fields(test.proof) {
					require.Contains(t, strings.Join(found.Placement.Proofs, ", "), word)
				}
				if k.banner {
					k.Symbols = append(k.Symbols, fixture.KSymbol{Addr: k.Base() + 0x3f000, Type: 'D', Name: "linux_banner"})
				}
				requireTable(t, k.variant, found)
			})
		}
	}
}

// A raw image whose address cannot be proved is refused.
func TestKallsymsRawRefused(t *testing.T) {
	arch := arches[0]
	for _, test := range []struct {
		name  string
		spoil func(k *rawKernel)
		want  error
		says  string
	}{
		{"nothing tells", func(k *rawKernel) { k.exports = "" }, symbols.ErrNoPlacement, ""},
		{"only the banner tells", func(k *rawKernel) { k.exports, k.banner = "", true }, symbols.ErrNoPlacement, "only linux_banner"},
		{"names are elsewhere", func(k *rawKernel) { k.distance = 8 }, symbols.ErrNoPlacement, ""},
		{"no relocations for the base", func(k *rawKernel) { k.RelocBase = true }, symbols.ErrUnrelocated, ""},
		{"few exports", func(k *rawKernel) { k.Symbols = append(k.Symbols[:14:14], k.Symbols[len(k.Symbols)-1]) }, symbols.ErrNoPlacement, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newRaw(arch, "6.4", "offsets")
			k.exports = "prel32"
			test.spoil(&k)
			found, err := k.find()
			require.Nil(t, found)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
			}
			require.ErrorContains(t, err, test.says)
		})
	}
	k := newRaw(arch, "6.4", "offsets")
	k.exports, k.banner = "prel32", true
	b := k.bytes()
	find := func(b []byte) error {
		_, err := symbols.FindKallsyms(symbols.Kernel{Pieces: []symbols.Piece{{Bytes: b}}, Raw: true})
		return err
	}
	require.NoError(t, find(b))
	require.ErrorIs(t, find(append(make([]byte, 64), b...)), symbols.ErrNoPlacement, "a header of 64 bytes is not part of the image")

	// A run of elements that look like relocations, but are none, is not taken
	// for an image with relocations that do not fit, if it is short.
	decoy := bytes.Clone(b)
	for i := range 40 {
		binary.LittleEndian.PutUint64(decoy[0x2a000+24*i:], uint64(0x1000+i))
		binary.LittleEndian.PutUint64(decoy[0x2a000+24*i+8:], 3)
	}
	require.NoError(t, find(decoy))

	moved := bytes.Clone(b)
	copy(moved[0x3e000:], b[0x3f000:0x3f100])
	clear(moved[0x3f000:0x3f100])
	require.ErrorContains(t, find(moved), "linux_banner says")
}
