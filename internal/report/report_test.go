package report

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

// document returns the list document of a fixture as a reader of JSON sees it.
func document(t *testing.T, fixture string) map[string]any {
	t.Helper()
	im, err := elfscan.Open("../../testdata/vmlinux-fixtures/"+fixture, elfscan.Options{})
	require.NoError(t, err)
	defer im.Close()
	l, err := im.List(elfscan.ListOptions{})
	require.NoError(t, err)
	raw, err := json.Marshal(NewList(im, l))
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	return doc
}

func requireNull(t *testing.T, object any, keys ...string) {
	t.Helper()
	for _, key := range keys {
		value, present := object.(map[string]any)[key]
		require.True(t, present, key)
		require.Nil(t, value, key)
	}
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	doc := document(t, "i386-absolute-2.6.24") // has neither modules nor lines
	call := doc["initcalls"].([]any)[0]
	requireNull(t, call, "module", "line", "group", "member")

	doc = document(t, "amd64-prel32-6.12.built-in.a") // not linked: no addresses, no kernel
	requireNull(t, doc["image"], "release", "banner", "build_id", "elf_type", "map", "map_shift")
	table := doc["tables"].([]any)[0]
	requireNull(t, table, "trigger", "init_memory")
	requireNull(t, table.(map[string]any)["start"], "symbol", "address")
}

// The figures are those of readelf -h, readelf -n and nm.
func TestImage(t *testing.T) {
	doc := document(t, "amd64-prel32-6.12")
	require.Equal(t, map[string]any{"name": "initsect.list", "version": 1.0}, doc["schema"])
	image := doc["image"].(map[string]any)
	require.Equal(t, "x86_64", image["machine"])
	require.Equal(t, 64.0, image["bits"])
	require.Equal(t, "little", image["byte_order"])
	require.Equal(t, "ET_EXEC", image["elf_type"])
	require.Equal(t, "6.12.0-fixture", image["release"])
	require.Equal(t, "f9f18956700e7e9661cc743d856395d9d2df6ce7", image["build_id"])
	require.Equal(t, "prel32", image["encoding"])
	require.Equal(t, "symtab", image["symbols"])

	image = document(t, "s390x-pie-6.1")["image"].(map[string]any)
	require.Equal(t, "s390x", image["machine"])
	require.Equal(t, "big", image["byte_order"])
	image = document(t, "arm-thumb2-4.9")["image"].(map[string]any)
	require.Equal(t, "arm", image["machine"])
	require.Equal(t, 32.0, image["bits"])
}
