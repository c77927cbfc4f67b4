//go:build kernels

package kerneltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkList compares whole processes: initsect and what one would use without it, in turn, so that
// a noisy machine slows both. The figures are medians; "times" is the median of the pairs' ratios.
func BenchmarkList(b *testing.B) {
	const id = "amd64-6.12" // a debug vmlinux of 340 MB with 189,000 symbols
	all := readKernels(b)
	dir := fetch(b, all[slices.IndexFunc(all, func(k kernel) bool { return k.id == id })])
	image := filepath.Join(dir, "vmlinux")
	stripped := filepath.Join(b.TempDir(), "vmlinux.stripped")
	run(b, "strip", "-o", stripped, image)
	initsect := buildInitsect(b)

	list := []string{initsect, "list", "--format", "tsv", image}
	listMap := []string{initsect, "list", "--format", "tsv", "--map", filepath.Join(dir, "System.map"), stripped}
	nm := []string{"sh", "-c", `nm -n "$0" | grep initcall`, image}
	readelf := []string{"readelf", "-sW", image}
	for _, pair := range []struct {
		name      string
		ours, his []string
	}{
		{"symtab/nm", list, nm},
		{"symtab/readelf", list, readelf},
		{"map/nm", listMap, nm},
		{"start/nm", []string{initsect, "--version"}, nm},
	} {
		b.Run(pair.name, func(b *testing.B) { comparePair(b, pair.ours, pair.his) })
	}
}

// BenchmarkBootImage lists boot images, and beside that undoes with the C tool the compression of their payloads alone.
// A list must not take more than 3 times as long (for xz 2 times), which is 0.33 and 0.5 times here, nor more than 3
// times the memory of the unpacked kernel. A raw image is compared with reading it.
func BenchmarkBootImage(b *testing.B) {
	initsect := buildInitsect(b)
	for _, k := range readKernels(b) {
		b.Run(k.id, func(b *testing.B) {
			image := filepath.Join(strings.TrimSpace(run(b, "./fetch", k.id)), "boot")
			// Other processes do it all: what this one holds would count as the peak of those that it starts.
			kernel, payload := filepath.Join(b.TempDir(), "kernel"), filepath.Join(b.TempDir(), "payload")
			var unpacked struct {
				Steps []struct {
					Offset, Size int64
					Compression  string
				}
			}
			require.NoError(b, json.Unmarshal([]byte(run(b, initsect, "unpack", "--format", "json", image, "-o", kernel)), &unpacked))
			theirs := []string{"cat", image}
			if n := len(unpacked.Steps); n > 0 {
				step := unpacked.Steps[n-1]
				run(b, "sh", "-c", fmt.Sprintf("tail -c +%d %q | head -c %d >%q", step.Offset+1, image, step.Size, payload))
				theirs = []string{step.Compression, "-dc", payload}
			}
			info, err := os.Stat(kernel)
			require.NoError(b, err)
			peak := comparePairs(b, 7, []string{initsect, "list", "--format", "tsv", image}, theirs)
			b.ReportMetric(float64(peak)*1024/float64(info.Size()), "times-the-kernel")
		})
	}
}

// BenchmarkDiff compares two debug vmlinux of 340 MB, and beside that lists the larger. A diff reads both
// at once: it must not take more than 2.5 times as long, which is 0.4 times here.
func BenchmarkDiff(b *testing.B) {
	var images []string
	for _, k := range readKernels(b) {
		if k.id == "amd64-6.1" || k.id == "amd64-6.12" {
			images = append(images, filepath.Join(fetch(b, k), "vmlinux"))
		}
	}
	initsect := buildInitsect(b)
	differ := []string{"sh", "-c", `"$0" diff "$1" "$2"; test $? = 1`, initsect, images[0], images[1]}
	comparePair(b, differ, []string{initsect, "list", images[1]})
}

// BenchmarkBoot reads a log of 200 MB as boot does, and as grep does: one boot, and what a machine may
// say after it.
func BenchmarkBoot(b *testing.B) {
	const id = "amd64-6.12"
	all := readKernels(b)
	dir := fetch(b, all[slices.IndexFunc(all, func(k kernel) bool { return k.id == id })])
	text, err := os.ReadFile(filepath.Join(dir, "boot.log"))
	require.NoError(b, err)
	var rest []byte
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte("call")) && !bytes.Contains(line, []byte("Linux version")) {
			rest = append(rest, line...)
		}
	}
	// Piece by piece: what this process holds would count as the peak of those that it starts.
	log := filepath.Join(b.TempDir(), "long.log")
	long, err := os.Create(log)
	require.NoError(b, err)
	for n := 0; n < 200<<20; n += len(rest) {
		_, err := long.Write(text)
		require.NoError(b, err)
		text = rest
	}
	require.NoError(b, long.Close())
	initsect := filepath.Join(b.TempDir(), "initsect")
	out, err := exec.Command("go", "build", "-trimpath", "-o", initsect, "../../cmd/initsect").CombinedOutput()
	require.NoError(b, err, "%s", out)
	b.Run("grep", func(b *testing.B) {
		comparePair(b, []string{initsect, "boot", "--format", "tsv", log}, []string{"grep", "-c", "calling", log})
	})
}

func comparePair(b *testing.B, ours, his []string) { comparePairs(b, 25, ours, his) }

// comparePairs reports the figures of so many runs of a pair, and returns our peak memory in KiB.
func comparePairs(b *testing.B, runs int, ours, his []string) (peak int64) {
	const warmup = 2
	var times, ourMS, hisMS []float64
	for b.Loop() {
		for i := range warmup + runs {
			a, rss := timed(b, ours)
			c, _ := timed(b, his)
			if i < warmup {
				continue
			}
			peak = max(peak, rss)
			ourMS, hisMS = append(ourMS, a), append(hisMS, c)
			times = append(times, c/a)
		}
	}
	b.ReportMetric(0, "ns/op") // means nothing for a pair
	b.ReportMetric(median(ourMS), "ms")
	b.ReportMetric(median(hisMS), "ms-other")
	b.ReportMetric(median(times), "times")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
	return peak
}

// timed runs a command and returns its wall time in milliseconds and its peak resident memory in KiB.
func timed(b *testing.B, command []string) (ms float64, rss int64) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout = io.Discard
	start := time.Now()
	err := cmd.Run()
	ms = float64(time.Since(start).Microseconds()) / 1000
	require.NoError(b, err, "%v", command)
	return ms, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
