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

// The functions whose callers, and the data whose users, are looked for in every kernel, beside a
// sample of all others. Each of these functions must have a caller.
var (
	wantedFunctions = []string{"free_initmem", "do_one_initcall", "kernel_init_freeable", "panic", "schedule"}
	wantedData      = []string{
		"initcall_levels", "init_task", "saved_command_line", "__con_initcall_start", "__con_initcall_end",
		"__initcall_start", "__initcall0_start",
	}
)

// tableUsers are functions of which one must refer to the table, which of them is up to inlining
// (drivers/tty/tty_io.c or kernel/printk/printk.c, init/main.c).
var tableUsers = map[string][]string{
	"__con_initcall_start": {"console_init"},
	"initcall_levels":      {"kernel_init_freeable", "do_basic_setup", "do_initcalls", "do_initcall_level"},
}

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
	name := map[string]string{"dbg": "vmlinux", "boot": "boot"}[k.symbols]
	path := filepath.Join(fetched(t, k), name)
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

	slices.Sort(judge.starts) // sections come in the order of the file
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
	for table, users := range tableUsers {
		start := symbols[table].Value
		wanted := []insn.Range{{Start: start, End: start}}
		if got := image.Section(".got"); got != nil { // s390x loads addresses from there
			slots, err := got.Data()
			require.NoError(t, err)
			code.Words(slots, got.Addr, wanted[:1], func(r insn.Ref) {
				wanted = append(wanted, insn.Range{Start: r.At, End: r.At})
			})
		}
		used := false
		for _, section := range image.Sections {
			if section.Flags&elf.SHF_EXECINSTR == 0 || section.Type == elf.SHT_NOBITS {
				continue
			}
			bytes, err := section.Data()
			require.NoError(t, err)
			code.Find(bytes, section.Addr, wanted, func(r insn.Ref) {
				used = used || slices.ContainsFunc(users, func(name string) bool {
					return r.Kind == insn.Address && r.At-symbols[name].Value < symbols[name].Size
				})
			})
		}
		assert.True(t, used, "%s by %v", table, users)
	}
	report(t, "missed branches", judge.branches, branches)
	report(t, "false branches", branches, judge.branches)
	report(t, "missed addresses", judge.strict, addresses)
	// x86 bytes that look like a reference, and functions that a label inside cuts in two for the
	// loose reading.
	assert.LessOrEqual(t, 40*without(addresses, judge.loose), len(addresses), "false addresses")
	fmt.Fprintf(table, "%s\t%.1f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\n", k.id, float64(size)/1e6,
		len(judge.branches), without(judge.branches, branches), without(branches, judge.branches),
		len(judge.strict), without(judge.strict, addresses), without(addresses, judge.loose),
		without(judge.loose, addresses), len(addresses), float64(size)/1e6/took.Seconds())
	for _, name := range wantedFunctions {
		s := symbols[name]
		assert.True(t, slices.ContainsFunc(keys(branches), func(r reference) bool { return r.target-s.Value <= 8 }), name)
	}
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

// report fails the test for each reference of a that is not in b.
func report(t *testing.T, what string, a, b map[reference]bool) {
	for r := range a {
		if !b[r] {
			t.Errorf("%s: %x -> %x", what, r.at, r.target)
		}
	}
}

// fetched returns the kernel's directory, without a look at the archive if the kernel was fetched before:
// which release it is does not matter here.
func fetched(t *testing.T, k kernel) string {
	cache := os.Getenv("INITSECT_KERNEL_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		require.NoError(t, err)
		cache = filepath.Join(user, "initsect", "kernels")
	}
	found, err := filepath.Glob(filepath.Join(cache, k.id, "*", "System.map"))
	require.NoError(t, err)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	return fetch(t, k)
}
