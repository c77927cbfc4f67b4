package symbols_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/symbols"
)

func TestParseEntry(t *testing.T) {
	type entry = symbols.EntryName
	for _, test := range []struct {
		name      string
		functions string
		want      entry
	}{
		// 5.12 on, names as kernels have them.
		{"__initcall__kmod_core__376_2214_init_hw_perf_eventsearly", "", entry{Function: "init_hw_perf_events", ID: "early", Module: "core", Line: 2214}},
		{"__initcall__kmod_8250_dw__330_7_dw8250_platform_driver_init6", "", entry{Function: "dw8250_platform_driver_init", ID: "6", Module: "8250_dw", Line: 7}},
		{"__initcall__kmod_tty_io__255_3571_con_initcon", "", entry{Function: "con_init", ID: "con", Module: "tty_io", Line: 3571}},
		{"__initcall__kmod_initramfs__1_760_populate_rootfsrootfs", "", entry{Function: "populate_rootfs", ID: "rootfs", Module: "initramfs", Line: 760}},
		{"__initcall__kmod_x__1_2_frootfss", "", entry{Function: "f", ID: "rootfss", Module: "x", Line: 2}},
		// Functions that end like an id, and one whose name holds the marks.
		{"__initcall__kmod_m__1_2_init_s6s", "", entry{Function: "init_s", ID: "6s", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_init77", "", entry{Function: "init7", ID: "7", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_init_7s7", "", entry{Function: "init_7s", ID: "7", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_nearly6", "", entry{Function: "nearly", ID: "6", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_falconcon", "", entry{Function: "falcon", ID: "con", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_early_early", "", entry{Function: "early_", ID: "early", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_7early", "", entry{Function: "7", ID: "early", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2___3_4_g6", "", entry{Function: "__3_4_g", ID: "6", Module: "m", Line: 2}},
		{"__initcall__kmod_m___1_2_f6", "", entry{Function: "f", ID: "6", Module: "m_", Line: 2}},
		{"__initcall__kmod_a__b__1_2_f6", "", entry{Function: "f", ID: "6", Module: "a__b", Line: 2}},
		{"__initcall__kmod_1__2__3_4_f0s", "", entry{Function: "f", ID: "0s", Module: "1__2", Line: 4}},
		{"__initcall__kmod_a:b__1_2_f6", "", entry{Function: "f", ID: "6", Module: "a:b", Line: 2}},
		{"__initcall__kmod_m__1_2_f_init8", "f_init", entry{Function: "f_init", ID: "8", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_f_init9s", "f_init", entry{Function: "f_init", ID: "9s", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_f_init48", "f_init4", entry{Function: "f_init4", ID: "8", Module: "m", Line: 2}},
		{"__initcall__kmod_m__1_2_f_init8", "", entry{Function: "f_init8", Module: "m", Line: 2, Ambiguous: true}},
		{"__initcall__kmod_m__1_2_f_init8", "g_init", entry{Function: "f_init8", Module: "m", Line: 2, Ambiguous: true}},
		// Android's trees before 5.12.
		{"__initcall_17_2214_f_init6", "", entry{Function: "f_init", ID: "6", Line: 2214}},
		// 2.6.20 to 5.11: only the target tells where the function ends.
		{"__initcall_cpu_init1", "cpu_init", entry{Function: "cpu_init", ID: "1"}},
		{"__initcall_cpu_init1", "cpu_init1", entry{Function: "cpu_init1"}},
		{"__initcall_cpu_init1", "cpu_init cpu_init1", entry{Function: "cpu_init", ID: "1", Ambiguous: true}},
		{"__initcall_cpu_init1", "", entry{Function: "cpu_init", ID: "1", Ambiguous: true}},
		{"__initcall_cpu_init1", "other", entry{Function: "cpu_init", ID: "1", Ambiguous: true}},
		{"__initcall_ip_auto_config17", "ip_auto_config1", entry{Function: "ip_auto_config1", ID: "7"}},
		{"__initcall_fearly", "f", entry{Function: "f", ID: "early"}},
		{"__initcall_nearly", "nearly", entry{Function: "nearly"}},
		{"__initcall_early", "", entry{Function: "early"}},
		{"__initcall_con_init", "", entry{Function: "con_init"}}, // console and security have no id
		{"__initcall_start_it6", "start_it", entry{Function: "start_it", ID: "6"}},
		{"__initcall_kernel_start", "", entry{Function: "kernel_start"}},
		{"__initcall_8", "", entry{Function: "8"}},
		{"__initcall_f8", "", entry{Function: "f8"}}, // there is no level 8
		{"__initcall_fs", "", entry{Function: "fs"}}, // and a bare s is no id
		{"__initcall__kmod_broken6", "_kmod_broken", entry{Function: "_kmod_broken", ID: "6"}},
		// Deferred-initcalls patches.
		{"__deferred_initcall_sd_init", "", entry{Function: "sd_init"}},
		{"__initcall_piix_init0s", "piix_init", entry{Function: "piix_init", ID: "0s"}},
		{"__initcall_group_uvc_init", "uvc_init", entry{Function: "uvc_init"}},
		{"__initcall_group_uvc_init", "group_uvc_init", entry{Function: "group_uvc_init"}},
	} {
		got, ok := symbols.ParseEntry(test.name, strings.Fields(test.functions))
		require.True(t, ok, test.name)
		require.Equal(t, test.want, got, test.name)
	}
}

func TestRustEntry(t *testing.T) {
	got, ok := symbols.ParseEntry("__rust_minimal_initcall", nil)
	require.True(t, ok)
	require.Equal(t, "__rust_minimal_init", got.Function)
	require.Equal(t, "rust_minimal", got.Module)
	require.Equal(t, "6", got.ID)
}

func TestNoEntry(t *testing.T) {
	for _, name := range []string{
		"", "_", "__", "initcall", "do_initcall", "_initcall", "__initcall", "___initcall",
		"__initcall_start", "__initcall_end", "__initcall0_start", "__initcall6_start", "__initcallrootfs_start",
		"__early_initcall_end", "__con_initcall_start", "__con_initcall_end", "__security_initcall_start",
		"__def_initcall_start", "__deferred_initcall_start", "__deferred_initcall_end", "__user_initcall_start",
		"initcall_levels", "__initcall_levels"[:9],
	} {
		_, ok := symbols.ParseEntry(name, nil)
		require.False(t, ok, "%q", name)
		require.False(t, symbols.IsEntryName(name), "%q", name)
	}
}

func TestParseStub(t *testing.T) {
	got, ok := symbols.ParseStub("__initstub__kmod_core__376_2214_init_hw_perf_eventsearly")
	require.True(t, ok)
	require.Equal(t, symbols.EntryName{Function: "init_hw_perf_events", ID: "early", Module: "core", Line: 2214}, got)
	for _, name := range []string{"", "__initstub_", "__initstub__kmod_", "__initstub__kmod_core", "__initstub__kmod___1_2_f6", "__initcall__kmod_core__376_2214_f6"} {
		_, ok := symbols.ParseStub(name)
		require.False(t, ok, "%q", name)
	}
}

var ids = strings.Fields("early rootfs con 0 0s 1 1s 2 2s 3 3s 4 4s 5 5s 6 6s 7 7s")

// kmodParts are the parts of a kmod name. Of a module's name the words of one
// that itself looks like a counter and a line are the only ones left out:
// nobody could read those.
type kmodParts struct {
	module, function, id string
	counter, line        int
}

func (p kmodParts) name(prefix string) string {
	return fmt.Sprintf("%s_kmod_%s__%d_%d_%s%s", prefix, p.module, p.counter, p.line, p.function, p.id)
}

func randomParts(r *rand.Rand) kmodParts {
	word := func(pieces ...string) string {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for {
		p := kmodParts{
			module:   word("a", "8250", "_", "__", "snd", "7s", "early", "kmod"),
			function: word("a", "_", "__", "1", "12", "6s", "7", "s", "init", "early", "con", "rootfs", "_kmod_"),
			id:       ids[r.IntN(len(ids))],
			counter:  r.IntN(2000), line: 1 + r.IntN(9000),
		}
		if !readable(p.module) || !readable(p.module+"_") {
			continue
		}
		return p
	}
}

// readable reports that no part of a module's name reads as __<counter>_<line>_.
func readable(module string) bool {
	words := strings.Split(module, "_")
	for i := 2; i+1 < len(words); i++ {
		digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
		if words[i-1] == "" && digits(words[i]) && digits(words[i+1]) {
			return false
		}
	}
	// Nor together with what follows it: __12 + __3_4_…
	return len(words) < 2 || words[len(words)-2] != "" || strings.Trim(words[len(words)-1], "0123456789") != ""
}

// What the macro has put together, the parser takes apart.
func TestKmodRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 100000 {
		p := randomParts(r)
		want := symbols.EntryName{Function: p.function, ID: p.id, Module: p.module, Line: p.line}
		got, ok := symbols.ParseEntry(p.name("__initcall_"), nil)
		require.True(t, ok)
		require.Equal(t, want, got, p.name("__initcall_"))
		got, ok = symbols.ParseStub(p.name("__initstub_"))
		require.True(t, ok)
		require.Equal(t, want, got)
		require.Equal(t, p.function, symbols.DisplayName(p.name("__initstub_"), false))
	}
}

// Of a name of before 5.12 the target tells the function.
func TestPlainRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 100000 {
		p := randomParts(r)
		if p.function[0] >= '0' && p.function[0] <= '9' {
			continue // no function in C begins so
		}
		name := "__initcall_" + p.function + p.id
		if strings.HasPrefix(p.function, "_kmod_") || slices.Contains([]string{"__initcall_start", "__initcall_end"}, name) {
			continue
		}
		got, ok := symbols.ParseEntry(name, []string{p.function})
		require.True(t, ok, name)
		require.Equal(t, symbols.EntryName{Function: p.function, ID: p.id}, got, name)
	}
}

func TestDisplayName(t *testing.T) {
	for raw, want := range map[string]string{
		"foo":            "foo",
		"foo.cfi":        "foo",
		"foo.cfi_jt":     "foo",
		"foo.llvm.12345": "foo",
		"foo.lto_priv.0": "foo",
		"foo.llvm.1.cfi": "foo", "foo.cfi.llvm.1": "foo", "foo.lto_priv.0.llvm.3.cfi_jt": "foo",
		"foo.isra.0": "foo.isra.0", "foo.part.0": "foo.part.0", "foo.cold": "foo.cold", "foo.constprop.0": "foo.constprop.0",
		"foo.llvm.": "foo.llvm.", "foo.llvm.x": "foo.llvm.x", ".cfi": ".cfi", ".llvm.1": ".llvm.1", ".": ".", "": "",
		"__initstub__kmod_core__376_2214_init_hw_perf_eventsearly":     "init_hw_perf_events",
		"__initstub__kmod_core__376_2214_init_hw_perf_eventsearly.cfi": "init_hw_perf_events",
		"__initstub__kmod_broken":                                      "__initstub__kmod_broken",
	} {
		require.Equal(t, want, symbols.DisplayName(raw, true), raw)
		require.Equal(t, want, symbols.DisplayName(raw, false), raw)
	}
	// c++filt and rustfilt demangle these so; with rust off they stay.
	for raw, want := range map[string]string{
		"_RNvCs9ltgdHTiPiY_4core4init":                     "core::init",
		"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE": "core::fmt::Write::write_fmt",
	} {
		require.Equal(t, want, symbols.DisplayName(raw, true), raw)
		require.Equal(t, raw, symbols.DisplayName(raw, false), raw)
	}
	require.Equal(t, "_ZN3foo3barEv", symbols.DisplayName("_ZN3foo3barEv", true), "C++ is not Rust")
	require.Equal(t, "_ZN", symbols.DisplayName("_ZN", true))
	require.Equal(t, "_R", symbols.DisplayName("_R", true))
	require.Equal(t, "_RC0", symbols.DisplayName("_RC0", true)) // the demangler makes nothing of it
}

// A short name of Rust's can stand for a very long one, each part of which is
// twice the part before. It stays as the linker wrote it.
func TestDisplayNameIsBounded(t *testing.T) {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	backref := func(at int) string { // "B" and a number to the base of 62, less one
		s, n := "", at-1
		for ; n >= 62; n /= 62 {
			s = digits[n%62:n%62+1] + s
		}
		return "B" + digits[n:n+1] + s + "_"
	}
	for _, depth := range []int{1, 3, 40, 200} {
		name := "INvC1a1f" // the path and generic arguments of a::f::<…>
		part := len(name)
		name += "TuuE" // a pair
		for range depth {
			pair := "T" + backref(part) + backref(part) + "E"
			part = len(name)
			name += pair
		}
		name = "_R" + name + "E"
		got := symbols.DisplayName(name, true)
		require.Less(t, len(got), 4096)
		require.Equal(t, depth < 10, strings.HasPrefix(got, "a::f::<((), ()), (((), ()), ((), ()))"), got)
		require.Equal(t, depth >= 10, got == name)
	}
}
