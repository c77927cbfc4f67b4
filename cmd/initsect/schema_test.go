package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

func compileSchema(t *testing.T, command string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect." + command + ".v1.json")
	require.NoError(t, err)
	return schema
}

func requireValid(t *testing.T, schema *jsonschema.Schema, args ...string) map[string]any {
	t.Helper()
	status, stdout, stderr := initsect(append(args[:1:1], append([]string{"--format", "json"}, args[1:]...)...)...)
	require.Empty(t, stderr)
	require.Zero(t, status)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(doc))
	return doc.(map[string]any)
}

// Every document of every fixture is as its schema says, and holds the rows of
// the independent expectation.
func TestSchemas(t *testing.T) {
	list, sections, show := compileSchema(t, "list"), compileSchema(t, "sections"), compileSchema(t, "show")
	syms := compileSchema(t, "symbols")
	for path, tsv := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			args := fixtureArgs(path)
			doc := requireValid(t, list, append([]string{"list"}, args...)...)
			want := readRows(t, tsv)
			calls := doc["initcalls"].([]any)
			require.Len(t, calls, len(want))
			for i, row := range want {
				requireRow(t, row, calls[i].(map[string]any))
			}
			requireValid(t, sections, append([]string{"sections"}, args...)...)
			requireValid(t, show, append(append([]string{"show"}, args...), want[0][5])...)
			if list := doc["image"].(map[string]any); list["container"] != "archive" {
				requireValid(t, syms, append([]string{"symbols"}, args...)...)
			}
		})
	}
}

// requireRow compares an initcall of a document with the columns order table
// level slot target symbol module line entry.
func requireRow(t *testing.T, row []string, call map[string]any) {
	t.Helper()
	text := func(key string) string {
		if s, ok := call[key].(string); ok {
			return strings.TrimPrefix(s, "0x")
		}
		return "-"
	}
	entry := "-"
	if e, ok := call["entry"].(map[string]any); ok {
		entry = e["symbol"].(string)
	}
	require.Equal(t, row[1:7], []string{
		text("table"), text("level"), text("slot"), text("target"), text("symbol"), text("module"),
	})
	require.Equal(t, row[8], entry)
}

func readRows(t *testing.T, tsv string) [][]string {
	t.Helper()
	f, err := os.Open(tsv)
	require.NoError(t, err)
	defer f.Close()
	var rows [][]string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		rows = append(rows, strings.Split(scan.Text(), "\t"))
	}
	return rows[1:]
}

// The document of every boot image is as its schema says.
func TestUnpackSchema(t *testing.T) {
	schema := compileSchema(t, "unpack")
	images, err := filepath.Glob("../../internal/unpack/testdata/image.*")
	require.NoError(t, err)
	require.NotEmpty(t, images)
	for _, image := range append(images, fixtureDir+"/amd64-prel32-6.12") {
		doc := requireValid(t, schema, "unpack", image)
		require.Equal(t, image, doc["path"])
		require.Nil(t, doc["output"])
	}
}
