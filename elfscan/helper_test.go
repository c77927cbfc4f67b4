package elfscan_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// Machines by their number in ELF (e_machine).
const (
	em386, emARM, emMIPS, emPARISC, emPPC64, emS390 = 3, 40, 8, 15, 21, 22
	emIA64, emAMD64, emAArch64, emRISCV             = 50, 62, 183, 243
)

var (
	amd64 = fixture.Arch{Class64: true, Machine: emAMD64}
	arm   = fixture.Arch{Machine: emARM}
	ppc64 = fixture.Arch{Class64: true, BigEndian: true, Machine: emPPC64}
)

// someCalls are entries of every kind of level, in the order of the tables.
var someCalls = []fixture.Call{
	{Table: "console", Func: "con_init", Module: "tty", Line: 3571},
	{Table: "console", Func: "hvc_console_init", Module: "hvc_xen", Line: 7},
	{Table: "initcall", Level: "early", Func: "trace_init_flags_sys_enter", Module: "trace_syscalls", Line: 31},
	{Table: "initcall", Level: "0", Func: "ipc_ns_init", Module: "util", Line: 87},
	{Table: "initcall", Level: "1", Func: "wq_sysfs_init", Module: "workqueue", Line: 1},
	{Table: "initcall", Level: "1s", Func: "xen_pvh_gnttab_setup", Module: "grant_table", Line: 2},
	{Table: "initcall", Level: "3", Func: "bts_init", Module: "bts", Line: 600},
	{Table: "initcall", Level: "5", Func: "proc_cpuinfo_init", Module: "proc", Line: 28},
	{Table: "initcall", Level: "rootfs", Func: "populate_rootfs", Module: "initramfs", Line: 760},
	{Table: "initcall", Level: "6", Func: "ehci_hcd_init", Module: "ehci_hcd", Line: 1400},
	{Table: "initcall", Level: "6", Func: "bus_probe_64", Module: "8250_dw", Line: 12},
	{Table: "initcall", Level: "7", Func: "ip_auto_config", Module: "ipconfig", Line: 1806},
	{Table: "initcall", Level: "7s", Func: "clk_disable_unused", Module: "clk", Line: 1471},
}

// modern is a kernel of today: prel32, kmod names, one boundary a level.
func modern() fixture.Kernel {
	return fixture.Kernel{Arch: amd64, Encoding: fixture.Prel32, Era: fixture.PerLevel, Kmod: true, Calls: someCalls}
}

// pointers is the same with pointers.
func pointers() fixture.Kernel {
	k := modern()
	k.Encoding = fixture.Absolute
	return k
}

func open(data []byte) (*elfscan.Image, error) {
	return elfscan.OpenBytes("vmlinux", data, elfscan.Options{})
}

// list opens and lists in one go, as every command does.
func list(data []byte, opt elfscan.ListOptions) (*elfscan.Listing, error) {
	im, err := open(data)
	if err != nil {
		return nil, err
	}
	return im.List(opt)
}

func mustList(t *testing.T, data []byte) *elfscan.Listing {
	t.Helper()
	l, err := list(data, elfscan.ListOptions{})
	require.NoError(t, err)
	return l
}

// requireRefused wants an error, and in it all of the words.
func requireRefused(t *testing.T, data []byte, words ...string) {
	t.Helper()
	l, err := list(data, elfscan.ListOptions{})
	requireError(t, l, err, words...)
}

func requireError(t *testing.T, l *elfscan.Listing, err error, words ...string) {
	t.Helper()
	require.Error(t, err)
	require.Nil(t, l)
	require.NotContains(t, err.Error(), "\n")
	for _, w := range words {
		require.Contains(t, err.Error(), w)
	}
}

// line is an entry as `list --format tsv` has it.
func line(table, level, slot, target, symbol, module string, number int, entry string) string {
	text := func(s string) string {
		if s == "" || s == "0" {
			return "-"
		}
		return s
	}
	return strings.Join([]string{table, level, slot, target, text(symbol), text(module), text(strconv.Itoa(number)), text(entry)}, " ")
}

func linesOf(l *elfscan.Listing) []string {
	var lines []string
	for _, c := range l.Initcalls {
		lines = append(lines, line(string(c.Table.Kind), c.Level.String(), c.Slot.String(), c.Target.String(),
			c.Display(), c.Module, c.Line, c.Entry))
	}
	return lines
}

// wanted is what a kernel must list, from what the builder was told to put
// where, and from what its era lets be known.
func wanted(im *fixture.Image, k fixture.Kernel) []string {
	var lines []string
	for _, r := range im.Rows {
		level := r.Level
		switch {
		case r.Table != "initcall":
			level = r.Table
		case k.Era == fixture.OneTable, k.Era == fixture.EarlyEnd && level != "early":
			level = "unknown"
		case k.NoEntry:
			level = strings.TrimSuffix(level, "s")
			if level == "rootf" {
				level = "rootfs"
			}
		}
		c := r.Call
		if !k.Kmod || k.NoEntry || r.Table == "deferred" {
			c.Module, c.Line = "", 0
		}
		lines = append(lines, line(r.Table, level, fmt.Sprintf("%x", r.Slot), fmt.Sprintf("%x", r.Target), c.Func, c.Module, c.Line, r.Entry))
	}
	return lines
}
