package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/check"
	"github.com/initsect/initsect/internal/render"
)

const spoiltDir = fixtureDir + "/spoilt"

// defect is what is told of a finding in defects.tsv: its rule, the function or
// the boundary symbol that it is about, and the address; "" for what it has
// not. The table was made with nm, readelf and objdump, by one who knew what
// was spoilt.
type defect struct {
	Rule     string `json:"rule"`
	Function string `json:"function"`
	Symbol   string `json:"symbol"`
	Address  string `json:"address"`
}

// spoilt returns the defects of each spoilt kernel by its name, none for the
// sound ones among them.
func spoilt(t *testing.T) map[string][]defect {
	t.Helper()
	kernels := map[string][]defect{}
	for _, row := range readRows(t, filepath.Join(spoiltDir, "defects.tsv")) {
		require.Len(t, row, 5)
		for i, column := range row {
			if column == "-" {
				row[i] = ""
			}
		}
		if row[4] != "" {
			row[4] = "0x" + row[4]
		}
		name, d := row[0], defect{row[1], row[2], row[3], row[4]}
		if d == (defect{}) {
			kernels[name] = []defect{}
			continue
		}
		kernels[name] = append(kernels[name], d)
	}
	return kernels
}

// checkFormats are the forms of output that the command has.
func checkFormats(t *testing.T) []render.Format {
	t.Helper()
	cmd, _, err := newRoot(streams{}).Find([]string{"check"})
	require.NoError(t, err)
	formats := cmd.Flags().Lookup("format").Value.(*formatFlag).allowed
	require.Contains(t, formats, render.JSON)
	return formats
}

// Each spoilt kernel gives the findings that are told of it and no others,
// and the same exit status in every format: 1 if one of them is an error.
func TestDefects(t *testing.T) {
	formats := checkFormats(t)
	for name, want := range spoilt(t) {
		t.Run(name, func(t *testing.T) {
			wantStatus := 0
			for _, d := range want {
				if severityOf(t, d.Rule) == check.Error {
					wantStatus = 1
				}
			}
			for _, format := range formats {
				status, stdout, stderr := initsect("check", "--format", string(format), filepath.Join(spoiltDir, name))
				require.Empty(t, stderr, format)
				require.Equal(t, wantStatus, status, format)
				for _, d := range want {
					require.Contains(t, stdout, d.Rule, format)
				}
				if format == render.JSON {
					require.ElementsMatch(t, want, foundDefects(t, stdout))
				}
			}
		})
	}
}

func severityOf(t *testing.T, id string) check.Severity {
	t.Helper()
	i := slices.IndexFunc(check.Rules, func(r *check.Rule) bool { return r.ID == id })
	require.GreaterOrEqual(t, i, 0, id)
	return check.Rules[i].Severity
}

// foundDefects returns the findings of a document of check. All are new, as no
// baseline and no policy was given.
func foundDefects(t *testing.T, document string) []defect {
	t.Helper()
	var doc struct {
		Findings []struct {
			defect
			Status string `json:"status"`
		} `json:"findings"`
	}
	require.NoError(t, json.Unmarshal([]byte(document), &doc))
	require.NotNil(t, doc.Findings, "an empty list is a list")
	found := []defect{}
	for _, f := range doc.Findings {
		require.Equal(t, "new", f.Status)
		found = append(found, f.defect)
	}
	return found
}

// No spoilt kernel is without an expectation, and no rule that a kernel can
// break by itself is without a kernel that breaks it.
func TestDefectsAreComplete(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(spoiltDir, "*-*-*"))
	require.NoError(t, err)
	var built, told []string
	for _, file := range files {
		built = append(built, filepath.Base(file))
	}
	broken := map[string]bool{}
	for name, defects := range spoilt(t) {
		told = append(told, name)
		for _, d := range defects {
			broken[d.Rule] = true
		}
	}
	slices.Sort(told)
	require.Equal(t, built, told)
	for _, rule := range check.Rules {
		ofPolicy := strings.HasPrefix(rule.ID, "IS3")
		require.Equal(t, !ofPolicy, broken[rule.ID], rule.ID)
	}
}
