//go:build kernels

package kerneltest

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// A kernel's own symbol table, found without any symbol, is its System.map less what
// scripts/kallsyms.c leaves out: in the debug vmlinux, and in the raw image that a boot loader
// gets, of which not even the address is known.
func TestKallsyms(t *testing.T) {
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\tsymbols\tmode\tvmlinux\traw\tnm -n\tthe raw image's address is told by")
	for _, k := range chosen(t, readKernels(t)) {
		t.Run(k.id, func(t *testing.T) {
			dir := fetch(t, k)
			image := filepath.Join(dir, "vmlinux")
			if k.symbols == "boot" {
				image = filepath.Join(dir, "boot")
			}
			file, err := elf.Open(image)
			require.NoError(t, err)
			defer file.Close()
			want := keptByKallsyms(t, dir, file.Class == elf.ELFCLASS32)

			im, err := elfscan.Open(image, elfscan.Options{})
			require.NoError(t, err)
			defer im.Close()
			start := time.Now()
			found, err := im.Kallsyms()
			fromELF := time.Since(start)
			require.NoError(t, err)
			requireSame(t, want, found.Table)

			bytes, base := rawImage(t, file)
			if k.arch == "arm64" { // Debian's boot image is the raw one
				bytes, err = os.ReadFile(filepath.Join(dir, "boot"))
				require.NoError(t, err)
			}
			start = time.Now()
			raw, err := symbols.FindKallsyms(symbols.Kernel{Pieces: []symbols.Piece{{Bytes: bytes}}, Raw: true})
			fromRaw := time.Since(start)
			require.NoError(t, err)
			requireSame(t, want, raw.Table)
			require.Equal(t, base, uint64(raw.Placement.Base))
			require.Equal(t, found.Mode, raw.Mode)
			require.Equal(t, found.RelativeBase, raw.RelativeBase)

			start = time.Now()
			run(t, "sh", "-c", `nm -n "$0" >/dev/null`, image)
			fmt.Fprintf(columns, "%s\t%d\t%s\t%d ms\t%d ms\t%d ms\t%s\n", k.id, len(want), found.Mode,
				fromELF.Milliseconds(), fromRaw.Milliseconds(), time.Since(start).Milliseconds(),
				strings.Join(raw.Placement.Proofs, ", "))
		})
	}
	columns.Flush()
	t.Logf("the same symbols\n%s", table.String())
}

// What `initsect symbols` prints of a file's symbol table is what nm -n does, less undefined symbols and
// those that no System.map has.
func TestSymbolsIsNM(t *testing.T) {
	for _, k := range chosen(t, readKernels(t)) {
		t.Run(k.id, func(t *testing.T) {
			dir := fetch(t, k)
			image := filepath.Join(dir, "vmlinux")
			if k.symbols == "boot" {
				image = filepath.Join(dir, "boot")
			}
			nm := exec.Command("nm", "-n", image)
			nm.Env = append(nm.Environ(), "LC_ALL=C")
			out, err := nm.Output()
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(out)) {
				if !strings.HasPrefix(line, " ") && !strings.Contains(line, " $") && !strings.Contains(line, " .L") {
					want = append(want, strings.TrimSuffix(line, "\n"))
				}
			}
			im, err := elfscan.Open(image, elfscan.Options{})
			require.NoError(t, err)
			defer im.Close()
			sorted, err := im.Symbols().Sorted()
			require.NoError(t, err)
			require.Len(t, sorted, len(want))
			for i, s := range sorted {
				address := fmt.Sprintf("%016x", uint64(s.Addr))
				line := fmt.Sprintf("%s %v %s", address[16-strings.Index(want[i], " "):], s.Kind, s.Name)
				if im.Identity.Bits == 32 && want[i][8] != ' ' { // nm extends the sign of 32-bit MIPS
					line = address[8:] + line[16:]
					want[i] = want[i][8:]
				}
				require.Equal(t, want[i], line)
			}
		})
	}
}

// requireSame compares a table with the lines that it ought to have, in any order: the kernel's
// order of symbols at one address is its own.
func requireSame(t *testing.T, want []string, table *symbols.Table) {
	t.Helper()
	all, err := table.All()
	require.NoError(t, err)
	var got []string
	for _, s := range all {
		got = append(got, fmt.Sprintf("%x %c %s", uint64(s.Addr), s.Kind, s.Name))
	}
	slices.Sort(got)
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i])
	}
	require.Len(t, got, len(want))
}

var (
	// Names that scripts/kallsyms.c of 6.1 drops (is_ignored_symbol); in 6.12 scripts/mksysmap
	// does, so they are not in the System.map either.
	droppedNames = regexp.MustCompile(`^kallsyms_(addresses|offsets|relative_base|num_syms|names|markers|token_table|token_index|seqs_of_names)$|` +
		`^_SDA2?_BASE_$|^__efistub_|^__kvm_nvhe_(\$|\.L)|^__AArch64ADRPThunk_|^__ARMV[57]PILongThunk_|^__ThumbV7PILongThunk_|` +
		`^__(micro)?LA25Thunk_|^__kcfi_typeid_|_from_(arm|thumb)$|_veneer$|\.long_branch\.|\.plt_branch\.`)
	keptAbsolute = regexp.MustCompile(`^(__kernel_syscall_via_break|__kernel_syscall_via_epc|__kernel_sigtramp|__gp)$`)
)

// keptByKallsyms applies the rules of scripts/kallsyms.c to the System.map that it was given:
// read_symbol, is_ignored_symbol, symbol_valid and make_percpus_absolute, v6.1 and v6.12.
func keptByKallsyms(t *testing.T, dir string, is32 bool) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "System.map"))
	require.NoError(t, err)
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	require.NoError(t, err)
	is61 := strings.Contains(string(config), " 6.1.")
	all := strings.Contains(string(config), "CONFIG_KALLSYMS_ALL=y")
	absolutePercpu := strings.Contains(string(config), "CONFIG_KALLSYMS_ABSOLUTE_PERCPU=y")

	type line struct {
		address    uint64
		kind, name string
	}
	var lines []line
	at := map[string]uint64{}
	for row := range strings.Lines(string(text)) {
		word := strings.Fields(row)
		require.Len(t, word, 3)
		address, err := strconv.ParseUint(word[0], 16, 64)
		require.NoError(t, err)
		if is32 {
			address &= 1<<32 - 1
		}
		name, kind := word[2], word[1]
		dropped := strings.Contains("uUnN", kind) && (is61 || strings.Contains("un", kind))
		dropped = dropped || is61 && droppedNames.MatchString(name)
		dropped = dropped || strings.EqualFold(kind, "a") && !keptAbsolute.MatchString(name)
		if !dropped {
			lines = append(lines, line{address, kind, name})
			at[name] = address
		}
	}
	inText := func(a uint64) bool {
		return a >= at["_stext"] && a <= at["_etext"] || a >= at["_sinittext"] && a <= at["_einittext"]
	}
	var kept []string
	for _, l := range lines {
		edge := l.address == at["_etext"] && l.name != "_etext" || l.address == at["_einittext"] && l.name != "_einittext"
		startStop := !is61 && (strings.HasPrefix(l.name, "__start_") || strings.HasPrefix(l.name, "__stop_"))
		if !all && !startStop && (!inText(l.address) || edge) {
			continue
		}
		if absolutePercpu && l.address >= at["__per_cpu_start"] && l.address <= at["__per_cpu_end"] {
			l.kind = "A"
		}
		kept = append(kept, fmt.Sprintf("%x %s %s", l.address, l.kind, l.name))
	}
	require.Greater(t, len(kept), 30000)
	slices.Sort(kept)
	return kept
}

// rawImage is what objcopy -O binary makes of a kernel: its segments, at their physical addresses.
// Of the base it returns the virtual address.
func rawImage(t *testing.T, file *elf.File) (b []byte, base uint64) {
	t.Helper()
	low, high := ^uint64(0), uint64(0)
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			if p.Paddr < low {
				low, base = p.Paddr, p.Vaddr
			}
			high = max(high, p.Paddr+p.Filesz)
		}
	}
	require.Less(t, high-low, uint64(1<<28))
	b = make([]byte, high-low)
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			_, err := p.ReadAt(b[p.Paddr-low:][:p.Filesz], 0)
			require.NoError(t, err)
		}
	}
	return b, base
}
