//go:build kernels

package kerneltest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// columns is the contract of `initsect list --format tsv`.
const columns = "order\ttable\tlevel\tslot\ttarget\tsymbol\tmodule\tline\tentry"

// kernel is a line of kernels.tsv.
type kernel struct {
	id, arch, tier string
	symbols        string // dbg: in the debug package; boot: in the boot image itself
}

func readKernels(t testing.TB) []kernel {
	table, err := os.ReadFile("kernels.tsv")
	require.NoError(t, err)
	var all []kernel
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		require.Len(t, field, 9, "kernels.tsv: %s", line)
		all = append(all, kernel{id: field[0], arch: field[1], tier: field[2], symbols: field[6]})
	}
	return all
}

// chosen returns the kernels that INITSECT_KERNELS names: "ci", "all" (the default) or ids.
func chosen(t *testing.T, all []kernel) []kernel {
	words := strings.Fields(os.Getenv("INITSECT_KERNELS"))
	if len(words) == 0 {
		words = []string{"all"}
	}
	var kernels []kernel
	for _, word := range words {
		n := len(kernels)
		for _, k := range all {
			if word == "all" || word == k.tier || word == k.id {
				kernels = append(kernels, k)
			}
		}
		require.Greater(t, len(kernels), n, "INITSECT_KERNELS: no kernel is called %q", word)
	}
	return kernels
}

// verdict is a line of the table at the end. What was not reached is -.
type verdict struct {
	id, release        string
	called             int    // initcalls in the boot log
	judges             string // lines in which the log and the independent decode differ
	order, decode      string // lines in which list differs from the log; from the decode
	boots              string // calls that boot joined with their entries
	ownMap, wrongMap   string
	findings           string // exit status of check of the image, and of its stripped form with the map
	fetch, boot, total time.Duration
}

func TestKernels(t *testing.T) {
	// go test would else repeat an old result: it does not see that the initsect built here changed.
	require.Contains(t, os.Args, "-test.count=1", "run it with -count=1")
	all := readKernels(t)
	kernels := chosen(t, all)
	// Where it does not build, the judges are still compared with each other.
	initsect := filepath.Join(t.TempDir(), "initsect")
	out, err := exec.Command("go", "build", "-o", initsect, "../../cmd/initsect").CombinedOutput()
	if err != nil {
		t.Errorf("building initsect: %v\n%s", err, out)
	}

	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "kernel\trelease\tinitcalls\tlog/decode\tlog/list\tdecode/list"+
		"\tboot joined\town map\twrong map\tcheck\tfetch\tboot\ttotal")
	for _, k := range kernels {
		t.Run(k.id, func(t *testing.T) {
			v := verdict{
				id: k.id, release: "-", judges: "-", order: "-", decode: "-", boots: "-", ownMap: "-", wrongMap: "-", findings: "-",
			}
			start := time.Now()
			defer func() {
				v.total = time.Since(start)
				fmt.Fprintf(columns, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f s\t%.0f s\t%.0f s\n",
					v.id, v.release, v.called, v.judges, v.order, v.decode, v.boots, v.ownMap, v.wrongMap, v.findings,
					v.fetch.Seconds(), v.boot.Seconds(), v.total.Seconds())
			}()
			judge(t, initsect, k, other(all, k), &v)
		})
	}
	columns.Flush()
	t.Logf("differing lines\n%s", table.String())
}

// other chooses the kernel whose System.map must not pass for k's: the one that is most like it.
func other(all []kernel, k kernel) kernel {
	i := slices.IndexFunc(all, func(o kernel) bool {
		return o.arch == k.arch && o.id != k.id && o.symbols == "dbg"
	})
	if i < 0 {
		i = slices.IndexFunc(all, func(o kernel) bool { return o.id != k.id && o.symbols == "dbg" })
	}
	return all[i]
}

func judge(t *testing.T, initsect string, k, other kernel, v *verdict) {
	start := time.Now()
	dir := fetch(t, k)
	v.fetch = time.Since(start)
	release, err := os.ReadFile(filepath.Join(dir, "release"))
	require.NoError(t, err)
	v.release = strings.TrimSpace(string(release))

	start = time.Now()
	called := bootedCalls(t, k, dir)
	v.boot = time.Since(start)
	v.called = len(called)

	image := filepath.Join(dir, "vmlinux")
	if k.symbols == "boot" {
		image = filepath.Join(dir, "boot")
	}
	expected, err := decode(image, k.arch)
	require.NoError(t, err)
	v.judges = compare(t, "log", called, "decode", symbolsOf(expected))

	listed := listRows(t, initsect, image)
	t.Run("order", func(t *testing.T) {
		v.order = compare(t, "log", called, "list", column(listed, 5))
	})
	t.Run("decode", func(t *testing.T) {
		var want []string
		for i, e := range expected {
			want = append(want, e.tsv(i+1))
		}
		v.decode = compare(t, "decode", want, "list", listed)
	})

	t.Run("boot", func(t *testing.T) {
		v.boots = "failed"
		v.boots = strconv.Itoa(explained(t, initsect, filepath.Join(dir, "boot.log"), image))
		if other.symbols == "dbg" {
			refused(t, initsect, filepath.Join(dir, "boot.log"), filepath.Join(fetch(t, other), "vmlinux"))
		}
	})

	stripped := filepath.Join(t.TempDir(), "vmlinux.stripped")
	run(t, "strip", "-o", stripped, image)
	ownMap := systemMap(t, k, dir)
	t.Run("map", func(t *testing.T) {
		v.ownMap = "failed"
		v.ownMap = compare(t, "whole", listed, "stripped", listRows(t, initsect, "--map", ownMap, stripped))
	})
	t.Run("check", func(t *testing.T) {
		v.findings = "failed"
		for _, arguments := range [][]string{{image}, {"--map", ownMap, stripped}} {
			command := exec.Command(initsect, append([]string{"check", "--fail-on", "note", "--format", "tsv"}, arguments...)...)
			out, err := command.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Len(t, strings.Split(strings.TrimSpace(string(out)), "\n"), 1, "%s", out) // the columns
		}
		v.findings = "nothing"
	})
	t.Run("wrong map", func(t *testing.T) {
		v.wrongMap = "accepted"
		for _, wrong := range []struct{ name, file string }{
			{"another kernel's", systemMap(t, other, fetch(t, other))},
			{"Debian's stub", filepath.Join(dir, "System.map.stub")},
			{"all moved", movedMap(t, ownMap, "_text", "")},
			{"some moved", movedMap(t, ownMap, expected[len(expected)/2].symbol, "_einittext")},
		} {
			stdout, stderr, status := list(t, initsect, "--map", wrong.file, stripped)
			require.Equal(t, 2, status, "%s map %s: %s", wrong.name, wrong.file, stderr)
			require.Empty(t, stdout, "%s map %s", wrong.name, wrong.file)
			require.NotEmpty(t, stderr, "%s map %s", wrong.name, wrong.file)
			t.Logf("%s: %s", wrong.name, stderr)
			out, _ := exec.Command(initsect, "check", "--map", wrong.file, stripped).Output()
			require.Empty(t, out, "check with %s map %s", wrong.name, wrong.file)
		}
		v.wrongMap = "refused"
	})
}

// hasBooted has the directories of the kernels that this run of the tests booted.
var hasBooted = map[string]bool{}

// bootedCalls boots a kernel, if that was not done yet, and returns what it called.
func bootedCalls(t *testing.T, k kernel, dir string) []string {
	t.Helper()
	if !hasBooted[dir] {
		run(t, "./boot", k.id, dir)
		hasBooted[dir] = true
	}
	log, err := os.ReadFile(filepath.Join(dir, "boot.log"))
	require.NoError(t, err)
	called, strange := callsOf(string(log))
	require.Empty(t, strange, "the log has calls that are none of the known kinds")
	return called
}

// fetch returns the kernel's directory.
func fetch(t testing.TB, k kernel) string {
	arguments := []string{k.id}
	if k.symbols == "dbg" {
		arguments = []string{"--dbg", k.id}
	}
	return strings.TrimSpace(run(t, "./fetch", arguments...))
}

// systemMap returns the kernel's own System.map. It lies in the debug package; without one it is
// made as the kernel's build makes it, which is nm less some symbols (scripts/mksysmap).
func systemMap(t *testing.T, k kernel, dir string) string {
	if k.symbols == "dbg" {
		return filepath.Join(dir, "System.map")
	}
	var text strings.Builder
	for line := range strings.Lines(run(t, "nm", "-n", filepath.Join(dir, "boot"))) {
		if word := strings.Fields(line); len(word) == 3 && !strings.ContainsAny(word[1], "aNUw") {
			text.WriteString(line)
		}
	}
	file := filepath.Join(t.TempDir(), "System.map")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
	return file
}

// movedMap returns a copy of a System.map in which the symbols from one to before another are 16 bytes
// higher: what a build would give in which one function is that much longer, and alignment takes up
// the difference further on.
func movedMap(t *testing.T, file, from, to string) string {
	in, err := os.ReadFile(file)
	require.NoError(t, err)
	var out bytes.Buffer
	moving, moved := false, 0
	for line := range strings.Lines(string(in)) {
		digits, rest, _ := strings.Cut(line, " ")
		_, name, _ := strings.Cut(strings.TrimSpace(rest), " ")
		moving = (moving || name == from) && name != to
		if moving {
			address, err := strconv.ParseUint(digits, 16, 64)
			require.NoError(t, err)
			line = fmt.Sprintf("%0*x %s", len(digits), address+16, rest)
			moved++
		}
		out.WriteString(line)
	}
	require.NotZero(t, moved, "%s: no symbol %s", file, from)
	copied := filepath.Join(t.TempDir(), "System.map")
	require.NoError(t, os.WriteFile(copied, out.Bytes(), 0o644))
	return copied
}

// run returns a command's stdout; one that fails fails the test.
func run(t testing.TB, name string, arguments ...string) string {
	var stderr bytes.Buffer
	command := exec.Command(name, arguments...)
	command.Stderr = &stderr
	out, err := command.Output()
	t.Logf("%s %s\n%s", name, strings.Join(arguments, " "), stderr.String())
	require.NoError(t, err)
	return string(out)
}

// list runs `initsect list --format tsv` and returns what it wrote and its exit status.
func list(t *testing.T, initsect string, arguments ...string) (stdout, stderr string, status int) {
	var out, messages bytes.Buffer
	command := exec.Command(initsect, append([]string{"list", "--format", "tsv"}, arguments...)...)
	command.Stdout, command.Stderr = &out, &messages
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), messages.String(), command.ProcessState.ExitCode()
}

// buildInitsect builds the command.
func buildInitsect(t testing.TB) string {
	initsect := filepath.Join(t.TempDir(), "initsect")
	build := exec.Command("go", "build", "-trimpath", "-o", initsect, "../../cmd/initsect")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return initsect
}

func symbolsOf(entries []entry) []string {
	var symbols []string
	for _, e := range entries {
		symbols = append(symbols, e.symbol)
	}
	return symbols
}

// compare fails the test where the two differ, line for line: the order is what is judged, and names
// occur more than once. It returns the number of differing lines.
func compare(t *testing.T, wantName string, want []string, gotName string, got []string) string {
	at := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(nothing)"
	}
	different := 0
	for i := range max(len(want), len(got)) {
		if at(want, i) == at(got, i) {
			continue
		}
		different++
		if different <= 10 {
			t.Errorf("line %d\n%8s: %s\n%8s: %s", i+1, wantName, at(want, i), gotName, at(got, i))
		}
	}
	if different > 10 {
		t.Errorf("and %d more lines differ", different-10)
	}
	return strconv.Itoa(different)
}
