package elfscan_test

import (
	"fmt"
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

// Of more entry symbols than are looked at none may be passed over.
func TestTooManyEntrySymbols(t *testing.T) {
	im := modern().Build()
	kernel, err := elfscan.OpenBytes("vmlinux", im.Bytes(), elfscan.Options{})
	require.NoError(t, err)
	l, err := kernel.List(elfscan.ListOptions{})
	require.NoError(t, err)
	end := im.Find("__initcall_end").Value
	for i := range 1 << 16 {
		im.Define(fmt.Sprintf("__initcall__kmod_m__%d_1_f6", i), ".init.data", end-8, 0, 0)
	}
	im.Define("__initcall__kmod_ata_piix__576_1788_piix_init6", ".init.data", end+0x100, 0, 0)
	kernel, err = elfscan.OpenBytes("vmlinux", im.Bytes(), elfscan.Options{})
	require.NoError(t, err)
	_, err = kernel.Lost(l)
	require.ErrorContains(t, err, "more than 65536 symbols begin with __initcall")
}
