package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

const fixtureDir = "../../testdata/vmlinux-fixtures/"

// saved is the list of a fixture as a file holds it.
func saved(t testing.TB, fixture string, filter elfscan.Filter) ([]byte, *List) {
	t.Helper()
	path := fixtureDir + fixture
	var opt elfscan.Options
	if name, ok := strings.CutSuffix(path, ".stripped"); ok {
		opt.Map = name + ".map"
	}
	im, err := elfscan.Open(path, opt)
	require.NoError(t, err)
	defer im.Close()
	l, err := im.List(elfscan.ListOptions{})
	require.NoError(t, err)
	l, err = l.Select(filter)
	require.NoError(t, err)
	doc := NewList(im, l)
	text, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	return text, doc
}

// What list writes of any fixture is read back as it was.
func TestReadListReadsWhatListWrites(t *testing.T) {
	tsvs, err := filepath.Glob(fixtureDir + "*.tsv")
	require.NoError(t, err)
	require.Greater(t, len(tsvs), 45)
	for _, tsv := range tsvs {
		fixture := strings.TrimSuffix(filepath.Base(tsv), ".tsv")
		t.Run(fixture, func(t *testing.T) {
			text, want := saved(t, fixture, elfscan.Filter{})
			got, err := ReadList(bytes.NewReader(text))
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

// edit returns the document with one value changed, by the keys and elements
// that lead to it; nil removes it.
func edit(t *testing.T, text []byte, value any, path ...any) string {
	t.Helper()
	var doc any
	require.NoError(t, json.Unmarshal(text, &doc))
	at := doc
	for _, step := range path[:len(path)-1] {
		if key, ok := step.(string); ok {
			at = at.(map[string]any)[key]
		} else {
			at = at.([]any)[step.(int)]
		}
	}
	key := path[len(path)-1].(string)
	if value == nil {
		require.Contains(t, at, key)
		delete(at.(map[string]any), key)
	} else {
		at.(map[string]any)[key] = value
	}
	edited, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(edited)
}

func TestReadListRefuses(t *testing.T) {
	text, _ := saved(t, "amd64-prel32-6.12", elfscan.Filter{})
	filtered, _ := saved(t, "amd64-prel32-6.12", elfscan.Filter{Levels: []elfscan.Level{elfscan.Level6}})
	empty, _ := saved(t, "amd64-prel32-6.12", elfscan.Filter{Module: "none"})
	with := func(value any, path ...any) string { return edit(t, text, value, path...) }
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "cut off after 0 bytes"},
		{"cut off", string(text[:len(text)/2]), "the document is cut off after "},
		{"not JSON", `{"schema": nonsense}`, "not JSON at byte "},
		{"text behind", string(text) + "{}", "not JSON at byte "},
		{"an array", "[1]", "array"},
		{"other JSON", `{"name": "initsect"}`, "no document of initsect"},
		{"a foreign schema", `{"schema": {"name": "spdx", "version": 1}}`, "no document of initsect"},
		{"a schema that is text", `{"schema": "initsect.list"}`, "schema is a string"},
		{"another document", `{"schema": {"name": "initsect.sections", "version": 1}}`, "a document initsect.sections, where initsect.list is needed"},
		{"a later version", `{"schema": {"name": "initsect.list", "version": 2}}`, "version 2 of initsect.list is unknown: this program reads version 1"},
		{"a missing key", with(nil, "sync_known"), "sync_known is missing"},
		{"a missing key of a row", with(nil, "initcalls", 2, "module"), "initcalls: element 3: module is missing"},
		{"an unknown key", with(1, "initcalls", 0, "priority"), `initcalls: element 1: "priority" is not known`},
		{"a wrong type", with("1", "initcalls", 0, "order"), "initcalls.order is a string"},
		{"a filter", string(filtered), "it has 5 of the 40 initcalls that its tables count: if it was written with --level"},
		{"a filter that nothing passes", string(empty), "it has 0 of the 40 initcalls"},
		{"no rows", with([]any{}, "tables"), "it has 40 initcalls, but its tables count 0"},
		{"an order twice", with(1, "initcalls", 1, "order"), "the orders are not 1 to 40"},
		{"an order too high", with(41, "initcalls", 39, "order"), "the orders are not 1 to 40"},
		{"a negative order", with(-1, "initcalls", 0, "order"), "the orders are not 1 to 40"},
		{"an unknown level", with("8", "initcalls", 9, "level"), `initcall 10: unknown level "8"`},
		{"a level by its name", with("device", "initcalls", 9, "level"), `initcall 10: unknown level "device"`},
		{"an unknown table", with("init", "initcalls", 9, "table"), `initcall 10: unknown table "init"`},
		{"a row of another level", with("7", "initcalls", 9, "level"), `initcall 10 is of table "initcall" at level 7, where one of table "initcall" at level `},
		{
			"rows whose levels are swapped", edit(t, []byte(with("2", "initcalls", 4, "level")), "0", "initcalls", 9, "level"),
			`initcall 5 is of table "initcall" at level 2, where one of table "initcall" at level 0 is counted`,
		},
		{"a row of another table", with("deferred", "initcalls", 9, "table"), `initcall 10 is of table "deferred" at level `},
		{"an unknown table of the tables", with("init", "tables", 0, "table"), `table "init": there is no such table`},
		{"a table twice", with("console", "tables", 1, "table"), `table "console" comes after table "console"`},
		{"an unknown level of a table", with("8", "tables", 1, "levels", 0, "level"), `table "initcall": unknown level "8"`},
		{"a count", with(35, "tables", 1, "count"), "are not 136 bytes"},
		{"a negative count", with(-1, "tables", 1, "count"), "-1 entries of 4 bytes"},
		{"a count of a level", with(5, "tables", 1, "levels", 0, "count"), "its levels have 37 entries, itself 34"},
		{"a negative count of a level", with(-5, "tables", 1, "levels", 0, "count"), "has -5 of 34 entries"},
		{"an entry of no bytes", with(0, "tables", 0, "entry_size"), "2 entries of 0 bytes"},
		{"bytes", with(9, "tables", 0, "bytes"), "2 entries of 4 bytes are not 9 bytes"},
		{"an edge", with("12", "tables", 0, "start", "address"), `"12" is no address`},
		{"an edge of a level", with("x", "tables", 0, "levels", 0, "start", "address"), `"x" is no address`},
		{"a slot", with("0xG", "initcalls", 0, "slot"), `"0xG" is no address`},
		{"a target", with("", "initcalls", 0, "target"), `"" is no address`},
		{"a line", with(0, "initcalls", 0, "line"), "initcall 1: line 0"},
		{"a container", with("bzImage", "image", "container"), `unknown container "bzImage"`},
		{"an encoding", with("rel16", "image", "encoding"), `unknown encoding "rel16"`},
		{"an encoding of a table", with("rel16", "tables", 0, "encoding"), `table "console": unknown encoding "rel16"`},
		{"a layout", with("struct", "tables", 0, "layout"), `table "console": unknown layout "struct"`},
		{"bits", with(16, "image", "bits"), "a machine of 16 bits"},
		{"a byte order", with("middle", "image", "byte_order"), `unknown byte order "middle"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := ReadList(strings.NewReader(test.text))
			require.ErrorContains(t, err, test.want)
			require.Nil(t, doc)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// spaces is a stream without end.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestReadListBounds(t *testing.T) {
	_, err := ReadList(spaces{})
	require.EqualError(t, err, "a document of more than 16777216 bytes")
	_, err = ReadList(io.MultiReader(strings.NewReader("{"), failing{}))
	require.ErrorContains(t, err, "the disk is gone")
	_, err = ReadList(strings.NewReader(strings.Repeat("[", 1<<20)))
	require.Error(t, err)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestIsDocument(t *testing.T) {
	for _, test := range []struct {
		head string
		want bool
	}{
		{"{", true},
		{"\r\n\t {\"schema\"", true},
		{"", false},
		{"   ", false},
		{"\x7fELF", false},
		{"!<arch>\n", false},
		{"[{", false},
	} {
		require.Equal(t, test.want, IsDocument([]byte(test.head)), "%q", test.head)
	}
}

// A document that is accepted is one that this program writes: written again,
// it is accepted again and the same.
func FuzzReadList(f *testing.F) {
	for _, fixture := range []string{"amd64-dummy.ko", "arm-lg-3.10.27", "amd64-prel32-6.12.built-in.a"} {
		text, _ := saved(f, fixture, elfscan.Filter{})
		f.Add(text)
	}
	f.Add([]byte(`{"schema": {"name": "initsect.list", "version": 2}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := ReadList(bytes.NewReader(text))
		require.Equal(t, err == nil, doc != nil)
		if err != nil {
			return
		}
		again, err := json.Marshal(doc)
		require.NoError(t, err)
		read, err := ReadList(bytes.NewReader(again))
		require.NoError(t, err)
		require.Equal(t, doc, read)
	})
}
