package check

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

// Any text is a policy or refused with a place that is in it; a policy can be
// used on an image.
func FuzzParsePolicy(f *testing.F) {
	for _, text := range goodPolicies {
		f.Add([]byte(text))
	}
	for _, tt := range badPolicies {
		if len(tt.text) < 4096 {
			f.Add([]byte(tt.text))
		}
	}
	f.Add([]byte(wrong))
	data := modern().Build().Bytes()
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			require.Nil(t, p)
			requirePlace(t, err)
			return
		}
		im, err := elfscan.OpenBytes("vmlinux", data, elfscan.Options{})
		require.NoError(t, err)
		s, err := im.Survey(elfscan.ListOptions{})
		require.NoError(t, err)
		if p.Document() != "" {
			p.SetDocument(saved(without("usb_init")))
		}
		r, err := Run(im, s, Options{Policy: p})
		if err != nil {
			require.Nil(t, r)
			requirePlace(t, err)
			return
		}
		b, _ := written(t, r)
		again, err := Run(im, s, Options{Policy: p, Baseline: b})
		require.NoError(t, err)
		require.Zero(t, again.Worst(Note)) // nothing is new
		require.Empty(t, again.Fixed)
	})
}

func requirePlace(t *testing.T, err error) {
	t.Helper()
	var at *PolicyError
	require.True(t, errors.As(err, &at), err)
	require.Positive(t, at.Line)
	require.Positive(t, at.Column)
	require.NotContains(t, err.Error(), "\n")
}

// Any text is a baseline, which is written as one that says the same, or is
// refused.
func FuzzReadBaseline(f *testing.F) {
	for _, text := range []string{
		"", "{}", "[]", `{"schema":{"name":"initsect.list","version":1}}`,
		`{"schema":{"name":"initsect.baseline","version":1},"findings":[]}`,
		`{"schema":{"name":"initsect.baseline","version":1},"findings":[{"rule":"IS106","function":"a","module":null,"count":2},{"rule":"IS203","table":"deferred","section":".data","symbol":"s","other":"b","count":1}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ReadBaseline(text)
		if err != nil {
			require.Nil(t, b)
			require.NotContains(t, strings.TrimSpace(err.Error()), "\n")
			return
		}
		once, err := b.JSON()
		require.NoError(t, err)
		again, err := ReadBaseline(once)
		require.NoError(t, err)
		require.Equal(t, b, again)
		b.apply(&Result{})
	})
}
