package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/nearest"
)

// The distances were counted by hand.
func TestNames(t *testing.T) {
	among := []string{"usb_init", "uhci_init", "piix_init", "usb_init", "ext4_init"}
	for _, tt := range []struct {
		what, name string
		n          int
		want       []string
	}{
		{"the name itself", "usb_init", 1, []string{"usb_init"}},
		{"each once", "usb_init", 2, []string{"usb_init", "uhci_init"}},                              // 0, 3: s→h, b→c, +i
		{"a letter too many", "piixx_init", 1, []string{"piix_init"}},                                // 1
		{"a letter too few", "usb_ini", 1, []string{"usb_init"}},                                     // 1
		{"equally near by name", "xxxx_init", 2, []string{"ext4_init", "piix_init"}},                 // 3, 3; usb_init 4
		{"more than there are", "e", 9, []string{"ext4_init", "usb_init", "piix_init", "uhci_init"}}, // 8, 8, 9, 9
		{"no name", "", 1, []string{"usb_init"}},
		{"none wanted", "usb_init", 0, nil},
	} {
		t.Run(tt.what, func(t *testing.T) { require.Equal(t, tt.want, nearest.Names(tt.name, among, tt.n)) })
	}
	require.Empty(t, nearest.Names("usb_init", nil, 3))
}
