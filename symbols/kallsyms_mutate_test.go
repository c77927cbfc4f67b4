package symbols_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

// plainKallsyms decodes a table in the plainest way there is: it is told where
// the arrays lie and how they are held. It makes no checks, and says what a
// sound table would say with these bytes; ok is false if it runs off the end.
func plainKallsyms(v variant, b []byte, at fixture.Labels) (all []symbols.Symbol, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	order := map[bool]binary.ByteOrder{false: binary.LittleEndian, true: binary.BigEndian}[v.BigEndian]
	number := func(off, size int) uint64 {
		if size == 8 {
			return order.Uint64(b[off:])
		}
		return uint64(order.Uint32(b[off:]))
	}
	word := v.WordSize()
	countSize := 4
	if v.Version == "2.6.11" || v.Version == "4.6" {
		countSize = word
	}
	off := at["names"]
	for i := range int(number(at["num_syms"], countSize)) {
		n := int(b[off])
		off++
		if n > 127 && v.Version >= "6.1" {
			n = n&0x7f + int(b[off])*128
			off++
		}
		name := ""
		for _, c := range b[off : off+n] {
			token := b[at["token_table"]+int(order.Uint16(b[at["token_index"]+2*int(c):])):]
			name += string(token[:bytes.IndexByte(token, 0)])
		}
		off += n
		held := number(at["offsets"]+4*i, 4)
		addr := held
		switch v.Mode {
		case "addresses":
			if v.Version != "7.0" {
				addr = number(at["offsets"]+word*i, word)
			}
		case "offsets":
			addr = held + number(at["relative_base"], word)
		case "percpu":
			if int32(held) < 0 {
				addr = number(at["relative_base"], word) - 1 - uint64(int64(int32(held)))
			}
		case "place":
			addr = v.Base() + uint64(at["offsets"]+4*i) + uint64(int64(int32(held)))
		}
		if word == 4 {
			addr = uint64(uint32(addr))
		}
		all = append(all, symbols.Symbol{Name: name[1:], Kind: symbols.Kind(name[0]), Addr: symbols.Addr(addr)})
	}
	return all, true
}

// spoil changes a few bytes, most often in the arrays.
func spoil(r *rand.Rand, b []byte, at fixture.Labels, end int) string {
	var labels []string
	for label := range at {
		labels = append(labels, label)
	}
	slices.Sort(labels)
	from := at[labels[r.IntN(len(labels))]]
	switch r.IntN(3) {
	case 0:
		from += r.IntN(16)
	case 1:
		from += r.IntN(end - from)
	default:
		from = at["num_syms"] - 64 + r.IntN(end-at["num_syms"]+64)
	}
	from = min(max(from, 0), end-8)
	switch r.IntN(4) {
	case 0, 1:
		b[from] ^= 1 << r.IntN(8)
		return fmt.Sprintf("bit of %#x", from)
	case 2:
		clear(b[from : from+1+r.IntN(8)])
		return fmt.Sprintf("zeros at %#x", from)
	default:
		copy(b[from:from+4], b[at["names"]+r.IntN(end-at["names"]-4):])
		return fmt.Sprintf("other bytes at %#x", from)
	}
}

// mutations is how many variants of each table are tried.
const mutations = 150

// A spoilt table is refused, or read as its bytes now say.
func TestKallsymsMutations(t *testing.T) {
	count := map[string]int{}
	for _, v := range variants() {
		if len(v.Symbols) != 257 {
			continue
		}
		good, at := v.image(v.Base())
		end := len(bytes.TrimRight(good, "\x00"))
		want, ok := plainKallsyms(v, good, at)
		require.True(t, ok)
		require.Equal(t, v.want(), want, "the oracle is no judge")
		r := rand.New(rand.NewPCG(3, uint64(end)))
		for range mutations {
			b := bytes.Clone(good)
			what := spoil(r, b, at, end)
			found, err := symbols.FindKallsyms(v.kernel(b))
			if err != nil {
				require.Nil(t, found)
				count["refused"]++
				continue
			}
			got, err := found.All()
			require.NoError(t, err)
			now, ok := plainKallsyms(v, b, at)
			require.True(t, ok, "%v: %s", v, what)
			require.Equal(t, now, got, "%v: %s", v, what)
			if slices.Equal(got, want) {
				count["the same"]++
			} else {
				count["as its bytes say"]++
			}
		}
	}
	t.Log(count)
	for _, verdict := range []string{"refused", "the same", "as its bytes say"} {
		require.Greater(t, count[verdict], mutations)
	}
}

// Any bytes are refused or read as a table that holds together, with a base that
// was proved.
func FuzzKallsyms(f *testing.F) {
	for _, v := range variants() {
		if len(v.Symbols) <= 9 {
			b, _ := v.image(v.Base())
			f.Add(bytes.TrimRight(b[0x2000:], "\x00"), v.Class64, v.BigEndian, len(b)%2 == 0, v.Align%3 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, class64, big, told, isRaw bool) {
		before := string(b)
		arch := fixture.Arch{Class64: class64, BigEndian: big}
		k := variant{Kallsyms: fixture.Kallsyms{Arch: arch}}.kernel(append(bytes.Clone(b), make([]byte, 0x1000)...))
		if !told {
			k.WordSize, k.Order = 0, nil
		}
		if k.Raw = isRaw; isRaw {
			k.Pieces[0].Addr = 0
		}
		found, err := symbols.FindKallsyms(k)
		require.Equal(t, before, string(b))
		if err != nil {
			require.Nil(t, found)
			return
		}
		all, err := found.All()
		require.NoError(t, err)
		require.NotEmpty(t, all)
		for i := 1; i < len(all); i++ {
			if found.Mode != symbols.AddressPercpu {
				require.LessOrEqual(t, all[i-1].Addr, all[i].Addr)
			}
		}
		if isRaw {
			require.NotEmpty(t, found.Placement.Proofs)
		}
		exercise(t, found.Table, all)
	})
}
