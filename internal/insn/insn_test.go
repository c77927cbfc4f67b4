package insn_test

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/insn"
)

const toc = 0xc000000001148100

// machines are the snippets in testdata: NAME.s, in which a comment behind an instruction tells what it
// refers to, and what objdump printed of it, NAME.dis.
var machines = map[string]insn.Code{
	"amd64":      {Machine: elf.EM_X86_64, Class64: true},
	"i386":       {Machine: elf.EM_386},
	"arm64":      {Machine: elf.EM_AARCH64, Class64: true},
	"arm64near":  {Machine: elf.EM_AARCH64, Class64: true},
	"arm":        {Machine: elf.EM_ARM},
	"thumb":      {Machine: elf.EM_ARM},
	"ppc64le":    {Machine: elf.EM_PPC64, Class64: true, GlobalPointer: toc},
	"ppc64":      {Machine: elf.EM_PPC64, Class64: true, BigEndian: true, GlobalPointer: toc},
	"ppc64pcrel": {Machine: elf.EM_PPC64, Class64: true, GlobalPointer: toc},
	"s390x":      {Machine: elf.EM_S390, Class64: true, BigEndian: true},
	"mips":       {Machine: elf.EM_MIPS, BigEndian: true},
	"mipsel":     {Machine: elf.EM_MIPS},
	"mips64el":   {Machine: elf.EM_MIPS, Class64: true},
	"riscv64":    {Machine: elf.EM_RISCV, Class64: true},
}

var (
	place = regexp.MustCompile(`\b(text|F|T)=(0x\w+)`)
	mark  = regexp.MustCompile(`/\* (branch|address) ([FT])(?:\+(\w+))? \*/`)
)

// snippet is the code of one machine and what it refers to, one string a reference.
type snippet struct {
	code  []byte
	place map[string]uint64
	want  []string
}

func load(t testing.TB, name string) snippet {
	source, err := os.ReadFile("testdata/" + name + ".s")
	require.NoError(t, err)
	listing, err := os.ReadFile("testdata/" + name + ".dis")
	require.NoError(t, err)
	s := snippet{place: map[string]uint64{}}
	first, rest, _ := strings.Cut(string(source), "\n")
	for _, m := range place.FindAllStringSubmatch(first, -1) {
		s.place[m[1]], err = strconv.ParseUint(m[2], 0, 64)
		require.NoError(t, err)
	}
	instruction := regexp.MustCompile(`(?m)^(\d+: )?(\.byte|\.word|\.quad|[a-z]).*$`).FindAllString(rest, -1)
	lines := strings.Split(strings.TrimSuffix(string(listing), "\n"), "\n")
	require.GreaterOrEqual(t, len(lines), len(instruction), "the listing is that of the source, and padding")
	for n, line := range lines[:len(instruction)] {
		field := strings.Split(line, "\t")
		data, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(field[1]), " ", ""))
		require.NoError(t, err)
		if order := machines[name]; !order.BigEndian && !strings.Contains(strings.TrimSpace(field[1]), " ") ||
			name == "thumb" {
			data = littleEndian(field[1])
		}
		s.code = append(s.code, data...)
		for _, m := range mark.FindAllStringSubmatch(instruction[n], -1) {
			offset, err := strconv.ParseUint(cmp.Or(m[3], "0"), 0, 64)
			require.NoError(t, err)
			s.want = append(s.want, m[1]+" "+strconv.FormatUint(s.place[m[2]]+offset, 16)+" in "+
				strings.TrimSpace(strings.TrimSuffix(field[0], ":")))
		}
	}
	return s
}

// littleEndian returns the bytes of words that objdump prints as numbers.
func littleEndian(text string) (data []byte) {
	for _, word := range strings.Fields(text) {
		b, _ := hex.DecodeString(word)
		slices.Reverse(b)
		data = append(data, b...)
	}
	return data
}

func TestFind(t *testing.T) {
	for name, code := range machines {
		t.Run(name, func(t *testing.T) {
			require.True(t, code.Supported())
			s := load(t, name)
			text, function, table := s.place["text"], s.place["F"], s.place["T"]
			var starts []uint64
			listing, err := os.ReadFile("testdata/" + name + ".dis")
			require.NoError(t, err)
			for line := range strings.Lines(string(listing)) {
				at, _, _ := strings.Cut(strings.TrimSpace(line), ":")
				address, err := strconv.ParseUint(at, 16, 64)
				require.NoError(t, err)
				starts = append(starts, address)
			}
			setsTOC := []byte{0x3c, 0x4c, 0x00, 0x11, 0x38, 0x42, 0x80, 0x00}
			if !code.BigEndian {
				setsTOC = []byte{0x11, 0x00, 0x4c, 0x3c, 0x00, 0x80, 0x42, 0x38}
			}
			wanted := []insn.Range{code.Entry(function, setsTOC), {Start: table, End: table + 0x18}}
			var got []string
			code.Find(s.code, text, wanted, func(r insn.Ref) {
				i, exact := slices.BinarySearch(starts, r.At)
				if !exact {
					i--
				}
				got = append(got, r.Kind.String()+" "+strconv.FormatUint(r.Target, 16)+" in "+
					strconv.FormatUint(starts[i], 16))
			})
			slices.Sort(s.want)
			slices.Sort(got)
			assert.Equal(t, s.want, slices.Compact(got))
			assert.NotEmpty(t, got)
		})
	}
}

func TestWords(t *testing.T) {
	code := insn.Code{Machine: elf.EM_S390, Class64: true, BigEndian: true}
	got := []byte("\x00\x00\x00\x00\x00\xf0\x00\x10" + "\x00\x00\x00\x00\x00\xf0\x00\x20" + "\x00\x00\x00\x00\x00\xf0\x00\x11")
	var refs []insn.Ref
	code.Words(got, 0xd7e0f0, []insn.Range{{Start: 0xf00010, End: 0xf00011}}, func(r insn.Ref) { refs = append(refs, r) })
	assert.Equal(t, []insn.Ref{
		{At: 0xd7e0f0, Target: 0xf00010, Kind: insn.Address},
		{At: 0xd7e100, Target: 0xf00011, Kind: insn.Address},
	}, refs)
}

func TestEntry(t *testing.T) {
	ppc := insn.Code{Machine: elf.EM_PPC64, Class64: true}
	local := []byte{0x12, 0xff, 0x4c, 0x3c, 0xbc, 0xc5, 0x42, 0x38} // addis r2,r12,-238; addi r2,r2,-14916
	none := []byte{0xa6, 0x02, 0x08, 0x7c, 0xbc, 0xc5, 0x42, 0x38}  // mflr r0
	assert.Equal(t, insn.Range{Start: 0x100, End: 0x108}, ppc.Entry(0x100, local))
	assert.Equal(t, insn.Range{Start: 0x100, End: 0x100}, ppc.Entry(0x100, none))
	assert.Equal(t, insn.Range{Start: 0x100, End: 0x100}, ppc.Entry(0x100, nil))
	arm := insn.Code{Machine: elf.EM_ARM}
	assert.Equal(t, insn.Range{Start: 0x100, End: 0x101}, arm.Entry(0x101, nil))
}

func TestSupported(t *testing.T) {
	for _, code := range []insn.Code{
		{Machine: elf.EM_68K, BigEndian: true},
		{Machine: elf.EM_SPARCV9, Class64: true, BigEndian: true},
		{Machine: elf.EM_PPC, BigEndian: true},
		{Machine: elf.EM_PPC64, Class64: true}, // without its global pointer
		{Machine: elf.EM_ARM, BigEndian: true},
		{Machine: elf.EM_X86_64}, // x32
		{Machine: elf.EM_LOONGARCH, Class64: true},
	} {
		assert.False(t, code.Supported(), "%v", code)
		code.Find(bytes.Repeat([]byte{1}, 64), 0, []insn.Range{{End: 1 << 62}}, func(insn.Ref) { t.Errorf("%v", code) })
	}
}

// Any bytes are read as any machine's code, at any address, without trouble; what is found was wanted.
func FuzzFind(f *testing.F) {
	var names []string
	for name := range machines {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := load(f, name)
		f.Add(s.code, s.place["text"], s.place["F"], s.place["T"])
	}
	f.Fuzz(func(t *testing.T, data []byte, addr, start, end uint64) {
		for _, name := range names {
			code := machines[name]
			code.Find(data, addr, []insn.Range{{Start: start, End: end}, {Start: addr, End: addr}}, func(r insn.Ref) {
				if r.At-addr >= uint64(len(data)) {
					t.Errorf("%s: %x is outside", name, r.At)
				}
			})
			code.Words(data, addr, []insn.Range{{Start: start, End: end}}, func(insn.Ref) {})
			code.Entry(start, data)
		}
	})
}
