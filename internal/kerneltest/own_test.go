//go:build kernels && own

package kerneltest

import (
	"bytes"
	"encoding/json"
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
)

// ownKernel is a line of own/kernels.tsv.
type ownKernel struct {
	id, objects string
	all         bool // symbols of data are in kallsyms, too
}

// ownKernels returns those that INITSECT_OWN names, or all.
func ownKernels(t *testing.T) []ownKernel {
	table, err := os.ReadFile("own/kernels.tsv")
	require.NoError(t, err)
	wanted := strings.Fields(os.Getenv("INITSECT_OWN"))
	var kernels []ownKernel
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		require.Len(t, field, 4, "own/kernels.tsv: %s", line)
		if len(wanted) == 0 || slices.Contains(wanted, field[0]) {
			kernels = append(kernels, ownKernel{field[0], field[1], strings.Contains(field[3], "CONFIG_KALLSYMS_ALL=y")})
		}
	}
	require.GreaterOrEqual(t, len(kernels), max(1, len(wanted)), "INITSECT_OWN: not all are kernels of own/kernels.tsv: %q", wanted)
	return kernels
}

// ownFolder is where own/build and own/boot leave what belongs to a kernel.
func ownFolder(t *testing.T, k ownKernel) string {
	build := os.Getenv("INITSECT_OWN_BUILD")
	if build == "" {
		cache, err := os.UserCacheDir()
		require.NoError(t, err)
		build = filepath.Join(cache, "initsect", "own")
	}
	return filepath.Join(build, k.id)
}

// Kernels that nobody distributes: each calls its initcalls in the order that list prints of its vmlinux
// and of its boot image, with a System.map and with nothing else.
func TestOwn(t *testing.T) {
	require.Contains(t, os.Args, "-test.count=1", "run it with -count=1")
	initsect := buildInitsect(t)
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\tinitcalls\tlinked\twith map\tstripped\tboot image\twith map\tbuild\tboot")
	for _, k := range ownKernels(t) {
		t.Run(k.id, func(t *testing.T) {
			v := ownVerdict{linked: "-", linkedMap: "-", stripped: "-", image: "-", imageMap: "-"}
			defer func() {
				fmt.Fprintf(columns, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s s\t%.0f s\n", k.id, v.called, v.linked, v.linkedMap,
					v.stripped, v.image, v.imageMap, v.build, v.boot.Seconds())
			}()
			judgeOwn(t, initsect, k, &v)
		})
	}
	columns.Flush()
	t.Logf("differing lines\n%s", table.String())
}

// ownVerdict is a line of the table at the end. What was not reached is -.
type ownVerdict struct {
	called                                       int    // initcalls in the boot log
	linked, linkedMap, stripped, image, imageMap string // lines in which list differs from the log
	build                                        string // what the build took when it was made, in seconds
	boot                                         time.Duration
}

func judgeOwn(t *testing.T, initsect string, k ownKernel, v *ownVerdict) {
	run(t, "own/build", k.id)
	dir := ownFolder(t, k)
	seconds, err := os.ReadFile(filepath.Join(dir, "seconds"))
	require.NoError(t, err)
	v.build = strings.TrimSpace(string(seconds))
	start := time.Now()
	run(t, "own/boot", k.id)
	v.boot = time.Since(start)
	log, err := os.ReadFile(filepath.Join(dir, "boot.log"))
	require.NoError(t, err)
	called, strange := callsOf(string(log))
	require.Empty(t, strange, "the log has calls that are none of the known kinds")
	v.called = len(called)

	linked, image := filepath.Join(dir, "vmlinux"), filepath.Join(dir, "boot")
	systemMap := filepath.Join(dir, "System.map")
	names, err := readSymbols(linked, 8)
	require.NoError(t, err)
	if k.objects == "riscv64" {
		for _, arguments := range [][]string{{linked}, {"--map", systemMap, linked}} {
			stdout, stderr, status := list(t, initsect, arguments...)
			require.Equal(t, 2, status, "list %v: %s", arguments, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, "vmlinux.relocs")
			t.Log(stderr)
		}
		linked += ".relocs"
	}
	if k.objects == "thinlto" {
		requireStubs(t, linked)
	}
	stripped := filepath.Join(t.TempDir(), "vmlinux.stripped")
	run(t, map[string]string{"riscv64": "riscv64-linux-gnu-strip", "thinlto": "strip"}[k.objects], "-o", stripped, linked)

	for _, input := range []struct {
		name      string
		whole     bool // its symbols are those of vmlinux
		differing *string
		arguments []string
	}{
		{"linked", true, &v.linked, []string{linked}},
		{"linked, map", true, &v.linkedMap, []string{"--map", systemMap, linked}},
		{"stripped, map", true, &v.stripped, []string{"--map", systemMap, stripped}},
		{"boot image", k.all, &v.image, []string{image}},
		{"boot image, map", true, &v.imageMap, []string{"--map", systemMap, image}},
	} {
		t.Run(input.name, func(t *testing.T) {
			*input.differing = "failed"
			tsv, stderr, status := list(t, initsect, input.arguments...)
			require.Equal(t, 0, status, "%s", stderr)
			rows := strings.Split(strings.TrimSuffix(tsv, "\n"), "\n")
			require.Equal(t, columns, rows[0])
			requireNamed(t, names, rows[1:], input.whole)
			*input.differing = compare(t, "log", called, "list", rawSymbols(t, initsect, input.arguments))
		})
	}
}

// rawSymbols are the names that the linker gave to the functions that list prints. The entries of a kernel
// of link-time optimisation point to stubs (__initstub__kmod_…), whose names the kernel logs.
func rawSymbols(t *testing.T, initsect string, arguments []string) (raw []string) {
	var out, messages bytes.Buffer
	command := exec.Command(initsect, append([]string{"list", "--format", "json"}, arguments...)...)
	command.Stdout, command.Stderr = &out, &messages
	require.NoError(t, command.Run(), "%s", messages.String())
	var doc struct {
		Initcalls []struct {
			Raw string `json:"raw_symbol"`
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	for _, i := range doc.Initcalls {
		raw = append(raw, i.Raw)
	}
	return raw
}

// requireNamed fails the test unless the rows are what nm tells of the slots and targets that they have. Without
// symbols of data that is less what entry symbols tell.
func requireNamed(t *testing.T, names *symbolTable, rows []string, whole bool) {
	var want []string
	for i, row := range rows {
		field := strings.Split(row, "\t")
		require.Len(t, field, 9, "%s", row)
		e := entry{table: field[1], slot: address(t, field[3]), target: address(t, field[4])}
		require.NoError(t, names.describe(&e))
		if !whole {
			e.name, e.module, e.lineNo = "-", "-", "-"
			if e.level = strings.TrimSuffix(e.level, "s"); e.level == "rootf" {
				e.level = "5" // its tail: the kernel has no pointer to its start
			}
		}
		want = append(want, e.tsv(i+1))
	}
	compare(t, "nm", want, "list", rows)
}

// A function's label, and an instruction that goes to one, as objdump prints them:
//
//	ffffffff81924db5 <__initstub__kmod_core__416_2214_init_hw_perf_eventsearly>:
//	ffffffff81924db9:	eb 05                	jmp    ffffffff81924dc0 <init_hw_perf_events>
var (
	labelLine = regexp.MustCompile(`^[0-9a-f]{16} <(\S+)>:$`)
	goesTo    = regexp.MustCompile(`\t(?:jmp|call) +[0-9a-f]+ <([^>+]+)>$`)
)

// requireStubs fails the test unless each stub jumps to the function in its name, or holds it: then no
// function of that name is left.
func requireStubs(t *testing.T, image string) {
	functions, jumps := map[string]bool{}, map[string][]string{}
	var label string
	for line := range strings.Lines(run(t, "objdump", "-d", image)) {
		line = strings.TrimSuffix(line, "\n")
		if m := labelLine.FindStringSubmatch(line); m != nil {
			label = m[1]
			functions[label] = true
		} else if m := goesTo.FindStringSubmatch(line); m != nil {
			jumps[label] = append(jumps[label], m[1])
		}
	}
	stubs, holding := 0, 0
	for stub := range functions {
		m := initcallName.FindStringSubmatch(strings.Replace(stub, "__initstub", "__initcall", 1))
		if m == nil {
			continue
		}
		stubs++
		if !slices.Contains(jumps[stub], m[4]) {
			holding++
			require.NotContains(t, functions, m[4], stub)
		}
	}
	require.Greater(t, stubs-holding, 50, "too few to judge what the stubs are for")
	t.Logf("%d stubs, %d hold their function", stubs, holding)
}

func address(t *testing.T, digits string) uint64 {
	a, err := strconv.ParseUint(digits, 16, 64)
	require.NoError(t, err)
	return a
}
