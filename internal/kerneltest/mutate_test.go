//go:build kernels

package kerneltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/unpack"
)

const defaultMutations = 40

// TestMutatedBoots spoils boot images and the kernels in them at random: anywhere, and where it hurts. Every variant
// must be refused, or listed as the spoilt kernel would run, which kernelView tells. INITSECT_MUTATIONS says how many
// variants of each kernel are tried.
func TestMutatedBoots(t *testing.T) {
	n := defaultMutations
	if text := os.Getenv("INITSECT_MUTATIONS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\tspoilt\tvariants\trefused\tthe same list\tanother, as the kernel would run")
	for _, k := range chosen(t, readKernels(t)) {
		if k.symbols == "boot" {
			continue // has the symbol table of a vmlinux, of which the fixtures have variants
		}
		if k.arch == "s390x" {
			continue // its relocations are for symbols, which the view of the kernel does not look up
		}
		t.Run(k.id, func(t *testing.T) {
			dir := fetched(t, k)
			image, err := os.ReadFile(filepath.Join(dir, "boot"))
			require.NoError(t, err)
			config, err := os.ReadFile(filepath.Join(dir, "config"))
			require.NoError(t, err)
			inner, err := unpackedOf(image)
			require.NoError(t, err)
			view, err := newKernelView(k, dir, inner, string(config))
			require.NoError(t, err)
			want, err := view.rows()
			require.NoError(t, err)
			got, err := rowsOf(image)
			require.NoError(t, err)
			require.Equal(t, want, got, "the view is no judge")

			campaign := func(spoilt string, n int, data []byte, live []piece, list, judge func([]byte) ([]string, error)) {
				m := mutator{rand: rand.New(rand.NewPCG(1, uint64(len(data)))), data: data, live: live, list: list, judge: judge, want: want}
				count := map[string]int{}
				for range n {
					count[m.try(t)]++
				}
				fmt.Fprintf(columns, "%s\t%s\t%d\t%d\t%d\t%d\n", k.id, spoilt, n, count[wasRefused], count[wasSame], count[asItRuns])
			}
			if seal := sealOf(k); seal != nil {
				campaign("kernel", n, inner, view.live(),
					func(kernel []byte) ([]string, error) { return rowsOf(seal(kernel)) },
					func(kernel []byte) ([]string, error) { return view.of(kernel).rows() })
			}
			// Most variants of a compressed payload take a whole decompression to refuse.
			campaign("file", max(1, n/8), image, []piece{{"header", 0, 4096}, {"end", len(image) - 64, len(image)}},
				rowsOf,
				func(image []byte) ([]string, error) {
					inner, err := unpackedOf(image)
					if err != nil {
						return nil, err
					}
					return view.of(inner).rows()
				})
		})
	}
	columns.Flush()
	t.Logf("variants\n%s", table.String())
}

func unpackedOf(image []byte) ([]byte, error) {
	k, err := unpack.Open(filemap.FromBytes(image))
	if err != nil {
		return nil, err
	}
	return k.File.Bytes(0, k.File.Size())
}

// rowsOf lists an image, each initcall as kernelView has it.
func rowsOf(image []byte) ([]string, error) {
	im, err := elfscan.OpenBytes("image", image, elfscan.Options{})
	if err != nil {
		return nil, err
	}
	l, err := im.List(elfscan.ListOptions{})
	if err != nil {
		return nil, err
	}
	or := func(s string) string {
		if s == "" || s == "0" {
			return "-"
		}
		return s
	}
	var rows []string
	for _, c := range l.Initcalls {
		rows = append(rows, strings.Join([]string{
			string(c.Table.Kind), c.Level.String(), c.Slot.String(), c.Target.String(),
			or(c.Display()), or(c.Module), or(strconv.Itoa(c.Line)), or(c.Entry),
		}, "\t"))
	}
	return rows, nil
}

// sealOf returns what makes of an unpacked kernel an image that initsect takes: raw kernels for ARM get the header of
// a uImage, for that says what machine they are for. It is nil where there is no such header.
func sealOf(k kernel) func(kernel []byte) []byte {
	switch k.arch {
	case "amd64", "i386", "arm64":
		return func(kernel []byte) []byte { return kernel }
	case "armhf", "armel":
	default:
		return nil
	}
	const headerSize, arm, osLinux, kernelType = 64, 2, 5, 2
	var image []byte // used again: so much memory takes longer to clear than to fill
	return func(kernel []byte) []byte {
		header := make([]byte, headerSize)
		for at, value := range map[int]uint32{0: 0x27051956, 12: uint32(len(kernel)), 24: crc32.ChecksumIEEE(kernel)} {
			binary.BigEndian.PutUint32(header[at:], value)
		}
		header[28], header[29], header[30] = osLinux, arm, kernelType
		binary.BigEndian.PutUint32(header[4:], crc32.ChecksumIEEE(header))
		image = append(append(image[:0], header...), kernel...)
		return image
	}
}

// piece is a range of bytes of a file.
type piece struct {
	name     string
	from, to int
}

// live are the parts of a kernel that the list is made of, and those that tell where these are.
func (v *kernelView) live() []piece {
	pieces := []piece{{"headers", 0, 512}}
	add := func(name string, from, size uint64) {
		if off := v.offset(from); off >= 0 && from != 0 {
			pieces = append(pieces, piece{name, off, min(off+int(size), len(v.bytes))})
		}
	}
	n := uint64(v.count())
	add("console table", v.at["__con_initcall_start"], v.at["__con_initcall_end"]-v.at["__con_initcall_start"])
	add("initcall table", v.at["__initcall_start"], v.at["__initcall_end"]-v.at["__initcall_start"])
	add("around the tables", v.at["__initcall_start"]-64, v.at["__con_initcall_end"]+128-v.at["__initcall_start"])
	add("initcall_levels", v.at["initcall_levels"], uint64(9*v.word))
	add("kallsyms_num_syms", v.at["kallsyms_num_syms"], 8)
	add("kallsyms_relative_base", v.at["kallsyms_relative_base"], uint64(v.word))
	add("kallsyms_offsets", v.at["kallsyms_offsets"], 4*n)
	add("kallsyms_names", v.at["kallsyms_names"], v.at["kallsyms_markers"]-v.at["kallsyms_names"])
	add("kallsyms_markers", v.at["kallsyms_markers"], 4*(n/256+1))
	add("kallsyms_seqs_of_names", v.at["kallsyms_seqs_of_names"], 3*n)
	add("kallsyms_token_table", v.at["kallsyms_token_table"], v.at["kallsyms_token_index"]-v.at["kallsyms_token_table"])
	add("kallsyms_token_index", v.at["kallsyms_token_index"], 512)
	add("__ksymtab", v.at["__start___ksymtab"], v.at["__stop___ksymtab"]-v.at["__start___ksymtab"])
	for _, walker := range []string{"do_initcalls", "do_initcall_level", "do_pre_smp_initcalls", "kernel_init_freeable", "console_init"} {
		add(walker, v.at[walker], 512)
	}
	low, high := len(v.bytes), 0
	for place, record := range v.rela {
		low, high = min(low, record), max(high, record+relaSize)
		if place-v.at["initcall_levels"] < uint64(9*v.word) || place == v.at["kallsyms_relative_base"] {
			pieces = append(pieces, piece{"the relocation of what counts", record, record + relaSize})
		}
	}
	if high > 0 {
		pieces = append(pieces, piece{"relocations", low, high})
	}
	return pieces
}

const (
	wasRefused = "refused"
	wasSame    = "the same"
	asItRuns   = "as it runs"
	wasWrong   = "wrong"
)

type mutator struct {
	rand  *rand.Rand
	data  []byte
	live  []piece
	want  []string
	list  func([]byte) ([]string, error)
	judge func([]byte) ([]string, error)
}

// try lists one variant and judges the list.
func (m *mutator) try(t *testing.T) string {
	where, from := "anywhere", m.rand.IntN(len(m.data))
	if m.rand.IntN(8) != 0 {
		p := m.live[m.rand.IntN(len(m.live))]
		where, from = p.name, min(p.from+m.rand.IntN(max(p.to-p.from, 1)), len(m.data)-1)
	}
	rest := m.data[from:]
	original := bytes.Clone(rest[:min(len(rest), 1<<16)])
	defer func() { copy(rest, original) }()
	word := rest[:min(len(rest), 4<<m.rand.IntN(2))]
	what := ""
	data := m.data
	switch m.rand.IntN(16) {
	case 0, 1, 2, 3:
		rest[0] ^= 1 << m.rand.IntN(8)
		what = fmt.Sprintf("%#x -> %#x", original[0], rest[0])
	case 4, 5:
		rest[0] = byte(m.rand.Uint32())
		what = fmt.Sprintf("%#x -> %#x", original[0], rest[0])
	case 6, 7:
		n := min(len(rest), 1+m.rand.IntN(32))
		clear(rest[:n])
		what = fmt.Sprintf("%d zeros", n)
	case 8:
		n := min(len(original), 1+m.rand.IntN(1<<16))
		clear(rest[:n])
		what = fmt.Sprintf("%d zeros", n)
	case 9, 10, 11: // another word of the neighbourhood
		other := max(0, min(from+len(word)*(m.rand.IntN(64)-32), len(m.data)-len(word)))
		copy(word, bytes.Clone(m.data[other:other+len(word)]))
		what = fmt.Sprintf("%d bytes from %#x", len(word), other)
	case 12, 13: // another value near by
		word[m.rand.IntN(len(word))] += byte(m.rand.IntN(16)) - 8
		what = fmt.Sprintf("%x -> %x", original[:len(word)], word)
	case 14:
		data = m.data[:from]
		what = "cut off"
	default: // bytes from anywhere
		n := min(len(rest), 1+m.rand.IntN(256))
		other := m.rand.IntN(len(m.data) - n)
		copy(rest[:n], bytes.Clone(m.data[other:other+n]))
		what = fmt.Sprintf("%d bytes from %#x", n, other)
	}
	got, err := m.list(data)
	if err != nil {
		return wasRefused
	}
	runs, err := m.judge(data)
	switch {
	case err == nil && slices.Equal(m.want, got) && slices.Equal(places(runs), places(got)):
		return wasSame // and the names are right, even if the kernel would now print others
	case err == nil && sameCalls(runs, got):
		return asItRuns
	}
	for i := range min(len(got), len(runs)) {
		if got[i] != runs[i] {
			t.Errorf("%s at %#x, %s:\nkernel: %s\n  list: %s", where, from, what, runs[i], got[i])
			return wasWrong
		}
	}
	t.Errorf("%s at %#x, %s: %d initcalls, but %d are listed (%v)", where, from, what, len(runs), len(got), err)
	return wasWrong
}

// places cuts the names off the rows, and what they tell of a level: what remains is what the kernel calls.
func places(rows []string) (cut []string) {
	for _, row := range rows {
		f := strings.Split(withoutEntry("0\t"+row), "\t")
		cut = append(cut, strings.Join(f[1:5], "\t"))
	}
	return cut
}

// sameCalls reports whether rows are the same but for the names of targets outside of code: an ELF file says that they
// are, a raw image does not.
func sameCalls(runs, got []string) bool {
	return slices.EqualFunc(runs, got, func(run, row string) bool {
		r, g := strings.Split(run, "\t"), strings.Split(row, "\t")
		if r[4] == "-" {
			g[4] = "-"
		}
		return slices.Equal(r, g)
	})
}
