package elfscan_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

const fixtureDir = "../testdata/vmlinux-fixtures"

// mutations is how many variants of each fixture are tried.
const mutations = 20000

// TestMutations spoils good files at random. Where the spoilt bytes are no part
// of what the list is made of — code, notes, strings, padding — the list must
// be the same, or there must be none. Where they are, it must be what the
// bytes now say: an independent reader that makes no checks is asked.
func TestMutations(t *testing.T) {
	for name, encoding := range map[string]string{
		"amd64-prel32-6.12": "prel32", "arm64-rela-4.14": "absolute", "ppc64-opd-6.1": "descriptor",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(fixtureDir, name))
			require.NoError(t, err)
			want := linesOf(mustList(t, data))
			o, err := newOracle(data)
			require.NoError(t, err)
			require.Equal(t, o.lines(encoding), want, "the oracle is no judge")
			m := mutator{rand: rand.New(rand.NewPCG(1, uint64(len(data)))), data: data, live: liveBytes(t, data)}
			count := map[string]int{}
			for range mutations {
				got, verdict := m.try(t, want, encoding)
				count[verdict]++
				if t.Failed() {
					t.Fatalf("%s: %v", verdict, got)
				}
			}
			t.Log(count)
			require.Greater(t, count["refused"], mutations/100)
			require.Greater(t, count["the same"], mutations/100)
			require.Greater(t, count["as its bytes say"], mutations/100)
		})
	}
}

// span is a range of bytes of a file.
type span struct{ from, to int }

// liveBytes are the parts of a file that a list is made of.
func liveBytes(t *testing.T, data []byte) []span {
	f, err := elf.NewFile(bytes.NewReader(data))
	require.NoError(t, err)
	live := []span{{0, 64}, {64, 64 + 56*len(f.Progs)}}
	end := 0
	for _, s := range f.Sections {
		name := span{int(s.Offset), int(s.Offset + s.FileSize)}
		end = max(end, name.to)
		switch s.Name {
		case ".symtab", ".strtab", ".shstrtab", ".rela.dyn", ".opd", ".dynsym", ".deferred_initcall.init":
			live = append(live, name)
		}
	}
	symbols, err := f.Symbols()
	require.NoError(t, err)
	value := func(name string) uint64 {
		i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return symbols[i].Value
	}
	for _, names := range [][2]string{{"__initcall_start", "__initcall_end"}, {"__con_initcall_start", "__con_initcall_end"}} {
		from, to := value(names[0]), value(names[1])
		i := slices.IndexFunc(f.Sections, func(s *elf.Section) bool { return s.Flags&elf.SHF_ALLOC != 0 && from >= s.Addr && to <= s.Addr+s.Size })
		s := f.Sections[i]
		live = append(live, span{int(from - s.Addr + s.Offset), int(to - s.Addr + s.Offset)})
	}
	return append(live, span{end, len(data)}) // the section headers
}

type mutator struct {
	rand *rand.Rand
	data []byte
	live []span
}

// try lists one variant and judges the list.
func (m *mutator) try(t *testing.T, want []string, encoding string) (what, verdict string) {
	data := bytes.Clone(m.data)
	from := m.rand.IntN(len(data))
	if m.rand.IntN(2) == 0 { // the live parts are large in sum, but each is small
		part := m.live[m.rand.IntN(len(m.live))]
		from = part.from + m.rand.IntN(max(part.to-part.from, 1))
		from = min(from, len(data)-1)
	}
	to := from + 1
	switch m.rand.IntN(5) {
	case 0, 1:
		data[from] ^= 1 << m.rand.IntN(8)
		what = fmt.Sprintf("bit of byte %#x", from)
	case 2:
		data[from] = byte(m.rand.Uint32())
		what = fmt.Sprintf("byte %#x = %#x", from, data[from])
	case 3:
		to = min(from+1+m.rand.IntN(32), len(data))
		clear(data[from:to])
		what = fmt.Sprintf("zeros from %#x to %#x", from, to)
	default:
		if m.rand.IntN(8) != 0 {
			to = min(from+8, len(data))
			copy(data[from:to], data[m.rand.IntN(len(data)-8):])
			what = fmt.Sprintf("other bytes from %#x to %#x", from, to)
			break
		}
		data, to = data[:from], len(data)
		what = fmt.Sprintf("cut off at %#x", from)
	}
	l, err := list(data, elfscan.ListOptions{})
	if err != nil {
		require.Nil(t, l)
		return what, "refused"
	}
	got := linesOf(l)
	if slices.Equal(want, got) {
		return what, "the same"
	}
	isLive := slices.ContainsFunc(m.live, func(s span) bool { return from < s.to && s.from < to })
	require.True(t, isLive, "%s, which says nothing of initcalls, changes the list", what)
	o, err := newOracle(data)
	require.NoError(t, err, what)
	require.Equal(t, o.lines(encoding), got, what)
	return what, "as its bytes say"
}
