package bootlog

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, text string) *Log {
	t.Helper()
	l, err := Read(strings.NewReader(text), Options{})
	require.NoError(t, err)
	return l
}

// short writes calls for people: name, thread, duration, return, how it ended.
func short(calls []Call) string {
	var lines []string
	for i := range calls {
		c := &calls[i]
		line := c.label()
		if c.Module != "" {
			line += "[" + c.Module + "]"
		}
		line += fmt.Sprintf(" @%d", c.PID)
		if c.Duration.Known {
			line += fmt.Sprintf(" %dus", c.Duration.US)
		}
		if c.Code {
			line += fmt.Sprintf(" =%d", c.Return)
		}
		if c.Status != Returned {
			line += " " + string(c.Status)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// What each era prints, from init/main.c and kernel/async.c of its kernels.
func TestEras(t *testing.T) {
	for _, test := range []struct{ name, log, want string }{
		{
			"2.6.11", "Calling initcall 0xc03fe890: reboot_init+0x0/0x10()\nCalling initcall 0xc0405d00: helper_init()\n",
			"reboot_init @-1 not logged; helper_init @-1 not logged",
		},
		{
			"2.6.11, no kallsyms", "Calling initcall 0xc03fe890\n", "0xc03fe890 @-1 not logged",
		},
		{
			"2.6.24", `Calling initcall 0xc03d1a0a: a_init+0x0/0x10()
initcall 0xc03d1a0a: a_init+0x0/0x10() returned 0.
initcall 0xc03d1a0a ran for 3 msecs: a_init+0x0/0x10()
Calling initcall 0xc03d1a1a: b_init+0x0/0x10()
initcall 0xc03d1a1a: b_init+0x0/0x10() returned -19.
initcall 0xc03d1a1a ran for 0 msecs: b_init+0x0/0x10()
initcall at 0xc03d1a1a: b_init+0x0/0x10(): returned with error code -19
`, "a_init @-1 3000us =0; b_init @-1 0us =-19",
		},
		{
			"2.6.27", "calling  a_init+0x0/0x1a\ninitcall a_init+0x0/0x1a returned 0 after 5 msecs\n", "a_init @-1 5000us =0",
		},
		{
			"2.6.28", "calling  a_init+0x0/0x1a @ 1\ninitcall a_init+0x0/0x1a returned 0 after 3906 usecs\n", "a_init @1 3906us =0",
		},
		{
			"a module", "calling  x_init+0x0/0x1000 [ext4] @ 543\ninitcall x_init+0x0/0x1000 [ext4] returned 0 after 77 usecs\n", "x_init[ext4] @543 77us =0",
		},
		{
			"dots in a name", "calling  a.b$c+0x0/0x1a @ 1\ninitcall a.b$c+0x0/0x1a returned 0 after 1 usecs\n", "a.b$c @1 1us =0",
		},
		{
			"no kallsyms", "calling  0xffffffff8338d2e0 @ 1\ninitcall 0xffffffff8338d2e0 returned 0 after 1 usecs\n", "0xffffffff8338d2e0 @1 1us =0",
		},
		{
			"no kallsyms, old", "calling  c0401234 @ 1\ninitcall c0401234 returned 0 after 1 usecs\n", "0xc0401234 @1 1us =0",
		},
		{
			"imbalance", "calling  a+0x0/0x1 @ 1\ninitcall a+0x0/0x1 returned 0 after 1 usecs\ninitcall a+0x0/0x1 returned with preemption imbalance \n", "a @1 1us =0",
		},
		{
			"LTO", "calling  __initstub__kmod_core__376_2214_f_initearly+0x0/0xb @ 1\n" +
				"initcall __initstub__kmod_core__376_2214_f_initearly+0x0/0xb returned 0 after 9 usecs\n",
			"__initstub__kmod_core__376_2214_f_initearly @1 9us =0",
		},
		{
			"inside a function", "calling  a_exit+0x3/0x1f @ 36\n", "a_exit @36 running",
		},
		{
			"LG", "Calling user_initcall dvb_init group : tuner\n", "dvb_init @-1 not logged",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := read(t, test.log)
			require.Equal(t, test.want, short(l.Calls))
			require.Zero(t, l.Unreadable, "%v", l.Samples)
		})
	}
	l := read(t, "calling  a+0x0/0x1 @ 1\ninitcall a+0x0/0x1 returned 0 after 1 usecs\ninitcall a+0x0/0x1 returned with preemption imbalance \n")
	require.Equal(t, "preemption imbalance", l.Calls[0].Remark)
	l = read(t, "Calling user_initcall dvb_init group : tuner\n")
	require.Equal(t, "tuner", l.Calls[0].Group)
	l = read(t, "calling  a_exit+0x3/0x1f @ 36\n")
	require.EqualValues(t, 3, l.Calls[0].Offset)
}

const aCall = "[    1.0] calling  a_init+0x0/0x10 @ 1\n[    1.1] initcall a_init+0x0/0x10 returned 0 after 5 usecs\n"

// What is said of other things is neither a call nor counted as unreadable.
func TestNotInitcalls(t *testing.T) {
	for _, line := range []string{
		"pci 0000:00:01.3: calling  quirk_piix4_acpi+0x0/0x180 @ 1",
		" [0:      swapper/0:    1] pci 0000:00:01.3: calling  quirk_piix4_acpi+0x0/0x180 @ 1",
		"<0>.(0)[1:swapper/0]pci 10000:e0:1d.0: calling  quirk_piix4_acpi+0x0/0x180 @ 1",
		"pci 0000:00:01.3: quirk_piix4_acpi+0x0/0x180 took 12 usecs",
		"calling  usb1+ @ 1234, parent: 0000:00:1d.0",
		"rtc_cmos 00:01: calling  pnp_bus_suspend+0x0/0x10 @ 12, parent: pnp0",
		"call usb1+ returned 0 after 5 usecs",
		"rtc_cmos 00:01: pnp_bus_suspend+0x0/0x10 returned 0 after 5 usecs",
		"PM: Calling i8259A_shutdown+0x0/0xf",
		" do_one_initcall from kernel_init_freeable+0x178/0x1fc",
		" do_one_initcall+0x58/0x300",
		"Kernel command line: console=ttyS0 initcall_debug initcall_blacklist=foo",
		"probe of dwmmc_rockchip fe320000.mmc returned 0 after 34 usecs",
		"async_waiting @ 1",
		"systemd[1]: calling home",
	} {
		l := read(t, aCall+"[    1.2] "+line+"\n")
		require.Equal(t, "a_init @1 5us =0", short(l.Calls), line)
		require.Zero(t, l.Unreadable, "%v", l.Samples)
	}
}

// Where two write on one serial line, what is left of a call's line is used as
// far as it is certain, and else counted.
func TestTornLines(t *testing.T) {
	for _, test := range []struct {
		name, log, want    string
		mended, unreadable int
	}{
		{"text before", "login: [    1.0] calling  b_init+0x0/0x9 @ 1\n", "b_init @1 running", 0, 0},
		{"text before, no time", "login: calling  b_init+0x0/0x9 @ 1\n", "b_init @1 running", 0, 0},
		{"a vendor's mark", "<6>[    1.0]  [0:      swapper/0:    1] calling  b_init+0x0/0x9 @ 1\n", "b_init @1 running", 0, 0},
		{"overwritten", "50%\r[    1.0] calling  b_init+0x0/0x9 @ 1\n", "b_init @1 running", 0, 0},
		{"text behind", "[    1.0] calling  b_init+0x0/0x9 @ 1login:\n", "b_init @1 running", 1, 0},
		{"thread torn off", "[    1.0] calling  b_init+0x0/0x9 Starting\n", "b_init @-1 running", 1, 0},
		{"two in a line", "[    1.0] calling  b_init+0x0/0x9 @ 1[    1.2] initcall b_init+0x0/0x9 returned 0 after 7 usecs\n", "b_init @1 7us =0", 0, 0},
		{"size torn off", "[    1.0] calling  b_init+0x0/0x\n", "", 0, 1},
		{"name torn", "[    1.0] calling  b_i\n", "", 0, 1},
		{"no unit", "[    1.0] initcall b_init+0x0/0x9 returned 0 after 12\n", "", 0, 1},
		{"cut within the size", "[    1.0] calling  b_init+0x0/0x1\n", "b_init @-1 running", 0, 0},
		{"end alone", "b_init+0x0/0x9 returned 0 after 12 usecs\n", "", 0, 1},
		{"other text within", "[    1.0] calling  b_in[  OK  ] Started it+0x0/0x9 @ 1\n", "", 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := read(t, aCall+test.log)
			want := "a_init @1 5us =0"
			if test.want != "" {
				want += "; " + test.want
			}
			require.Equal(t, want, short(l.Calls))
			require.Equal(t, test.mended, l.Mended, "mended")
			require.Equal(t, test.unreadable, l.Unreadable, "unreadable")
			require.Len(t, l.Samples, test.unreadable)
		})
	}
}

// A line that is missing leaves a call all the same.
func TestMissingLines(t *testing.T) {
	l := read(t, `[    1.000] calling  a+0x0/0x1 @ 1
[    1.100] calling  b+0x0/0x1 @ 1
[    1.200] initcall b+0x0/0x1 returned 0 after 100 usecs
[    1.300] initcall c+0x0/0x1 returned 0 after 100 usecs
[    1.400] calling  d+0x0/0x1 @ 1
[    1.500] Kernel panic - not syncing: at last
`)
	require.Equal(t, "a @1 return lost; b @1 100us =0; c @-1 100us =0; d @1 running", short(l.Calls))
	require.False(t, l.Calls[2].Announced)
	require.False(t, l.Calls[2].Start.Known)
	require.Equal(t, "Kernel panic - not syncing: at last", l.Trouble)
	l = read(t, aCall+"BUG: one\nKernel panic - not syncing: two\n")
	require.Equal(t, "BUG: one", l.Trouble, "the other follows from it")
	l = read(t, "BUG: one\n"+aCall+"Kernel panic - not syncing: two\n")
	require.Equal(t, "Kernel panic - not syncing: two", l.Trouble, "the first was survived")
	require.Empty(t, read(t, "BUG: one\n"+aCall).Trouble)

	l = read(t, "[ 1.0] calling  a+0x0/0x1 @ 0\n[ 1.1] calling  b+0x0/0x1 @ 1\n[ 1.2] initcall b+0x0/0x1 returned 0 after 9 usecs\n"+
		"[ 1.3] calling  c+0x0/0x1 @ 1\n[ 1.4] Run /init as init process\n")
	require.Equal(t, "a @0 return lost; b @1 9us =0; c @1 return lost", short(l.Calls), "the boot went on")
}

// A return whose announcement is missing is not that of an earlier call of the
// same name, whose own return is missing.
func TestReturnsOfOneName(t *testing.T) {
	l := read(t, `[    1.000] calling  init+0x0/0x1 @ 1
[    1.100] calling  b+0x0/0x1 @ 1
[    1.200] initcall b+0x0/0x1 returned 0 after 100000 usecs
[    1.300] initcall init+0x0/0x1 returned -5 after 50000 usecs
`)
	require.Equal(t, "init @1 return lost; b @1 100000us =0; init @-1 50000us =-5", short(l.Calls))

	l = read(t, aCall+aCall)
	require.Equal(t, "a_init @1 5us =0; a_init @1 5us =0", short(l.Calls), "two entries of one name")
	begin, end, _ := strings.Cut(aCall, "\n")
	l = read(t, begin+"\n"+begin+"\n"+end+end)
	require.Equal(t, "a_init @1 5us =0", short(l.Calls), "each line twice")
	require.Equal(t, 2, l.Repeated)

	l = read(t, "calling  a+0x0/0x1 Starting\n"+aCall)
	require.Equal(t, "a @-1 return lost; a_init @1 5us =0", short(l.Calls), "the thread is not known, but the log goes on")
	l = read(t, "calling  a+0x0/0x1a\ncalling  b+0x0/0x1a\ninitcall a+0x0/0x1a returned 0 after 5 msecs\ninitcall b+0x0/0x1a returned 0 after 7 msecs\n")
	require.Equal(t, "a @-1 5000us =0; b @-1 7000us =0", short(l.Calls), "2.6.27 does not log threads")
}

// Calls within calls, and threads beside each other.
func TestNestedAndParallel(t *testing.T) {
	l := read(t, `[    1.000000] calling  outer+0x0/0x1 @ 1
[    1.100000] calling  inner+0x0/0x1 [m] @ 50
[    1.200000] initcall inner+0x0/0x1 [m] returned 0 after 100000 usecs
[    1.300000] initcall outer+0x0/0x1 returned 0 after 300000 usecs
[    2.000000] calling  init+0x0/0x1 [x] @ 60
[    2.010000] calling  init+0x0/0x1 [y] @ 61
[    2.020000] initcall init+0x0/0x1 [x] returned 0 after 20000 usecs
[    2.030000] initcall init+0x0/0x1 [y] returned 0 after 20000 usecs
[    3.000000] calling  same+0x0/0x1 @ 70
[    3.010000] calling  same+0x0/0x1 @ 71
[    3.050000] initcall same+0x0/0x1 returned 0 after 50000 usecs
[    3.060000] initcall same+0x0/0x1 returned -5 after 50000 usecs
`)
	require.Equal(t, "outer @1 300000us =0; inner[m] @50 100000us =0; init[x] @60 20000us =0; init[y] @61 20000us =0; "+
		"same @70 50000us =0; same @71 50000us =-5", short(l.Calls))
	s := Summarize(Alone(l), SummaryOptions{})
	require.EqualValues(t, 540_000, s.All.Sum)
	require.Equal(t, at(300_000+30_000+60_000), s.All.Wall, "no moment twice")
}

func TestAsync(t *testing.T) {
	l := read(t, aCall+`[    2.000] calling  7_do_scan_async+0x0/0x20 @ 66
[    2.001] async_waiting @ 1
[    2.500] initcall 7_do_scan_async+0x0/0x20 returned 0 after 500000 usecs
[    2.501] async_continuing @ 1 after 500123 usec
[    2.600] calling  8_do_scan_async+0x0/0x20 @ 67
[    2.700] initcall 8_do_scan_async+0x0/0x20 returned after 100000 usecs
`)
	require.Equal(t, "a_init @1 5us =0", short(l.Calls))
	require.Equal(t, "do_scan_async @66 500000us =0; do_scan_async @67 100000us", short(l.Async))
	require.Equal(t, "7", l.Async[0].Cookie)
	require.Equal(t, []Wait{{1, at(2_501_000), at(500_123)}}, l.Waits)
}

func TestProbes(t *testing.T) {
	l := read(t, aCall+`[    2.0] probe of 0000:00:01.1 returned 0 after 34528 usecs
[    2.1] probe of a device returned 0 of b returned 517 after 3 usecs
[    2.2] probe ata_probe in driver ata for device 00:03 returned -19 after 4 usecs
`)
	require.Equal(t, []Probe{
		{"0000:00:01.1", 0, at(34528), at(2_000_000), 3},
		{"a device returned 0 of b", 517, at(3), at(2_100_000), 4},
		{"00:03", -19, at(4), at(2_200_000), 5},
	}, l.Probes)
}

func TestFtrace(t *testing.T) {
	l := read(t, `# tracer: nop
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
          <idle>-0       [000] .....     0.043320: initcall_level: level=console
          <idle>-0       [000] .....     0.043321: initcall_start: func=con_init+0x0/0x250
          <idle>-0       [000] .....     0.043340: initcall_finish: func=con_init+0x0/0x250 ret=0
CPU:0 [LOST 12 EVENTS]
       swapper/0-1       [000] .....     1.043320: initcall_level: level=device
     my task-2-1  (      1) [001] .....     1.043321: initcall_start: func=a+0x0/0x10
     my task-2-1  (      1) [001] .....     1.053321: initcall_finish: func=a+0x0/0x10 ret=-19
        modprobe-643     [006] .....    26.737355: initcall_start: func=x+0x46/0x90 [x]
`)
	require.Equal(t, "con_init @0 19us =0; a @1 10000us =-19; x[x] @643 running", short(l.Calls))
	require.Equal(t, SourceFtrace, l.Source)
	require.Equal(t, "device", l.Calls[1].Level)
	require.True(t, l.Calls[1].FromTimes)
	require.Equal(t, 12, l.Dropped)

	l = read(t, "[    1.000] initcall_start: func=a+0x0/0x10\n[    1.005] initcall_finish: func=a+0x0/0x10 ret=0\n")
	require.Equal(t, "a @-1 5000us =0", short(l.Calls), "tp_printk")
	l = read(t, " swapper/0-1     [000]     0.5: initcall_start:        func=a+0x0/0x10\n swapper/0-1     [000]     0.7: initcall_finish:       func=a+0x0/0x10 ret=0\n")
	require.Equal(t, "a @1 200000us =0", short(l.Calls), "trace-cmd")
	l = read(t, "[    4.5]   <idle>-0         0...1.   12us : initcall_start: func=a+0x0/0x10\n[    4.6] swapper/-1         0..... 5000us : initcall_start: func=b+0x0/0x10\n"+
		"[    4.6] swapper/-1         0..... 5034us : initcall_finish: func=b+0x0/0x10 ret=-19\n")
	require.Equal(t, "a @0 return lost; b @1 34us =-19", short(l.Calls), "a dump on an oops")
	require.Equal(t, at(5000), l.Calls[1].Start)
	l = read(t, aCall+" swapper/0-1     [000]     0.5: initcall_finish: func=a+0x0\n")
	require.Equal(t, 1, l.Unreadable)
}

// A file of syslog holds several boots; the last that calls anything is meant.
func TestSeveralBoots(t *testing.T) {
	boot := func(name string) string {
		return "[    0.000000] Linux version 6.1 (" + name + ")\n" + strings.ReplaceAll(aCall, "a_init", name)
	}
	text := boot("one") + boot("two") + "[    0.000000] Linux version 6.1 (three)\n[    5.0] nothing is called\n"
	l := read(t, text)
	require.Equal(t, "two @1 5us =0", short(l.Calls))
	require.Equal(t, "Linux version 6.1 (two)", l.Banner)
	require.Equal(t, [2]int{2, 3}, [2]int{l.Boot, l.Boots})
	l, err := Read(strings.NewReader(text), Options{Boot: 1})
	require.NoError(t, err)
	require.Equal(t, "one @1 5us =0", short(l.Calls))
	_, err = Read(strings.NewReader(text), Options{Boot: 3})
	require.ErrorIs(t, err, ErrNoCalls)
	_, err = Read(strings.NewReader(text), Options{Boot: 9})
	require.ErrorContains(t, err, "no boot 9: the log holds 3")

	l = read(t, "Booting from ROM..\x1bc\x1b[?7l"+boot("one"))
	require.Equal(t, "Linux version 6.1 (one)", l.Banner, "behind the words of the firmware")
	l = read(t, boot("one")+"Linux version 6.1 (cat /proc/version)\n")
	require.Equal(t, "Linux version 6.1 (one)", l.Banner, "what user space prints is no boot")
	require.Equal(t, 1, l.Boots)
}

// Where the banner is lost with the beginning of a second boot, only the times
// tell of it.
func TestSecondBootWithoutBanner(t *testing.T) {
	const boot = "[    5.000000] calling  b_init+0x0/0x10 @ 1\n[    9.500000] initcall b_init+0x0/0x10 returned 0 after 4 usecs\n"
	require.Contains(t, Alone(read(t, boot+boot)).Notes(),
		"the times go back by 4.500 s in line 3: another boot may begin there, whose calls are counted as well")
	for _, notes := range [][]string{
		Alone(read(t, boot)).Notes(),
		Alone(read(t, boot+"[    8.500000] late\n")).Notes(), // a second: the clocks of two processors
		Alone(read(t, banner+boot+banner+boot)).Notes(),
		Alone(read(t, boot+"[    9.600000]    <...>-1  0..... 43321us : initcall_start: func=b_init+0x0/0x10\n")).Notes(),
	} {
		require.NotContains(t, strings.Join(notes, "\n"), "go back")
	}
}

func TestGzip(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err := w.Write([]byte(aCall))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	l, err := Read(&z, Options{})
	require.NoError(t, err)
	require.Equal(t, "a_init @1 5us =0", short(l.Calls))
	_, err = Read(strings.NewReader("\x1f\x8bnot gzip"), Options{})
	require.ErrorContains(t, err, "gzip")
}

// A module that the kernel asks for before its first process is loaded before
// user space; without a line that names the process, threads tell.
func TestBeforeUser(t *testing.T) {
	const early = "[    1.2] calling  m_init+0x0/0x10 [m] @ 44\n"
	l := read(t, aCall+early+"[    2.0] Run /init as init process\n[    3.0] calling  n_init+0x0/0x10 [n] @ 44\n")
	require.Equal(t, []bool{true, true, false}, []bool{l.BeforeUser(&l.Calls[0]), l.BeforeUser(&l.Calls[1]), l.BeforeUser(&l.Calls[2])})
	l = read(t, aCall+early+"[    2.0] Freeing unused kernel memory: 1224k freed\n")
	require.Equal(t, []bool{true, false}, []bool{l.BeforeUser(&l.Calls[0]), l.BeforeUser(&l.Calls[1])})
	l = read(t, aCall+"[    1.5] Running do_deferred_initcalls()\n"+early+"[    2.0] Freeing unused kernel memory: 1224k freed\n")
	require.Equal(t, at(1_500_000), l.UserSpace)
}

func TestNoCalls(t *testing.T) {
	for _, text := range []string{"", "\n\n", "[    0.0] Linux version 6.1\n", "\x00\xff\x00"} {
		_, err := Read(strings.NewReader(text), Options{})
		require.ErrorIs(t, err, ErrNoCalls)
	}
	_, err := Read(strings.NewReader("x\ncalling  to\n"), Options{})
	require.ErrorIs(t, err, ErrNoCalls)
	require.ErrorContains(t, err, `line 2 is "calling  to"`)
}

// A line without an end is read in pieces, and hides nothing behind it.
func TestLongLine(t *testing.T) {
	l := read(t, strings.Repeat("x", 5*maxLine)+"\n"+aCall)
	require.Equal(t, "a_init @1 5us =0", short(l.Calls))
	require.Equal(t, 3, l.Lines)
	l = read(t, strings.Repeat("x", maxLine-10)+"[    1.0] calling  b+0x0/0x9 @ 1\n"+aCall)
	require.Equal(t, 1, l.Unreadable+strings.Count(short(l.Calls), "b "), "the torn one is counted")
}

func TestTooManyCalls(t *testing.T) {
	_, err := Read(strings.NewReader(strings.Repeat("calling  a+0x0/0x1 @ 1\ncalling  b+0x0/0x1 @ 1\n", maxCalls/2+1)), Options{})
	require.ErrorContains(t, err, "more than")
}

// Cut from the log of a Debian kernel under QEMU; the figures are the log's.
func TestRealLogs(t *testing.T) {
	text, err := os.ReadFile("testdata/amd64-6.12.log")
	require.NoError(t, err)
	l := read(t, string(text))
	require.Len(t, l.Calls, 15)
	require.Equal(t, Call{
		Function: Function{Name: "init_hw_perf_events", Size: 0x700}, PID: 1,
		Start: at(1_358_148), End: at(1_360_702), Duration: at(4000), Units: 1,
		Code: true, Line: 13, Announced: true, Status: Returned,
	}, l.Calls[4])
	require.Equal(t, "6.12.117+deb12-cloud-amd64", Release(l.Banner))
	require.Contains(t, l.CommandLine, "initcall_debug")
	require.Zero(t, l.Unreadable+l.Mended)

	// With trace events, tp_printk and ftrace_dump_on_oops: each call is there twice.
	text, err = os.ReadFile("testdata/trace-6.12.log")
	require.NoError(t, err)
	l = read(t, string(text))
	require.Equal(t, SourceTpPrintk, l.Source)
	require.Equal(t, "con_init @-1 0us =0; balloon_wait_finish @-1 180us =-19", short(l.Calls))
	require.Equal(t, []string{"console", "late"}, []string{l.Calls[0].Level, l.Calls[1].Level})
	require.Equal(t, 4, l.Others-2, "and two levels")
	_, dump, ok := strings.Cut(string(text), "Dumping ftrace buffer:")
	require.True(t, ok)
	l = read(t, dump)
	require.Equal(t, SourceFtrace, l.Source)
	require.Equal(t, "con_init @0 0us =0; balloon_wait_finish @1 179us =-19", short(l.Calls))

	text, err = os.ReadFile("testdata/deferred-6.12.log")
	require.NoError(t, err)
	l = read(t, string(text))
	require.Equal(t, "con_init @0 0us =0; piix_init @30 35087us =0; ehci_hcd_init @30 58us =0; uhci_hcd_init @30 310736us =0", short(l.Calls))
	require.Equal(t, at(2_243_482), l.UserSpace, "not the freeing of memory, which waits for them")
}

// A duration that no call can have taken is no duration: sums would overflow.
func TestIncredibleDuration(t *testing.T) {
	for _, line := range []string{
		"initcall b_init+0x0/0x9 returned 0 after 1099511627777 usecs", // 2^40 and one
		"initcall b_init+0x0/0x9 returned 0 after 1099511628 msecs",
		"initcall 0xc03d1a0a ran for 1099511628 msecs: b_init+0x0/0x9()",
	} {
		l := read(t, aCall+"[    1.2] "+line+"\n")
		require.Equal(t, "a_init @1 5us =0", short(l.Calls), line)
		require.Equal(t, 1, l.Unreadable, line)
	}
	l := read(t, aCall+"[    1.2] initcall b_init+0x0/0x9 returned 0 after 1099511627776 usecs\n")
	require.Zero(t, l.Unreadable)
}
