package elfscan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

var eras = []fixture.Era{fixture.PerLevel, fixture.EarlyEnd, fixture.OneTable}

// arches are machines of every class, byte order and encoding. ia64 stands
// here only: no compiler for it is to be had for a real fixture.
var arches = []struct {
	fixture.Arch
	fixture.Encoding
}{
	{fixture.Arch{Class64: true, Machine: emAMD64}, fixture.Prel32},
	{fixture.Arch{Class64: true, Machine: emAMD64}, fixture.Absolute},
	{fixture.Arch{Class64: true, BigEndian: true, Machine: emAArch64}, fixture.Prel32},
	{fixture.Arch{Class64: true, BigEndian: true, Machine: emS390}, fixture.Absolute},
	{fixture.Arch{Machine: em386}, fixture.Prel32},
	{fixture.Arch{Machine: emARM}, fixture.Absolute},
	{fixture.Arch{BigEndian: true, Machine: emARM}, fixture.Prel32},
	{fixture.Arch{BigEndian: true, Machine: emMIPS}, fixture.Absolute},
	{fixture.Arch{Class64: true, Machine: emIA64}, fixture.Descriptor},
	{fixture.Arch{Class64: true, BigEndian: true, Machine: emIA64}, fixture.Descriptor},
	{fixture.Arch{Class64: true, BigEndian: true, Machine: emPPC64}, fixture.Descriptor},
	{fixture.Arch{Class64: true, Machine: emPPC64}, fixture.Absolute},
	{fixture.Arch{Class64: true, BigEndian: true, Machine: emPARISC}, fixture.Descriptor},
	{fixture.Arch{BigEndian: true, Machine: emPARISC}, fixture.Absolute},
}

func TestEveryShape(t *testing.T) {
	for _, a := range arches {
		for _, era := range eras {
			for _, names := range []string{"kmod", "plain", "none"} {
				k := fixture.Kernel{
					Arch: a.Arch, Encoding: a.Encoding, Era: era, Calls: someCalls,
					Kmod: names == "kmod", NoEntry: names == "none", Deferred: fixture.Original,
				}
				k.Calls = append(k.Calls[:len(k.Calls):len(k.Calls)], fixture.Call{Table: "deferred", Func: "late_probe"})
				if names == "plain" {
					k.Calls = append([]fixture.Call{{Table: "security", Func: "selinux_init"}}, k.Calls...)
					k.Calls[0], k.Calls[1], k.Calls[2] = k.Calls[1], k.Calls[2], k.Calls[0]
				}
				t.Run(fmt.Sprintf("%v/%s/%s/%s", a.Arch, a.Encoding, era, names), func(t *testing.T) {
					im := k.Build()
					want := wanted(im, k)
					l := mustList(t, im.Bytes())
					require.Equal(t, want, linesOf(l))
					if era == fixture.PerLevel {
						require.Equal(t, names != "none", l.SyncKnown)
					}
					for i, c := range l.Initcalls {
						require.Equal(t, i+1, c.Order)
						require.EqualValues(t, a.Encoding, c.Table.Encoding)
						require.Equal(t, elfscan.LayoutPlain, c.Table.Layout)
						require.Equal(t, ".init.text", c.Target.Section)
						require.True(t, *c.InitMem)
					}

					im.Segments = true
					require.Equal(t, want, linesOf(mustList(t, im.Bytes())), "with program headers")
				})
			}
		}
	}
}

// Thumb code has bit 0 set in pointers and in symbols; it is no part of the
// address. Elsewhere an odd address is an odd address.
func TestThumb(t *testing.T) {
	k := pointers()
	k.Arch, k.Thumb = arm, true
	im := k.Build()
	require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))

	k.Arch = fixture.Arch{Machine: em386} // the same bits there: functions at odd addresses
	im = k.Build()
	for i := range im.Rows {
		im.Rows[i].Target |= 1
	}
	require.Equal(t, wanted(im, k), linesOf(mustList(t, im.Bytes())))
}

func TestLevelCounts(t *testing.T) {
	l := mustList(t, modern().Build().Bytes())
	require.Len(t, l.Tables, 2)
	var got []string
	for _, s := range l.Tables[1].Levels {
		got = append(got, fmt.Sprintf("%s %s %d", s.Level, s.Start.Symbol, s.Count))
	}
	require.Equal(t, []string{
		"early __initcall_start 1", "0 __initcall0_start 1", "1 __initcall1_start 2", "2 __initcall2_start 0",
		"3 __initcall3_start 1", "4 __initcall4_start 0", "5 __initcall5_start 1", "rootfs __initcallrootfs_start 1",
		"6 __initcall6_start 2", "7 __initcall7_start 2",
	}, got)
}

func TestIdentity(t *testing.T) {
	k := fixture.Kernel{Arch: ppc64, Encoding: fixture.Descriptor, Era: fixture.PerLevel, Calls: someCalls}
	im, err := open(k.Build().Bytes())
	require.NoError(t, err)
	require.Equal(t, elfscan.Identity{
		Release: "6.1.0-fixture", Banner: "Linux version 6.1.0-fixture (builder) #1",
		Machine: "ppc64", Bits: 64, BigEndian: true, ELFType: "ET_EXEC",
	}, im.Identity)
}
