package bootlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The same two messages, as everything that hands logs on writes them.
func TestPrefixes(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		clock               Clock
		took                int64 // between the lines, microseconds
		pid                 int   // of the return's line
	}{
		{"dmesg", "[    0.614701] ", "[    0.616701] ", ClockBoot, 2000, -1},
		{"no time", "", "", ClockNone, -1, -1},
		{"loglevel", "<7>[    0.614701] ", "<7>[    0.616701] ", ClockBoot, 2000, -1},
		{"PRINTK_CALLER", "[    0.614701][    T1] ", "[    0.616701][    T1] ", ClockBoot, 2000, 1},
		{"PRINTK_CALLER, interrupt", "[    0.614701][    T1] ", "[    0.616701][    C0] ", ClockBoot, 2000, -1},
		{"a week of uptime", "[604800.000001] ", "[604800.002001] ", ClockBoot, 2000, -1},
		{"/dev/kmsg", "7,339,614701,-;", "7,340,616701,-;", ClockBoot, 2000, -1},
		{"/dev/kmsg with caller", "7,339,614701,-,caller=T1;", "7,340,616701,-,caller=T1;", ClockBoot, 2000, 1},
		{"dmesg -x", "kern  :debug : [    0.614701] ", "kern  :debug : [    0.616701] ", ClockBoot, 2000, -1},
		{"dmesg -d", "[    0.614701 <    0.000020>] ", "[    0.616701 <    0.002000>] ", ClockBoot, 2000, -1},
		{"dmesg in colour", "\x1b[32m[    0.614701] \x1b[0m", "\x1b[32m[    0.616701] \x1b[0m", ClockBoot, 2000, -1},
		{"dmesg -T", "[Sat Nov 21 23:10:01 2026] ", "[Sat Nov 21 23:10:03 2026] ", ClockWall, 2e6, -1},
		{"dmesg iso", "2026-11-21T23:10:01,614701+01:00 ", "2026-11-21T23:10:01,616701+01:00 ", ClockWall, 2000, -1},
		{"syslog", "Nov 21 23:10:01 host kernel: [    0.614701] ", "Nov 21 23:10:01 host kernel: [    0.616701] ", ClockBoot, 2000, -1},
		{"syslog, day of one digit", "Nov  1 23:10:01 host kernel: [    0.614701] ", "Nov  1 23:10:01 host kernel: [    0.616701] ", ClockBoot, 2000, -1},
		{"journalctl", "Nov 21 23:10:01 host kernel: ", "Nov 21 23:10:02 host kernel: ", ClockWall, 1e6, -1},
		{"journalctl precise", "Nov 21 23:10:01.614701 host kernel: ", "Nov 21 23:10:01.616701 host kernel: ", ClockWall, 2000, -1},
		{"journalctl iso", "2026-11-21T23:10:01+0100 host kernel: ", "2026-11-21T23:10:02+0100 host kernel: ", ClockWall, 1e6, -1},
		{"rsyslog iso", "2026-11-21T23:10:01.614701+01:00 host kernel: [    0.614701] ", "2026-11-21T23:10:01.616800+01:00 host kernel: [    0.616701] ", ClockBoot, 2000, -1},
		{"syslogd of busybox", "Nov 21 23:10:01 host kern.debug kernel: [    0.614701] ", "Nov 21 23:10:01 host kern.debug kernel: [    0.616701] ", ClockBoot, 2000, -1},
		{"dmesg of util-linux 2.40 with PRINTK_CALLER", "[    0.614701] [      T1] ", "[    0.616701] [      T1] ", ClockBoot, 2000, 1},
		{"dmesg -x of util-linux 2.40 with PRINTK_CALLER", "kern  :debug : [    0.614701] [    T1] ", "kern  :debug : [    0.616701] [    C0] ", ClockBoot, 2000, -1},
		{"journalctl short-monotonic", "[    0.614701] my-host kernel: ", "[    0.616701] my-host kernel: ", ClockBoot, 2000, -1},
		{"journalctl short-delta", "[    0.614701                ] host kernel: ", "[    0.616701 <    0.002000 >] host kernel: ", ClockBoot, 2000, -1},
		{"journalctl short-unix", "1795302601.614701 host kernel: ", "1795302601.616701 host kernel: ", ClockWall, 2000, -1},
		{"journalctl short-full", "Sat 2026-11-21 23:10:01 CET host kernel: ", "Sat 2026-11-21 23:10:02 CET host kernel: ", ClockWall, 1e6, -1},
		{"journalctl short-full in a nameless zone", "Sat 2026-11-21 23:10:01 +0545 host kernel: ", "Sat 2026-11-21 23:10:02 +0545 host kernel: ", ClockWall, 1e6, -1},
		{"iso in UTC", "2026-11-21T23:10:01.614701Z host kernel: ", "2026-11-21T23:10:01.616701Z host kernel: ", ClockWall, 2000, -1},
	} {
		for _, end := range []string{"\n", "\r\n", "\r\r\n"} {
			t.Run(test.name, func(t *testing.T) {
				l := read(t, test.before+"Linux version 6.12.1 (x)"+end+
					test.before+"pci 0000:00:01.3: calling  quirk_piix4_acpi+0x0/0x1e0 @ 1"+end+
					test.before+"calling  con_init+0x0/0x250 @ 1"+end+
					test.after+"initcall con_init+0x0/0x250 returned -19 after 1234 usecs"+end+
					test.after+"Run /init as init process"+end)
				require.Equal(t, "con_init @1 1234us =-19", short(l.Calls))
				require.Equal(t, "Linux version 6.12.1 (x)", l.Banner)
				require.NotZero(t, l.UserLine)
				require.Equal(t, test.clock, l.Clock)
				took := l.Calls[0].Start.Until(l.Calls[0].End)
				require.Equal(t, test.took >= 0, took.Known)
				if took.Known {
					require.Equal(t, test.took, took.US)
				}
				require.Zero(t, l.Unreadable+l.Mended)
				require.EqualValues(t, 0x250, l.Calls[0].Size)
			})
		}
	}
}
