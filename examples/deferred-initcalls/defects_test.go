//go:build deferred

package deferredinitcalls

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDefects builds and boots the kernels of defects/defects.tsv. What they do is what that table says, `check`
// finds why, and `list` prints what the kernel would call if nothing stopped it, or refuses.
func TestDefects(t *testing.T) {
	const oops = "BUG: unable to handle page fault"
	piix, ehci, uhci := deferred[0], deferred[1], deferred[2]
	tests := []struct {
		name   string
		read   []string // the calls that the read of /proc/deferred_initcalls makes
		listed []string // what list prints as deferred, where it is not that
		says   string   // the log
		boot   []string // calls before that read, among others
		never  string   // a function that is not called
		status int      // of list
		found  []string // by check: rule and function
	}{
		{name: "orphan", never: piix, found: []string{"IS201 piix_init", "IS201 ehci_hcd_init", "IS201 uhci_hcd_init"}},
		{name: "orphan-elsewhere", never: piix, found: []string{"IS201 piix_init", "IS201 ehci_hcd_init", "IS201 uhci_hcd_init"}},
		{name: "double", read: deferred, boot: []string{piix}, says: "Error: Driver 'ata_piix' is already registered", found: []string{"IS204 piix_init"}},
		{name: "folded", read: deferred, boot: deferred, says: "Error: Driver 'uhci_hcd' is already registered", found: []string{"IS009", "IS202"}},
		{name: "foreign", read: deferred, found: []string{"IS203"}},
		{name: "unreachable", listed: deferred, says: "example: /proc/deferred_initcalls: No such file", never: piix, found: []string{"IS205"}},
		{name: "early-free", listed: deferred, says: oops, never: piix, found: []string{"IS206"}},
		{name: "early-seal", listed: deferred, says: "kernel tried to execute NX-protected page", never: piix, found: []string{"IS206"}},
		{name: "lost", read: []string{piix, ehci}, never: uhci, found: []string{"IS107 uhci_hcd_init"}},
		{name: "lost-level", read: deferred, never: "ehci_pci_init", found: []string{"IS107 ehci_pci_init"}},
		{name: "wrong-level", read: deferred, boot: []string{"ehci_pci_init"}, found: []string{"IS106 ehci_pci_init"}},
		{name: "wrong-order", says: "Kernel panic", boot: []string{"late_trace_init"}, status: 2, found: []string{"IS007"}},
		{name: "bad-entry", read: []string{piix, ehci, "ehci_hcd_cleanup+0x3", uhci}, found: []string{"IS103 ehci_hcd_cleanup+0x3"}},
		{
			name:   "null-entry", // it points at itself, and the kernel calls that
			read:   []string{piix, ehci, "__initcall__kmod_ehci_hcd__…_ehci_hcd_initdeferred+0x4"},
			listed: []string{piix, ehci, "-", uhci},
			says:   oops, never: uhci,
			found: []string{"IS101"},
		},
		{name: "odd-size", read: []string{piix, ehci, "0x…"}, says: oops, never: uhci, status: 2, found: []string{"IS006", "IS102 uhci_hcd_init"}},
	}

	table, err := os.ReadFile("defects/defects.tsv")
	require.NoError(t, err)
	var names, tested []string
	for line := range strings.Lines(string(table)) {
		if name, _, _ := strings.Cut(line, "\t"); !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	for _, test := range tests {
		tested = append(tested, test.name)
	}
	require.Equal(t, names, tested, "each defect has a test")

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events, image := boot(t, test.name)
			regular, read := events, []event(nil)
			if i := slices.IndexFunc(events, func(e event) bool { return e.text == userSpace }); i >= 0 {
				regular, read = events[:i], events[i:]
			}
			if assert.Len(t, callsOf(read), len(test.read)) {
				for i, call := range callsOf(read) {
					begin, end, _ := strings.Cut(test.read[i], "…")
					assert.True(t, strings.HasPrefix(call, begin) && strings.HasSuffix(call, end), call)
				}
			}
			for _, f := range test.boot {
				assert.Contains(t, callsOf(regular), f)
			}
			assert.NotContains(t, callsOf(events), test.never)
			if test.says != "" {
				find(t, events, test.says)
			}

			found, checked := check(t, image)
			assert.ElementsMatch(t, test.found, found)
			assert.Equal(t, 1, checked)
			requireBootImage(t, test.name)

			calls, _, stderr, status := list(t, image)
			require.Equal(t, test.status, status, "%s", stderr)
			if status != 0 {
				assert.NotEmpty(t, stderr)
				return
			}
			n := slices.IndexFunc(calls, func(c call) bool { return c.table == "deferred" })
			if n < 0 {
				n = len(calls)
			}
			assert.Equal(t, callsOf(regular), symbolsOf(calls[:n]))
			listed := test.listed
			if listed == nil {
				listed = test.read
			}
			assert.ElementsMatch(t, listed, symbolsOf(calls[n:])) // either may be nil
			t.Logf("%d initcalls called, %d listed", len(callsOf(events)), len(calls))
		})
	}
}
