package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/render"
)

func TestFormatFlag(t *testing.T) {
	var value render.Format
	f := &formatFlag{&value, render.Common}
	for _, format := range render.Common {
		require.NoError(t, f.Set(string(format)))
		require.Equal(t, string(format), f.String())
	}
	require.ErrorContains(t, f.Set("xml"), "text, tsv, csv, json, markdown")
	require.Equal(t, render.Markdown, value, "a bad value must not stay")
}
