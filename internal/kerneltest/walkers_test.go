//go:build kernels

package kerneltest

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
)

// TestWalkers holds what elfscan says of who refers to what against the kernel's source (init/main.c,
// kernel/printk/printk.c): console_init walks the console table, free_initmem is called by kernel_init, and
// kernel_init is passed on by rest_init.
func TestWalkers(t *testing.T) {
	for _, k := range chosen(t, readKernels(t)) {
		t.Run(k.id, func(t *testing.T) {
			image := filepath.Join(fetch(t, k), "vmlinux")
			if k.symbols == "boot" {
				image = filepath.Join(fetch(t, k), "boot")
			}
			im, err := elfscan.Open(image, elfscan.Options{})
			require.NoError(t, err)
			defer im.Close()
			l, err := im.List(elfscan.ListOptions{})
			require.NoError(t, err)
			for _, table := range l.Tables {
				if table.Kind == elfscan.TableConsole {
					refs, err := im.References(elfscan.Range{From: table.Start.Addr, To: table.Start.Addr})
					require.NoError(t, err)
					assert.Contains(t, namesOf(refs), "console_init")
				}
			}
			for callee, caller := range map[string]string{"free_initmem": "kernel_init", "kernel_init": "rest_init"} {
				found, err := im.Symbols().Named(callee)
				require.NoError(t, err)
				require.Len(t, found[callee], 1)
				refs, err := im.Callers(found[callee][0].Addr)
				require.NoError(t, err)
				assert.Contains(t, namesOf(refs), caller, callee)
				t.Logf("%s: %v", callee, namesOf(refs))
			}
		})
	}
}

func namesOf(refs []elfscan.Reference) []string {
	var names []string
	for _, r := range refs {
		names = append(names, r.Name)
	}
	return names
}
