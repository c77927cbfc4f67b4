package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// A stray symbol of a second deferred table does not take the entries with it
// that the first has lost: who suppresses the one must still see the others.
func TestHalfTableBesideAWholeOne(t *testing.T) {
	built := modern().Build()
	at := built.Find("__initcall_end").Value + 0x100
	built.Define("__user_initcall_start", ".init.data", at, fixture.Global, 0)
	built.Define("__initcall__kmod_ata__576_1788_ata_initdeferred", ".init.data", at+8, 0, 0)
	im, err := elfscan.OpenBytes("vmlinux", built.Bytes(), elfscan.Options{})
	require.NoError(t, err)
	s, err := im.Survey(elfscan.ListOptions{})
	require.NoError(t, err)
	r, err := Run(im, s, Options{})
	require.NoError(t, err)
	said := map[string]string{}
	for i := range r.Findings {
		said[r.Findings[i].Rule.ID] = r.Findings[i].Message
	}
	require.Contains(t, said["IS001"], "__user_initcall_start is at")
	require.NotContains(t, said["IS001"], "ata_init")
	require.Contains(t, said["IS107"], "ata_init never runs")
}
