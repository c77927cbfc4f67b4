package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A kernel in another form than ELF boots as well; what is linked into one, or
// loaded by one, does not.
func TestBootKernelContainers(t *testing.T) {
	name := "acpi_init"
	list := &List{Initcalls: []Initcall{{Symbol: &name, Table: "initcall", Level: "4"}}}
	for _, container := range []string{"elf", "raw"} {
		list.Image.Container = container
		k, err := BootKernel(list)
		require.NoError(t, err, container)
		require.Len(t, k.Entries, 1)
		require.Equal(t, []string{name}, k.Entries[0].Names)
	}
	for _, container := range []string{"object", "module", "archive"} {
		list.Image.Container = container
		_, err := BootKernel(list)
		require.ErrorContains(t, err, container)
	}
}
