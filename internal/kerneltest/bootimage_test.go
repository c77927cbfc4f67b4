//go:build kernels

package kerneltest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBootImages gives initsect nothing but the boot image, of every kernel even where INITSECT_KERNELS is ci: no
// debug package is fetched for the others.
func TestBootImages(t *testing.T) {
	require.Contains(t, os.Args, "-test.count=1", "run it with -count=1")
	all := readKernels(t)
	whole := chosen(t, all) // those with their debug packages
	kernels := whole
	if slices.Contains(strings.Fields(os.Getenv("INITSECT_KERNELS")), "ci") {
		kernels = all
	}
	initsect := buildInitsect(t)
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\timage MB\tinitcalls\tlog/list\tvmlinux/list\tmap/list\tentry symbols\tlist\ttotal")
	for _, k := range kernels {
		t.Run(k.id, func(t *testing.T) {
			v := bootVerdict{order: "-", vmlinux: "-", withMap: "-", entries: "-"}
			start := time.Now()
			defer func() {
				fmt.Fprintf(columns, "%s\t%.0f\t%d\t%s\t%s\t%s\t%s\t%.0f ms\t%.0f s\n", k.id, float64(v.size)/1e6, v.called,
					v.order, v.vmlinux, v.withMap, v.entries, v.list.Seconds()*1000, time.Since(start).Seconds())
			}()
			dir := ""
			if slices.Contains(whole, k) {
				dir = fetch(t, k)
			} else {
				dir = strings.TrimSpace(run(t, "./fetch", k.id))
			}
			judgeBootImage(t, initsect, k, dir, &v)
		})
	}
	columns.Flush()
	t.Logf("differing lines, given the boot image alone\n%s", table.String())
}

// bootVerdict is a line of the table at the end. What was not reached, or not compared for want of the debug
// package, is -.
type bootVerdict struct {
	size    int64
	called  int    // initcalls in the boot log
	order   string // lines in which list differs from the log
	vmlinux string // from list of the debug vmlinux, but for what the image cannot know
	withMap string // from the same, with the System.map
	entries string // whether the kernel's own symbols name the entries
	list    time.Duration
}

func judgeBootImage(t *testing.T, initsect string, k kernel, dir string, v *bootVerdict) {
	image := filepath.Join(dir, "boot")
	info, err := os.Stat(image)
	require.NoError(t, err)
	v.size = info.Size()
	called := bootedCalls(t, k, dir)
	v.called = len(called)

	start := time.Now()
	listed := listRows(t, initsect, image)
	v.list = time.Since(start)
	v.order = compare(t, "log", called, "list", column(listed, 5))
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	require.NoError(t, err)
	// The build says what the image can know: Debian's ppc64el image has the symbol table of a vmlinux.
	allSymbols := k.symbols == "boot" || strings.Contains(string(config), "\nCONFIG_KALLSYMS_ALL=y\n")
	v.entries = "no"
	if allSymbols {
		v.entries = "yes"
	}

	if vmlinux := filepath.Join(dir, "vmlinux"); exists(vmlinux) {
		want := listRows(t, initsect, vmlinux)
		v.withMap = compare(t, "vmlinux", want, "with map", listRows(t, initsect, "--map", systemMap(t, k, dir), image))
		requireNoDifference(t, initsect, image, vmlinux, allSymbols)
		requireSameTables(t, initsect, image, vmlinux, allSymbols)
		if !allSymbols {
			for i := range want {
				want[i] = withoutEntry(want[i])
			}
		}
		v.vmlinux = compare(t, "vmlinux", want, "list", listed)
	}

	out, err := exec.Command(initsect, "check", "--fail-on", "note", "--format", "tsv", image).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Len(t, strings.Split(strings.TrimSpace(string(out)), "\n"), 1, "%s", out) // the columns
	for _, i := range []int{0, len(listed) / 2, len(listed) - 1} {
		requireShown(t, initsect, image, strings.Split(listed[i], "\t"))
	}
}

// withoutEntry is a row of list as it is without entry symbols: these alone tell module and line, and the sync
// levels from their base levels. Nor has the kernel a pointer to the start of level rootfs, which is the tail of
// level 5.
func withoutEntry(row string) string {
	field := strings.Split(row, "\t")
	level, module, line, entry := &field[2], &field[6], &field[7], &field[8]
	switch *level {
	case "rootfs":
		*level = "5"
	case "console":
	default:
		*level = strings.TrimSuffix(*level, "s")
	}
	*module, *line, *entry = "-", "-", "-"
	return strings.Join(field, "\t")
}

// requireNoDifference fails the test unless the image and its vmlinux are the same to diff.
func requireNoDifference(t *testing.T, initsect, image, vmlinux string, allSymbols bool) {
	t.Helper()
	out, err := exec.Command(initsect, "diff", image, vmlinux).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "initcalls: no difference")
	for _, what := range []string{"sync levels", "names no modules", "bound its tables"} {
		require.NotEqual(t, allSymbols, strings.Contains(string(out), what), "%s: %s", what, out)
	}
}

// requireSameTables fails the test unless sections tells the same of the tables of initcalls, sections aside, which
// a raw image does not have; nor has init memory bounds without symbols.
func requireSameTables(t *testing.T, initsect, image, vmlinux string, allSymbols bool) {
	t.Helper()
	tables := func(file string) (rows [][]string) {
		for line := range strings.Lines(run(t, initsect, "sections", "--format", "tsv", file)) {
			field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if field[0] == "table" {
				rows = append(rows, slices.Delete(field, 6, 7))
			}
		}
		return rows
	}
	want := tables(vmlinux)
	require.Len(t, want, 2)
	for _, row := range want {
		startSymbol, endSymbol, region := &row[4], &row[5], &row[6]
		if !allSymbols {
			*startSymbol, *endSymbol, *region = "-", "-", "-"
		}
	}
	require.Equal(t, want, tables(image))
}

// requireShown fails the test unless show tells of an initcall what its row of list does.
func requireShown(t *testing.T, initsect, image string, row []string) {
	t.Helper()
	order, symbol := row[0], row[5]
	shown := run(t, initsect, "show", "--format", "tsv", image, symbol)
	for property, value := range map[string]string{"slot": "0x" + row[3], "target": "0x" + row[4], "level": row[2], "raw symbol": symbol} {
		assert.Contains(t, shown, order+"\t"+property+"\t"+value+"\n")
	}
}

// listRows returns the rows of `initsect list --format tsv`, which must succeed.
func listRows(t *testing.T, initsect string, arguments ...string) []string {
	t.Helper()
	tsv, stderr, status := list(t, initsect, arguments...)
	require.Equal(t, 0, status, "list %s: %s", arguments, stderr)
	header, rows, _ := strings.Cut(strings.TrimSuffix(tsv, "\n"), "\n")
	require.Equal(t, columns, header)
	return strings.Split(rows, "\n")
}

// column returns one field of each row.
func column(rows []string, n int) (fields []string) {
	for _, row := range rows {
		fields = append(fields, strings.Split(row, "\t")[n])
	}
	return fields
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
