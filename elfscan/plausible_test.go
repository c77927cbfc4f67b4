package elfscan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/safeelf"
)

// A vmlinux may have lost the relocations that fill initcall_levels; a raw image is all that a boot loader gets.
func TestUnfilledLevels(t *testing.T) {
	zeros := patched{extent: extent{0x1000, 0x1000 + 9*8}, bytes: make([]byte, 9*8)}
	addrs := map[string]Addr{symInitcallEnd: 0x2000}
	elf := &safeelf.File{Class64: true}
	require.NoError(t, (&Image{elf: elf}).checkLevels(zeros, addrs))
	elf.IsRaw = true
	require.ErrorContains(t, (&Image{elf: elf}).checkLevels(zeros, addrs), "this kernel would call nothing")
}
