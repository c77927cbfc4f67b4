//go:build kernels

package kerneltest

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/insn"
)

// The functions whose callers, and the data whose users, are looked for in every kernel. Each must
// be found at least once.
var (
	wantedFunctions = []string{"free_initmem", "do_one_initcall", "kernel_init_freeable", "panic", "schedule"}
	wantedData      = []string{
		"initcall_levels", "init_task", "saved_command_line", "__con_initcall_start", "__con_initcall_end",
		"__initcall_start", "__initcall0_start",
	}
)

// TestReferences compares the references that package insn finds with objdump's.
func TestReferences(t *testing.T) {
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\tMB\tbranches\tmissed\tfalse\taddresses\tmissed\tfalse\tonly loose\tfound\tMB/s")
	for _, k := range chosen(t, readKernels(t)) {
		t.Run(k.id, func(t *testing.T) { references(t, k, columns) })
	}
	columns.Flush()
	t.Logf("references\n%s", table.String())
}

func references(t *testing.T, k kernel, table *tabwriter.Writer) {
	path := filepath.Join(fetch(t, k), "vmlinux")
	if k.symbols == "boot" {
		path = filepath.Join(fetch(t, k), "boot")
	}
	image, err := elf.Open(path)
	require.NoError(t, err)
	defer image.Close()
	code := insn.Code{
		Machine: image.Machine, Class64: image.Class == elf.ELFCLASS64, BigEndian: image.Data == elf.ELFDATA2MSB,
	}
	all, err := image.Symbols()
	require.NoError(t, err)
	symbols := map[string]elf.Symbol{}
	for _, s := range all {
		symbols[s.Name] = s
	}
	code.GlobalPointer = symbols[".TOC."].Value
	globalPointer = code.GlobalPointer
	require.True(t, code.Supported())

	var functions, data []insn.Range
	for n, s := range all {
		within := func(names []string) bool { return slices.Contains(names, s.Name) }
		if s.Section >= elf.SectionIndex(len(image.Sections)) || s.Value == 0 {
			continue
		}
		section := image.Sections[s.Section]
		switch executable := section.Flags&elf.SHF_EXECINSTR != 0; {
		case executable && (within(wantedFunctions) || elf.ST_TYPE(s.Info) == elf.STT_FUNC && n%500 == 0):
			bytes := make([]byte, 8)
			_, err := section.ReadAt(bytes, int64(s.Value-section.Addr))
			require.NoError(t, err)
			functions = append(functions, code.Entry(s.Value, bytes))
		case !executable && section.Flags&elf.SHF_ALLOC != 0 &&
			(within(wantedData) || elf.ST_TYPE(s.Info) == elf.STT_OBJECT && n%500 == 0 && s.Value > 1<<20):
			data = append(data, insn.Range{Start: s.Value, End: s.Value + s.Size})
		}
	}

	in := func(ranges []insn.Range) func(uint64) bool {
		return func(a uint64) bool {
			return slices.ContainsFunc(ranges, func(r insn.Range) bool { return r.Start <= a && a <= r.End })
		}
	}
	judge := disassemble(t, path, k.arch, in(data), in(functions))

	branches, addresses := map[reference]bool{}, map[reference]bool{}
	size, took := 0, time.Duration(0)
	for _, section := range image.Sections {
		if section.Flags&elf.SHF_EXECINSTR == 0 || section.Type == elf.SHT_NOBITS {
			continue
		}
		bytes, err := section.Data()
		require.NoError(t, err)
		collect := func(kind insn.Kind, into map[reference]bool) func(insn.Ref) {
			return func(r insn.Ref) {
				i, exact := slices.BinarySearch(judge.starts, r.At)
				if !exact && i > 0 {
					i--
				}
				if r.Kind == kind {
					into[reference{judge.starts[i], r.Target}] = true
				}
			}
		}
		code.Find(bytes, section.Addr, functions, collect(insn.Branch, branches))
		code.Find(bytes, section.Addr, data, collect(insn.Address, addresses))
		start := time.Now()
		handful := append(slices.Clone(functions[:3]), data[:3]...)
		code.Find(bytes, section.Addr, handful, func(insn.Ref) {})
		took += time.Since(start)
		size += len(bytes)
	}
	report(t, "missed branches", judge.branches, branches)
	report(t, "false branches", branches, judge.branches)
	report(t, "missed addresses", judge.strict, addresses)
	report(t, "false addresses", addresses, judge.loose)
	unclear := report(t, "", judge.loose, addresses)
	fmt.Fprintf(table, "%s\t%.1f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\n", k.id, float64(size)/1e6,
		len(judge.branches), without(judge.branches, branches), without(branches, judge.branches),
		len(judge.strict), without(judge.strict, addresses), without(addresses, judge.loose),
		unclear, len(addresses), float64(size)/1e6/took.Seconds())
	for _, name := range wantedFunctions {
		s := symbols[name]
		assert.True(t, slices.ContainsFunc(keys(branches), func(r reference) bool { return r.target-s.Value <= 8 }), name)
	}
	_ = os.Stdout
}

func keys(m map[reference]bool) (all []reference) {
	for r := range m {
		all = append(all, r)
	}
	return all
}

func without(a, b map[reference]bool) (n int) {
	for r := range a {
		if !b[r] {
			n++
		}
	}
	return n
}

func report(t *testing.T, what string, a, b map[reference]bool) (n int) {
	for r := range a {
		if !b[r] {
			if n++; n <= 12 && what != "" {
				t.Errorf("%s: %x -> %x", what, r.at, r.target)
			} else if n <= 12 {
				t.Logf("loose only: %x -> %x", r.at, r.target)
			}
		}
	}
	return n
}
