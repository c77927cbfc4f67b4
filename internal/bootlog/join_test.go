package bootlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kernel makes a kernel of entries "table:level:name[:size]".
func kernel(entries ...string) *Kernel {
	k := &Kernel{Sync: true, Release: "6.1", Banner: "Linux version 6.1 (ours)"}
	for i, e := range entries {
		part := strings.Split(e, ":")
		entry := Entry{Table: part[0], Level: part[1], Raw: part[2], Names: []string{part[2]}, Target: uint64(0x1000 + 16*i)}
		if len(part) > 3 {
			_, err := fmt.Sscanf(part[3], "%d", &entry.Size)
			if err != nil {
				panic(err)
			}
		}
		k.Entries = append(k.Entries, entry)
	}
	return k
}

const banner = "[    0.000000] Linux version 6.1 (ours)\n"

// calls writes the log of calls "name[@pid]", each of 10 µs.
func calls(names ...string) string {
	var log strings.Builder
	for i, name := range names {
		name, pid, ok := strings.Cut(name, "@")
		if !ok {
			pid = "1"
		}
		name, module, _ := strings.Cut(name, " ")
		f := name + "+0x0/0x20"
		if module != "" {
			f += " " + module
		}
		fmt.Fprintf(&log, "[%5d.000100] calling  %s @ %s\n[%5d.000110] initcall %s returned 0 after 10 usecs\n", i+1, f, pid, i+1, f)
	}
	return log.String()
}

// joined writes for each call the entry's place and the kind.
func joined(j *Join) string {
	var lines []string
	for _, c := range j.Calls {
		line := fmt.Sprintf("%s=%d", c.label(), c.Entry)
		if c.Kind != KindInitcall {
			line += " " + string(c.Kind)
		}
		if c.Ambiguous {
			line += "?"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// reasons writes for each entry that was not called why.
func reasons(j *Join) string {
	var lines []string
	for _, m := range j.Missing {
		lines = append(lines, fmt.Sprintf("%d %s", m.Entry, m.Reason))
	}
	return strings.Join(lines, "; ")
}

func TestJoin(t *testing.T) {
	plain := kernel("console:console:con", "initcall:early:a", "initcall:6:init", "initcall:6:b", "initcall:7:init", "initcall:7:c", "deferred:deferred:slow")
	user := "[   90.0] Run /init as init process\n"
	for _, test := range []struct {
		name, log, want, missing string
	}{
		{
			"everything", banner + calls("con@0", "a", "init", "b", "init", "c") + user + calls("slow@30"),
			"con=0 console; a=1; init=2; b=3; init=4; c=5; slow=6 deferred", "",
		},
		{
			"the second of one name", banner + calls("con@0", "a", "b", "init", "c") + user,
			"con=0 console; a=1; b=3; init=4; c=5", "2 not in the log; 6 not triggered",
		},
		{
			"the first of one name", banner + calls("con@0", "a", "init", "b", "c") + user,
			"con=0 console; a=1; init=2; b=3; c=5", "4 not in the log; 6 not triggered",
		},
		{
			"a module of that name", banner + calls("con@0", "a", "init", "b", "init", "c") + user + calls("init [x]@40", "slow@30"),
			"con=0 console; a=1; init=2; b=3; init=4; c=5; init=-1 module; slow=6 deferred", "",
		},
		{
			"a call of no table, after boot", banner + calls("con@0", "a", "init", "b", "init", "c") + user + calls("vendor@40"),
			"con=0 console; a=1; init=2; b=3; init=4; c=5; vendor=-1 unknown", "6 not triggered",
		},
		{
			"no console calls", banner + calls("a", "init", "b", "init", "c") + user,
			"a=1; init=2; b=3; init=4; c=5", "0 not logged; 6 not triggered",
		},
		{
			"the beginning is missing", calls("b", "init", "c") + user,
			"b=3; init=4; c=5", "0 before the log; 1 before the log; 2 before the log; 6 not triggered",
		},
		{
			"the beginning is missing up to one of two", calls("init", "c") + user,
			"init=4; c=5", "0 before the log; 1 before the log; 2 before the log; 3 before the log; 6 not triggered",
		},
		{
			"the end is missing", banner + calls("con@0", "a", "init"),
			"con=0 console; a=1; init=2", "3 after the log; 4 after the log; 5 after the log; 6 not triggered",
		},
		{
			"it ends in a call", banner + calls("con@0", "a", "init") + "[    9.0] calling  b+0x0/0x20 @ 1\n",
			"con=0 console; a=1; init=2; b=3", "4 still running; 5 still running; 6 not triggered",
		},
		{
			"it hangs", banner + calls("con@0", "a", "init") + "[    9.0] calling  b+0x0/0x20 @ 1\n[  129.0] INFO: task swapper/0:1 blocked for more than 120 seconds.\n",
			"con=0 console; a=1; init=2; b=3", "4 hung; 5 hung; 6 not triggered",
		},
		{
			"it crashes", banner + calls("con@0", "a", "init") + "[    9.0] calling  b+0x0/0x20 @ 1\n[    9.1] BUG: kernel NULL pointer dereference, address: 0\n",
			"con=0 console; a=1; init=2; b=3", "4 crashed; 5 crashed; 6 not triggered",
		},
		{
			"it complains, goes on, and crashes", banner + calls("con@0", "a") + "[    2.5] BUG: sleeping function called from invalid context\n" + calls("init") +
				"[    9.0] calling  b+0x0/0x20 @ 1\n[    9.1] Unable to handle kernel NULL pointer dereference\n[    9.2] Kernel panic - not syncing: Fatal exception\n",
			"con=0 console; a=1; init=2; b=3", "4 crashed; 5 crashed; 6 not triggered",
		},
		{
			"a deferred call that crashes", banner + calls("con@0", "a", "init", "b", "init", "c") + user +
				"[   95.0] calling  junk+0x4/0x20 @ 30\n[   95.1] BUG: kernel NULL pointer dereference, address: 0\n",
			"con=0 console; a=1; init=2; b=3; init=4; c=5; junk=-1 unknown", "6 crashed",
		},
		{
			"blacklisted", banner + "[    0.0] Kernel command line: quiet initcall_blacklist=b,c\n" + calls("con@0", "a", "init", "init") + user,
			"con=0 console; a=1; init=2; init=4", "3 blacklisted; 5 blacklisted; 6 not triggered",
		},
		{
			"blacklisted, the log says", banner + calls("con@0", "a", "init") + "[    5.0] initcall b blacklisted\n" + calls("init", "c") + user,
			"con=0 console; a=1; init=2; init=4; c=5", "3 blacklisted; 6 not triggered",
		},
		{
			"messages were dropped", banner + calls("con@0", "a", "init") + "** 4 printk messages dropped **\n" + calls("init", "c") + user,
			"con=0 console; a=1; init=2; init=4; c=5", "3 lost; 6 not triggered",
		},
		{
			"a torn line", banner + calls("con@0", "a", "init") + "[    5.0] calling  b+0x\n" + calls("init", "c") + user,
			"con=0 console; a=1; init=2; init=4; c=5", "3 unreadable line; 6 not triggered",
		},
		{
			"a name that was spoiled", banner + calls("con@0", "a", "init", "bx", "init", "c") + user,
			"con=0 console; a=1; init=2; bx=-1 unknown; init=4; c=5", "3 not in the log; 6 not triggered",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := With(read(t, test.log), plain)
			require.NoError(t, err)
			require.Equal(t, test.want, joined(j))
			require.Equal(t, test.missing, reasons(j))
			require.Len(t, j.Calls, len(j.Log.Calls), "no call is lost")
		})
	}
}

// Of two neighbours of one name one was called: it may be either.
func TestAmbiguous(t *testing.T) {
	k := kernel("initcall:6:a", "initcall:6:init", "initcall:6:init", "initcall:6:b", "initcall:6:init")
	j, err := With(read(t, banner+calls("a", "init", "b", "init")), k)
	require.NoError(t, err)
	require.Equal(t, "a=0; init=1?; b=3; init=4", joined(j))
	j, err = With(read(t, banner+calls("a", "init", "init", "b", "init")), k)
	require.NoError(t, err)
	require.Equal(t, "a=0; init=1; init=2; b=3; init=4", joined(j))
}

// Groups of a vendor's deferred table come in the order that user space likes.
func TestDeferredGroups(t *testing.T) {
	k := kernel("initcall:6:a", "deferred:deferred:x", "deferred:deferred:y", "deferred:deferred:z")
	for i, group := range []string{"1", "2", "3"} {
		k.Entries[i+1].Group = group
	}
	j, err := With(read(t, banner+calls("a")+"[   90.0] Run /init as init process\n"+calls("y@20", "x@21")), k)
	require.NoError(t, err)
	require.Equal(t, "a=0; y=2 deferred; x=1 deferred", joined(j))
	require.Equal(t, "3 not triggered", reasons(j))

	for i := range k.Entries {
		k.Entries[i].Direct = i > 0
	}
	j, err = With(read(t, banner+calls("a")), k)
	require.NoError(t, err)
	require.Equal(t, "1 not logged; 2 not logged; 3 not logged", reasons(j))
	require.Contains(t, strings.Join(j.Notes(), "\n"), "without lines in the log")
}

// An entry that points into a function is called by that name, and so is what
// the linker put in front of it.
func TestNames(t *testing.T) {
	k := kernel("initcall:early:a.llvm.123", "initcall:6:b", "initcall:6:alias")
	k.Entries[1].Offset = 3
	k.Entries[2].Names = []string{"real", "alias"}
	j, err := With(read(t, banner+calls("a")+"[    8.0] calling  b+0x3/0x20 @ 1\n"+calls("alias")), k)
	require.NoError(t, err)
	require.Equal(t, "a=0; b=1; alias=2", joined(j))
}

func TestByAddress(t *testing.T) {
	entries := []string{"console:console:con"}
	for i := range 30 {
		entries = append(entries, fmt.Sprintf("initcall:6:f%d", i))
	}
	k := kernel(entries...)
	for _, slide := range []uint64{0, 0x2600_0000} {
		log := banner
		for i, e := range k.Entries {
			if i != 7 { // one was not called
				log += fmt.Sprintf("[    1.0] calling  0x%x @ 1\n", e.Target+slide)
			}
		}
		j, err := With(read(t, log), k)
		require.NoError(t, err)
		require.Equal(t, slide, j.Slide)
		require.True(t, j.ByAddress)
		require.Equal(t, "7 not in the log", reasons(j))
	}
	log := banner
	for i := range k.Entries {
		log += fmt.Sprintf("[    1.0] calling  0x%x @ 1\n", 0x8000+7*i*i)
	}
	_, err := With(read(t, log), k)
	require.ErrorContains(t, err, "addresses")
}

// Another kernel's log is refused, and said by what.
func TestOtherKernel(t *testing.T) {
	many := make([]string, 60)
	var entries []string
	for i := range many {
		many[i] = fmt.Sprintf("f%d", i)
		entries = append(entries, fmt.Sprintf("initcall:6:f%d:32", i))
	}
	k := kernel(entries...)
	changed := func(n int) string { // n calls of other names
		names := append([]string{}, many...)
		for i := range n {
			names[10+10*i] = "other"
		}
		return calls(names...)
	}
	other := strings.Replace(banner, "6.1", "6.2", 1)
	rebuilt := strings.Replace(banner, "ours", "theirs", 1)
	for _, test := range []struct{ name, log, want string }{
		{"ours", banner + changed(0), ""},
		{"no banner", changed(0), ""},
		{"rebuilt", rebuilt + changed(0), ""},
		{"another release", other + changed(0), "it says Linux 6.2, the image is Linux 6.1"},
		{"other calls", changed(3), "3 of 60 calls fit no entry, the first is other in line 21"},
		{"other calls, the same banner", banner + changed(3), "3 of 60 calls fit no entry"},
		{"one call more", banner + calls(append([]string{"more"}, many...)...), "1 of 61 calls fit no entry, the first is more in line 2"},
		{"one call more in the middle", banner + calls(append(append([]string{}, many[:9]...), append([]string{"more"}, many[9:]...)...)...), "1 of 61 calls fit no entry"},
		{"other order", banner + calls(append(append([]string{}, many[30:]...), many[:30]...)...), "30 of 60 calls fit no entry"},
		{"other sizes", strings.ReplaceAll(changed(0), "/0x20", "/0x1000"), "60 of 60 functions have another size"},
		{"smaller ones", strings.ReplaceAll(changed(0), "/0x20", "/0x10"), "60 of 60 functions have another size"},
		{"a call more in a torn log", banner + "calling  torn\n" + calls(append([]string{"more"}, many...)...), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := With(read(t, test.log), k)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			var mismatch *MismatchError
			require.ErrorAs(t, err, &mismatch)
			require.Contains(t, err.Error(), test.want)
		})
	}
}

func TestNotes(t *testing.T) {
	k := kernel("initcall:6:a", "initcall:6:b", "initcall:6:c")
	note := func(log string) string {
		j, err := With(read(t, log), k)
		require.NoError(t, err)
		return strings.Join(j.Notes(), "\n")
	}
	require.Contains(t, note(calls("b", "c")), "its first call is number 2 of the table; a larger log_buf_len=")
	require.Contains(t, note(calls("a", "b", "c")), "does not say which kernel")
	require.Contains(t, note(strings.Replace(banner, "ours", "b", 1)+calls("a", "b", "c")), "two builds of one release")
	require.Contains(t, note(banner+calls("a", "b", "c")+"calling  x\n"), "lines that speak of an initcall and could not be read: 1, the first is line 8")
	require.Contains(t, note(banner+calls("a", "c")), "entries without a call, and nothing in the log says why: 1;")
	require.Empty(t, note(banner+calls("a", "b", "c")))
	require.Contains(t, strings.Join(Alone(read(t, calls("a"))).Notes(), "\n"), "its beginning may be missing")
	require.Contains(t, strings.Join(Alone(read(t, "Linux version 3.10.1 (x)\n"+calls("a"))).Notes(), "\n"), "1024 ns")
	require.NotContains(t, strings.Join(Alone(read(t, "Linux version 6.1.1 (x)\n"+calls("a"))).Notes(), "\n"), "1024 ns")
}

func TestLongestChain(t *testing.T) {
	for _, test := range []struct {
		candidates [][]int
		want       []int
	}{
		{nil, []int{}},
		{[][]int{{0}, {1}, {2}}, []int{0, 1, 2}},
		{[][]int{{2}, {0}, {1}}, []int{-1, 0, 1}},
		{[][]int{{0, 2}, {1}, {0, 2}}, []int{0, 1, 2}},
		{[][]int{{5}, nil, {6}}, []int{5, -1, 6}},
		{[][]int{{9}, {0}, {1}, {2}}, []int{-1, 0, 1, 2}},
	} {
		require.Equal(t, test.want, longestChain(test.candidates))
	}
}
