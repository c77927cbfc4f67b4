package elfscan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// An entry that the linker put elsewhere is called by nobody, and is found by
// its symbol.
func TestLost(t *testing.T) {
	im := modern().Build()
	at := im.Find("__initcall_end").Value + 0x100
	im.Define("__initcall__kmod_ata_piix__576_1788_piix_init6", ".init.data", at, 0, 0)
	im.Define("__initcall_user_init", ".init.text", im.Find("ipc_ns_init").Value, fixture.Global, fixture.Func) // a function
	kernel, err := elfscan.OpenBytes("vmlinux", im.Bytes(), elfscan.Options{})
	require.NoError(t, err)
	l, err := kernel.List(elfscan.ListOptions{})
	require.NoError(t, err)
	require.Len(t, l.Initcalls, len(someCalls))
	lost, err := kernel.Lost(l)
	require.NoError(t, err)
	require.Len(t, lost, 1)
	require.Equal(t, "__initcall__kmod_ata_piix__576_1788_piix_init6", lost[0].Name)
	require.EqualValues(t, at, lost[0].Addr)
}
