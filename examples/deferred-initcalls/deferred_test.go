//go:build deferred

package deferredinitcalls

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// columns is the contract of `initsect list --format tsv`.
const columns = "order\ttable\tlevel\tslot\ttarget\tsymbol\tmodule\tline\tentry"

// deferred are the functions that the patch defers, in link order.
var deferred = []string{"piix_init", "ehci_hcd_init", "uhci_hcd_init"}

var initsect string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		// go test would else repeat an old result: it does not see what build and boot read.
		if !slices.Contains(os.Args, "-test.count=1") {
			println("run it with -count=1")
			return 1
		}
		dir, err := os.MkdirTemp("", "initsect")
		if err != nil {
			println(err.Error())
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		initsect = filepath.Join(dir, "initsect")
		out, err := exec.Command("go", "build", "-o", initsect, "../../cmd/initsect").CombinedOutput()
		if err != nil {
			println("building initsect:", err.Error(), string(out))
			return 1
		}
		return m.Run()
	}())
}

// folder is where build and boot leave what belongs to a variant.
func folder(variant string) string {
	build := os.Getenv("INITSECT_DEFERRED_BUILD")
	if build == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			panic(err)
		}
		build = filepath.Join(cache, "initsect", "deferred")
	}
	if variant == "deferred" || variant == "original" {
		return filepath.Join(build, variant)
	}
	return filepath.Join(build, "defects", variant)
}

// run is for the scripts of this folder, which speak on stderr.
func run(t *testing.T, name string, args ...string) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	require.NoError(t, cmd.Run(), "%s %s", name, strings.Join(args, " "))
}

// call is a line of `initsect list`, as far as it can be compared with a log.
type call struct{ table, level, symbol string }

// list runs `initsect list --format tsv`.
func list(t *testing.T, args ...string) (calls []call, tsv, stderr string, status int) {
	var out, errs bytes.Buffer
	cmd := exec.Command(initsect, append([]string{"list", "--format", "tsv"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	require.NotNil(t, cmd.ProcessState)
	status, tsv, stderr = cmd.ProcessState.ExitCode(), out.String(), errs.String()
	if status != 0 {
		return nil, tsv, stderr, status
	}
	header, rows, _ := strings.Cut(strings.TrimSuffix(tsv, "\n"), "\n")
	require.Equal(t, columns, header)
	for row := range strings.SplitSeq(rows, "\n") {
		field := strings.Split(row, "\t")
		require.Len(t, field, 9, "%s", row)
		calls = append(calls, call{field[1], field[2], field[5]})
	}
	return calls, tsv, stderr, status
}

// check runs `initsect check` and returns the rules that it finds broken, with the functions.
func check(t *testing.T, image string) (found []string, status int) {
	var out, errs bytes.Buffer
	cmd := exec.Command(initsect, "check", "--format", "json", image)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	require.NotNil(t, cmd.ProcessState)
	require.Empty(t, errs.String())
	var doc struct {
		Findings []struct{ Rule, Function, Message string } `json:"findings"`
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	for _, f := range doc.Findings {
		t.Logf("%s: %s", f.Rule, f.Message)
		found = append(found, strings.TrimSpace(f.Rule+" "+f.Function))
	}
	return found, cmd.ProcessState.ExitCode()
}

// requireBootImage fails the test unless list and check tell the same of a variant's boot image as of its vmlinux. The
// kernels have CONFIG_KALLSYMS_ALL: their own symbols name entries and boundaries, and no rule lacks anything.
func requireBootImage(t *testing.T, variant string) {
	t.Helper()
	vmlinux, image := filepath.Join(folder(variant), "vmlinux"), filepath.Join(folder(variant), "bzImage")
	_, want, refusal, wanted := list(t, vmlinux)
	_, got, stderr, status := list(t, image)
	assert.Equal(t, wanted, status, "%s", stderr)
	assert.Equal(t, want, got)
	assert.Equal(t, strings.ReplaceAll(refusal, vmlinux, image), stderr)
	broken, wanted := check(t, vmlinux)
	found, status := check(t, image)
	assert.Equal(t, wanted, status)
	assert.Equal(t, broken, found)
}

func symbolsOf(calls []call) []string {
	symbols := make([]string, len(calls))
	for i, c := range calls {
		symbols[i] = c.symbol
	}
	return symbols
}

// readLog returns what eventsOf finds in a variant's log.
func readLog(t *testing.T, variant, name string) []event {
	log, err := os.ReadFile(filepath.Join(folder(variant), name))
	require.NoError(t, err)
	events, strange := eventsOf(string(log))
	require.Empty(t, strange, "the log has calls that are none of the known kinds")
	return events
}

// build and boot a variant, and return its log and its image.
func boot(t *testing.T, variant string) ([]event, string) {
	run(t, "./build", variant)
	run(t, "./boot", variant)
	return readLog(t, variant, "boot.log"), filepath.Join(folder(variant), "vmlinux")
}

// find returns the index of the first line that begins with text.
func find(t *testing.T, events []event, text string) int {
	i := slices.IndexFunc(events, func(e event) bool { return strings.HasPrefix(e.text, text) })
	require.GreaterOrEqual(t, i, 0, "the log does not say %q", text)
	return i
}

const (
	userSpace = "example: user space runs"
	freeing   = "Freeing unused kernel image (initmem)"
	sealing   = "Write protecting the kernel"
	first     = "example: first read: '0'"
	second    = "example: second read: '1'"
	done      = "example: done"
)

func TestDeferred(t *testing.T) {
	events, image := boot(t, "deferred")

	// The boot: regular initcalls; user space; the deferred ones; and only then init memory goes.
	var at []int
	for _, text := range []string{userSpace, freeing, sealing, first, second, done} {
		at = append(at, find(t, events, text))
	}
	assert.True(t, slices.IsSorted(at), "%v", at)
	boot, read, rest := events[:at[0]], events[at[0]:at[1]], events[at[1]:]
	assert.Equal(t, deferred, callsOf(read), "between the start of user space and the freeing")
	assert.Empty(t, callsOf(rest), "after the freeing")
	for _, f := range deferred {
		assert.NotContains(t, callsOf(boot), f)
	}

	found, checked := check(t, image)
	assert.Empty(t, found)
	assert.Zero(t, checked)

	// The tool: the same calls, in the same order.
	calls, tsv, stderr, status := list(t, image)
	require.Equal(t, 0, status, "%s", stderr)
	assert.Equal(t, callsOf(events), symbolsOf(calls))
	t.Logf("%d initcalls called, %d listed", len(callsOf(events)), len(calls))
	n := len(calls) - len(deferred)
	for i, f := range deferred {
		assert.Equal(t, call{"deferred", "deferred", f}, calls[n+i])
	}
	for _, c := range calls[:n] {
		assert.NotEqual(t, "deferred", c.table, "%v", c)
	}

	t.Run("cost", func(t *testing.T) { requireDeferred(t, "boot.log") })

	t.Run("stripped", func(t *testing.T) {
		stripped := filepath.Join(t.TempDir(), "vmlinux")
		run(t, "strip", "-s", "-o", stripped, image)
		_, mapped, stderr, status := list(t, "--map", filepath.Join(folder("deferred"), "System.map"), stripped)
		require.Equal(t, 0, status, "%s", stderr)
		assert.Equal(t, tsv, mapped)
	})

	t.Run("boot image", func(t *testing.T) { requireBootImage(t, "deferred") })

	t.Run("two readers", func(t *testing.T) {
		run(t, "./boot", "--both", "deferred")
		events := readLog(t, "deferred", "boot-both.log")
		assert.Equal(t, symbolsOf(calls), callsOf(events), "they ran once")
		var read []string
		for _, e := range events {
			if _, text, ok := strings.Cut(e.text, " read: "); ok {
				read = append(read, text)
			}
		}
		assert.ElementsMatch(t, []string{"'0'", "'1'"}, read)
		assert.Greater(t, find(t, events, "example: "), 0)
		requireDeferred(t, "boot-both.log")
	})
}

// TestOriginal is the same kernel with CONFIG_DEFERRED_INITCALLS off.
func TestOriginal(t *testing.T) {
	events, image := boot(t, "original")
	at := []int{find(t, events, freeing), find(t, events, sealing), find(t, events, userSpace), find(t, events, done)}
	assert.True(t, slices.IsSorted(at), "%v", at)
	assert.Empty(t, callsOf(events[at[0]:]), "after the freeing")

	found, checked := check(t, image)
	assert.Empty(t, found)
	assert.Zero(t, checked)
	calls, _, stderr, status := list(t, image)
	require.Equal(t, 0, status, "%s", stderr)
	assert.Equal(t, callsOf(events), symbolsOf(calls))
	t.Logf("%d initcalls called, %d listed", len(callsOf(events)), len(calls))
	for _, f := range deferred {
		assert.Contains(t, calls, call{"initcall", "6", f})
	}

	requireBootImage(t, "original")

	costs(t, "original", "boot.log", "original")
	requireSaved(t)
	// Both have one banner, and differ in a few calls.
	requireRefused(t, "deferred", "original")
}
