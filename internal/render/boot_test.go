package render

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/report"
)

// hostileBoot is a document whose texts would break out of wherever they stand.
func hostileBoot() *report.Boot {
	const evil = "a\x1b[31m</script><b>\"'|,\tb\n]]>"
	us := func(n int64) *int64 { return &n }
	return &report.Boot{
		Log: report.BootLog{
			Path: evil, Source: "printk", Clock: "boot", Banner: ptr(evil), Release: ptr(evil), Trouble: ptr(evil),
			UserSpace: us(4_000_000), Unreadable: 1, Samples: []report.Unreadable{{Line: 1, Text: evil}},
		},
		Image:  &report.Image{Path: evil},
		Total:  report.BootTotals{Calls: 2, Measured: 1, Sum: 1_000_000},
		Levels: []report.BootLevel{{Level: "6", Entries: ptr(3), BootTotals: report.BootTotals{Calls: 2, Sum: 1_000_000}}},
		Calls: []report.BootCall{
			{
				Number: 1, Kind: "initcall", Level: "6", Function: evil, Module: ptr(evil), PID: ptr(1), Start: us(1_000_000), End: us(2_000_000),
				Duration: us(1_000_000), Return: ptr(-19), Error: ptr("ENODEV"), Status: "returned", Remark: ptr(evil),
				Entry: &report.BootEntry{Order: 1, Table: "initcall", Level: "6", Symbol: ptr(evil), Module: ptr(evil), Line: ptr(3)},
			},
			{Number: 2, Kind: "unknown", Level: "unknown", Function: evil, Start: us(3_000_000), Status: "running", LogLine: 9},
		},
		NotCalled:  []report.NotCalled{{BootEntry: report.BootEntry{Order: 2, Table: "initcall", Level: "6", Symbol: ptr(evil)}, Reason: "lost", Detail: evil}},
		Failures:   []report.Failure{{Return: -19, Error: ptr("ENODEV"), Calls: []int{1}}},
		Unended:    []int{2},
		Gaps:       []report.Gap{{After: 1, Before: 2, Start: 2_000_000, Length: 1_000_000}},
		Candidates: []report.Candidate{{Call: 1, Saves: 1_000_000, Devices: []string{evil}}},
		Async:      []report.AsyncCall{{Cookie: evil, Function: evil, Start: us(1_500_000), End: us(1_600_000), Duration: us(100_000), Status: "returned"}},
		Waits:      []report.AsyncWait{{PID: 1, Duration: 5}},
		Probes:     []report.Probe{{Device: evil, Duration: 5}},
		Notes:      []string{evil},
	}
}

func boot(t *testing.T, doc *report.Boot, f Format) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Boot(0)(&out, doc, f, Style{}))
	return out.String()
}

func TestHostileBoot(t *testing.T) {
	doc := hostileBoot()
	for _, f := range BootFormats {
		text := boot(t, doc, f)
		if f == HTML || f == SVG {
			require.NotContains(t, text, "</script><b>", f)
		}
		if f != HTML { // a browser is no terminal
			require.NotContains(t, text, "\x1b", f)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(boot(t, doc, CSV))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4, "a header, two calls, one entry that was not called")
	require.Equal(t, []string{"-", "2", "initcall", "6"}, rows[3][:4])
	require.Equal(t, "lost", rows[3][12])
	for line := range strings.Lines(boot(t, doc, TSV)) {
		require.Equal(t, 14, strings.Count(line, "\t"))
	}
}

func TestBootText(t *testing.T) {
	text := boot(t, hostileBoot(), Text)
	for _, part := range []string{
		"by level", "slowest", "returned an error", "without a return", "gaps between calls", "asynchronous calls (1", "probes of devices",
		"not called (1)", "candidates for deferral: 1 call would save up to 1000.000 ms", "notes",
	} {
		require.Contains(t, text, "\n"+part)
	}
	require.Contains(t, text, "the log says: ")
	require.NotContains(t, text, " \n", "no line ends in a space")
}

// The picture is XML, and has each call once, where its times put it.
func TestBootSVG(t *testing.T) {
	type element struct {
		class, x, width string
	}
	var bars []element
	decoder := xml.NewDecoder(strings.NewReader(boot(t, hostileBoot(), SVG)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "rect" {
			continue
		}
		attr := map[string]string{}
		for _, a := range start.Attr {
			attr[a.Name.Local] = a.Value
		}
		if name, ok := strings.CutPrefix(attr["class"], "bar "); ok && attr["width"] != "14" {
			bars = append(bars, element{name, attr["x"], attr["width"]})
		}
	}
	// 1 s to 4 s are 1410 pixels, from 170 on.
	require.Equal(t, []element{{"failed", "170.00", "469.40"}, {"unended", "1110.00", "0.80"}, {"async", "405.00", "46.40"}}, bars)
}

func TestBootWithoutTimes(t *testing.T) {
	doc := hostileBoot()
	doc.Log.UserSpace, doc.Async = nil, nil
	for i := range doc.Calls {
		doc.Calls[i].Start, doc.Calls[i].End = nil, nil
	}
	require.Contains(t, boot(t, doc, SVG), "have no times")
	require.Contains(t, boot(t, doc, HTML), "there is no timeline")
	require.Contains(t, boot(t, doc, Text), "slowest")
}

func TestTicks(t *testing.T) {
	labels := func(from, to int64, n int) string {
		var list []string
		for _, mark := range (&timeline{From: from, To: to}).ticks(n) {
			list = append(list, mark.Label)
		}
		return strings.Join(list, ", ")
	}
	require.Equal(t, "0.5 s, 1.0 s, 1.5 s, 2.0 s", labels(156_000, 2_300_000, 5))
	require.Equal(t, "0 s, 20 s, 40 s", labels(0, 40_000_000, 2))
	require.Equal(t, "1.00000 s, 1.00001 s, 1.00002 s", labels(1_000_000, 1_000_020, 2))
	require.Equal(t, "-0.5 s, 0.0 s, 0.5 s", labels(-600_000, 600_000, 3))
}

func TestTopCutsLists(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Boot(1)(&out, hostileBoot(), Text, Style{}))
	require.Contains(t, out.String(), "\nslowest\n", "there is but one with a time")
	doc := hostileBoot()
	doc.Gaps = append(doc.Gaps, doc.Gaps...)
	out.Reset()
	require.NoError(t, Boot(1)(&out, doc, Text, Style{}))
	require.Contains(t, out.String(), "gaps between calls, the first 1\n")
}
