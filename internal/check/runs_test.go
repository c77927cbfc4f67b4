package check

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

// Of kernels that free init memory too early, some do not say who is boot: a
// name was changed by the compiler or a filter. That is no sound kernel then.
func TestNoCallerIsNoPass(t *testing.T) {
	const early, seal = "amd64-prel32-6.12-early-free", "amd64-prel32-6.12-early-seal"
	tests := []struct {
		name, file   string
		symbol, with string // of equal length
		rule, says   string
	}{
		{"boot is named", early, "kernel_init", "kernel_init", "IS206", "frees init memory at boot (kernel_init -> free_initmem)"},
		{
			"boot is not named", early, "kernel_init", "thread_init", "IS207",
			"whether the kernel frees init memory at boot cannot be told: no caller is found for thread_init",
		},
		{"what frees is not named", early, "free_initmem", "drop_initmem", "IS207", "cannot be told: the image has no function free_initmem"},
		{
			"boot is not named and seals", seal, "kernel_init", "thread_init", "IS207",
			"whether the kernel takes the right to execute from init text at boot cannot be told: no caller is found for thread_init",
		},
		{"nothing seals", seal, "mark_rodata_ro", "note_rodata_ro", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, err := os.ReadFile("../../testdata/vmlinux-fixtures/spoilt/" + test.file)
			require.NoError(t, err)
			symbol := []byte("\x00" + test.symbol + "\x00")
			require.Equal(t, 1, bytes.Count(data, symbol), "in the string table, and there alone")
			data = bytes.ReplaceAll(data, symbol, []byte("\x00"+test.with+"\x00"))

			im, err := elfscan.OpenBytes("vmlinux", data, elfscan.Options{})
			require.NoError(t, err)
			s, err := im.Survey(elfscan.ListOptions{})
			require.NoError(t, err)
			r, err := Run(im, s, Options{})
			require.NoError(t, err)
			if test.rule == "" {
				require.Empty(t, r.Findings)
				return
			}
			require.Len(t, r.Findings, 1)
			require.Equal(t, test.rule, r.Findings[0].Rule.ID)
			require.Contains(t, r.Findings[0].Message, test.says)
		})
	}
}
