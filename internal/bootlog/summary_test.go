package bootlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Worked by hand. Microseconds; the lines are 10 later than the calls end.
const worked = banner + `[    1.000000] calling  a+0x0/0x20 @ 1
[    1.100010] initcall a+0x0/0x20 returned 0 after 100000 usecs
[    1.100020] calling  b+0x0/0x20 @ 1
[    1.105000] probe of 0000:00:01.1 returned 0 after 4000 usecs
[    1.120030] initcall b+0x0/0x20 returned -19 after 20000 usecs
[    1.620030] calling  c+0x0/0x20 @ 1
[    1.620040] initcall c+0x0/0x20 returned 0 after 5 usecs
[    2.000000] Run /init as init process
[    3.000000] calling  slow+0x0/0x20 @ 30
[    3.050000] initcall slow+0x0/0x20 returned 0 after 49990 usecs
[    4.000000] calling  x+0x0/0x20 [m] @ 40
`

func TestSummarize(t *testing.T) {
	j, err := With(read(t, worked), kernel("initcall:4:a", "initcall:6:b", "initcall:6:c", "deferred:deferred:slow"))
	require.NoError(t, err)
	s := Summarize(j, SummaryOptions{Gap: 1000, Candidate: 10_000})
	require.Equal(t, Totals{Calls: 5, Measured: 4, Sum: 169_995, Wall: at(100_010 + 20_010 + 10 + 50_000)}, s.All)
	require.Equal(t, Totals{Calls: 3, Measured: 3, Sum: 120_005, Wall: at(100_010 + 20_010 + 10)}, s.Boot)
	require.Equal(t, Totals{Calls: 2, Measured: 1, Sum: 49_990, Wall: at(50_000)}, s.After)
	require.Equal(t, at(620_040), s.Span)
	require.Equal(t, []Gap{{1, 2, at(1_120_030), 500_000}}, s.Gaps)
	require.Equal(t, []int{1}, s.Failed)
	require.Equal(t, []int{4}, s.Unended)
	require.Equal(t, []Candidate{{1, 20_000, []string{"0000:00:01.1"}}}, s.Candidate, "of a late level, slow, before user space")
	require.Equal(t, []LevelTotal{
		{"4", 1, Totals{1, 1, 100_000, at(100_010)}},
		{"6", 2, Totals{2, 2, 20_005, at(20_020)}},
		{"deferred", 1, Totals{1, 1, 49_990, at(50_000)}},
		{"module", 0, Totals{Calls: 1}},
	}, s.Levels)
}

// Without an image levels are those that the log names, if it does.
func TestSummarizeAlone(t *testing.T) {
	s := Summarize(Alone(read(t, worked)), SummaryOptions{Candidate: 10_000})
	require.Empty(t, s.Candidate, "no level is known")
	require.Equal(t, UnknownLevel, s.Levels[0].Level)
	s = Summarize(Alone(read(t, "entering initcall level: device\n"+worked[len(banner):])), SummaryOptions{Candidate: 10_000})
	require.Equal(t, []Candidate{{0, 100_000, []string{}}, {1, 20_000, []string{"0000:00:01.1"}}}, nonNil(s.Candidate))
	require.Equal(t, "6", s.Levels[0].Level)
}

func nonNil(list []Candidate) []Candidate {
	for i := range list {
		if list[i].Devices == nil {
			list[i].Devices = []string{}
		}
	}
	return list
}

func TestCompare(t *testing.T) {
	older := read(t, banner+`[    1.000000] calling  a+0x0/0x20 @ 1
[    1.100000] initcall a+0x0/0x20 returned 0 after 100000 usecs
[    1.100000] calling  init+0x0/0x20 @ 1
[    1.150000] initcall init+0x0/0x20 returned 0 after 50000 usecs
[    1.150000] calling  gone+0x0/0x20 @ 1
[    1.151000] initcall gone+0x0/0x20 returned 0 after 1000 usecs
[    1.200000] calling  init+0x0/0x20 @ 1
[    1.210000] initcall init+0x0/0x20 returned 0 after 10000 usecs
[    1.300000] calling  usb+0x0/0x20 @ 1
[    1.830000] initcall usb+0x0/0x20 returned 0 after 530000 usecs
[    1.900000] Run /init as init process
`)
	newer := read(t, banner+`[    1.000000] calling  a+0x0/0x20 @ 1
[    1.100000] initcall a+0x0/0x20 returned 0 after 100900 usecs
[    1.100000] calling  init+0x0/0x20 @ 1
[    1.130000] initcall init+0x0/0x20 returned 0 after 30000 usecs
[    1.150000] calling  new+0x0/0x20 @ 1
[    1.151000] initcall new+0x0/0x20 returned 0 after 2000 usecs
[    1.200000] calling  init+0x0/0x20 @ 1
[    1.210000] initcall init+0x0/0x20 returned 0 after 15000 usecs
[    1.300000] Run /init as init process
[    2.300000] calling  usb+0x0/0x20 @ 30
[    2.830000] initcall usb+0x0/0x20 returned 0 after 520000 usecs
`)
	c, err := Compare(older, newer, Thresholds{US: 1000, Percent: 10})
	require.NoError(t, err)
	type row struct {
		change Change
		name   string
		saved  Time
	}
	var rows []row
	for _, p := range c.Pairs {
		f := p.Old
		if f == nil {
			f = p.New
		}
		rows = append(rows, row{p.Change, f.Name, p.Saved})
	}
	require.Equal(t, []row{
		{Same, "a", at(-900)},
		{Faster, "init", at(20_000)},
		{New, "new", Time{}},
		{Gone, "gone", Time{}},
		{Slower, "init", at(-5000)},
		{Deferred, "usb", at(10_000)},
	}, rows)
	require.True(t, c.Slower())
	require.EqualValues(t, 691_000-147_900, c.Old.Boot.Sum-c.New.Boot.Sum, "before user space")

	c, err = Compare(older, newer, Thresholds{US: 1000, Percent: 60})
	require.NoError(t, err)
	require.False(t, c.Slower(), "50 percent slower")
	c, err = Compare(older, newer, Thresholds{US: 6000})
	require.NoError(t, err)
	require.False(t, c.Slower(), "5 ms slower")
	_, err = Compare(older, read(t, calls("x")), Thresholds{})
	require.ErrorContains(t, err, "no call in common")

	swapped := read(t, banner+calls("b", "a", "c"))
	c, err = Compare(read(t, banner+calls("a", "b", "c")), swapped, Thresholds{US: 1})
	require.NoError(t, err)
	require.Len(t, c.Pairs, 3)
	moved := 0
	for _, p := range c.Pairs {
		if p.Change == Moved {
			moved++
		}
	}
	require.Equal(t, 1, moved)
}

// A call that hangs, or whose return is missing, has no duration to compare, and
// is neither the same nor a new one.
func TestCompareUnmeasured(t *testing.T) {
	older := read(t, banner+calls("a", "b", "c"))
	newer := read(t, banner+calls("a")+`[    2.000000] calling  b+0x0/0x10 @ 1
[    2.100000] calling  c+0x0/0x10 @ 1
`)
	c, err := Compare(older, newer, Thresholds{US: 1000, Percent: 10})
	require.NoError(t, err)
	var changes []Change
	for _, p := range c.Pairs {
		changes = append(changes, p.Change)
	}
	require.Equal(t, []Change{Same, Unmeasured, Unmeasured}, changes)
	require.Equal(t, Lost, c.Pairs[1].New.Status)
	require.Equal(t, Running, c.Pairs[2].New.Status)
}

func TestBlacklist(t *testing.T) {
	k := kernel("console:console:con", "initcall:6:stub_a", "initcall:6:init", "initcall:7:init", "initcall:7:b")
	k.Entries[1].Names = append(k.Entries[1].Names, "a")
	names, warnings, err := k.CheckBlacklist([]string{"a", "b"})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []string{"stub_a", "b"}, names, "the name that the kernel compares")
	names, warnings, err = k.CheckBlacklist([]string{"init"})
	require.NoError(t, err)
	require.Equal(t, []string{"init"}, names)
	require.Equal(t, []string{"init is the name of 2 entries: none of them is called"}, warnings)
	_, _, err = k.CheckBlacklist([]string{"nope"})
	require.ErrorContains(t, err, `no initcall "nope"`)
	_, _, err = k.CheckBlacklist([]string{"con"})
	require.ErrorContains(t, err, "console table")
	k.Entries[1].Raw = ""
	_, _, err = k.CheckBlacklist([]string{"a"})
	require.ErrorContains(t, err, "how the linker named a is not known")
	require.Equal(t, []string{"x", "y", "z"}, Blacklist("ro initcall_blacklist=x,y quiet initcall_blacklist=z"))
}

// The figures are those of the kernel's headers; x86 has the generic ones.
func TestErrno(t *testing.T) {
	for _, test := range []struct {
		code    int
		machine string
		name    string
		assumed bool
	}{
		{19, "", "ENODEV", false},
		{517, "", "EPROBE_DEFER", false},
		{524, "mips64el", "ENOTSUPP", false},
		{38, "x86_64", "ENOSYS", false},
		{38, "", "ENOSYS", true},
		{89, "mipsel", "ENOSYS", false},
		{122, "mips", "EOPNOTSUPP", false},
		{38, "sparc64", "", false},
		{38, "parisc", "", false},
		{9999, "x86_64", "", false},
	} {
		name, assumed := Errno(test.code, test.machine)
		require.Equal(t, test.name, name, "%v", test)
		require.Equal(t, test.assumed, assumed, "%v", test)
	}
}

// Times of day are too coarse to tell in which of two calls a device was probed;
// the order of the lines tells.
func TestDevicesOfCandidates(t *testing.T) {
	log := "entering initcall level: device\n"
	for _, message := range []string{
		"calling  a+0x0/0x20 @ 1",
		"probe of in_a returned 0 after 9000 usecs",
		"initcall a+0x0/0x20 returned 0 after 20000 usecs",
		"calling  b+0x0/0x20 @ 1",
		"probe of in_b returned 0 after 9000 usecs",
		"initcall b+0x0/0x20 returned 0 after 20000 usecs",
	} {
		log += "Nov 21 23:10:01 host kernel: " + message + "\n"
	}
	log += "Nov 21 23:10:02 host kernel: probe of later returned 0 after 9000 usecs\n"
	s := Summarize(Alone(read(t, log)), SummaryOptions{Candidate: 10_000})
	require.Equal(t, []Candidate{{0, 20_000, []string{"in_a"}}, {1, 20_000, []string{"in_b"}}}, s.Candidate)
}

// Where calls overlap a device is that of one: the work stays linear.
func TestDevicesOfOverlappingCandidates(t *testing.T) {
	s := Summarize(Alone(read(t, `entering initcall level: device
[    1.000000] calling  a+0x0/0x20 @ 1
[    1.010000] calling  b+0x0/0x20
[    1.020000] probe of dev returned 0 after 5 usecs
[    1.030000] initcall b+0x0/0x20 returned 0 after 20000 usecs
[    1.040000] initcall a+0x0/0x20 returned 0 after 40000 usecs
`)), SummaryOptions{Candidate: 10_000})
	require.Equal(t, []Candidate{{0, 40_000, nil}, {1, 20_000, []string{"dev"}}}, s.Candidate)
}
