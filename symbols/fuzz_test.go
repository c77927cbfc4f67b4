package symbols_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/symbols"
)

var mapLine = regexp.MustCompile(`^([0-9a-fA-F]{8}|[0-9a-fA-F]{16}) (?:([0-9a-fA-F]{8}|[0-9a-fA-F]{16}) )?([A-Za-z?-]) ([^ ]+)$`)

var moduleLine = regexp.MustCompile(`^[0-9a-fA-F]+ [A-Za-z] [^ ]+\t\[[^\]]+\]$`)

// plainMap reads a map line by line with a regular expression. ok is false if
// it does not know what to think of one.
func plainMap(text string, bits int) (all []symbols.Symbol, ok bool) {
	for line := range strings.Lines(text) {
		line, _ = strings.CutSuffix(line, "\n")
		line, _ = strings.CutSuffix(line, "\r")
		m := mapLine.FindStringSubmatch(line)
		if m == nil || strings.ContainsAny(m[4], "\t\r") || m[2] != "" && len(m[1]) != len(m[2]) || len(m[4]) > 2048 {
			if line == "" || strings.HasPrefix(line, " ") || moduleLine.MatchString(line) {
				continue
			}
			return nil, false
		}
		addr, err := strconv.ParseUint(m[1], 16, 64)
		if err != nil {
			return nil, false
		}
		if bits == 32 {
			addr &= 1<<32 - 1
		}
		if m[3] != "U" {
			all = append(all, symbols.Symbol{Name: m[4], Addr: symbols.Addr(addr), Kind: symbols.Kind(m[3][0])})
		}
	}
	return all, true
}

func FuzzParseMap(f *testing.F) {
	maps, err := filepath.Glob("../testdata/vmlinux-fixtures/*.map")
	require.NoError(f, err)
	require.NotEmpty(f, maps)
	for _, path := range maps {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		for _, part := range []string{string(text), string(text[:300]), string(text[:64])} {
			f.Add([]byte(part), false)
			f.Add([]byte(part), true)
		}
	}
	for _, text := range []string{
		"", "\n", "\r\n", "c0008000 T _text\n", "c0008000 0000002c t f\r\n", "                 U g\n",
		"ffffffffc0400000 t init_once\t[ext4]\n", "0000000000000000 T hidden\n", "ffffffff80000000 T mips\n",
		"ffffffffffffffff B The real System.map is elsewhere\n", "12345678 T\n", "12345678 T a b\n",
	} {
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, is32 bool) {
		bits := 64
		if is32 {
			bits = 32
		}
		before := string(text)
		table, err := symbols.ParseMap(text, bits)
		if err != nil {
			require.Nil(t, table)
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, strings.HasSuffix(before, "\n"), "a map that is cut off")
		all, err := table.All()
		require.NoError(t, err)
		require.NotEmpty(t, all)
		if want, ok := plainMap(before, bits); ok {
			require.Equal(t, want, all)
		}
		exercise(t, table, all)
		require.Equal(t, before, string(text), "the text is not to be changed")
	})
}

// exercise asks a table everything that it can be asked about itself.
func exercise(t *testing.T, table *symbols.Table, all []symbols.Symbol) {
	for i := range table.Len() {
		_, err := table.Row(i)
		require.NoError(t, err)
	}
	var names []string
	var addrs []symbols.Addr
	for _, s := range all[:min(len(all), 50)] {
		names, addrs = append(names, s.Name), append(addrs, s.Addr)
		_ = s.Kind.String()
	}
	named, err := table.Named(names...)
	require.NoError(t, err)
	at, err := table.At(addrs)
	require.NoError(t, err)
	for _, s := range all[:len(names)] {
		require.Contains(t, named[s.Name], s)
		require.Contains(t, at[s.Addr], s)
	}
	before, err := table.Before(addrs)
	require.NoError(t, err)
	for a, b := range before {
		require.LessOrEqual(t, b, a)
	}
	for _, syms := range at {
		require.Less(t, symbols.Preferred(syms), len(syms))
	}
	within, err := table.Within(0, 1<<64-1)
	require.NoError(t, err)
	require.LessOrEqual(t, len(within), len(all))
}

func FuzzParseEntry(f *testing.F) {
	f.Add("__initcall__kmod_core__376_2214_init_hw_perf_eventsearly", "init_hw_perf_events", "core", uint16(376), uint16(2214))
	f.Add("__initcall_cpu_init1", "cpu_init", "8250_dw", uint16(0), uint16(1))
	f.Add("__deferred_initcall_sd_init", "__1_2_f", "a__b", uint16(9), uint16(9))
	f.Add("__rust_minimal_initcall", "f7s", "_", uint16(9), uint16(9))
	f.Add("__initcall_group_uvc", "uvc", "7", uint16(9), uint16(9))
	f.Fuzz(func(t *testing.T, name, function, module string, counter, line uint16) {
		for _, functions := range [][]string{nil, {function}, {function, name}} {
			e, ok := symbols.ParseEntry(name, functions)
			require.Equal(t, symbols.IsEntryName(name), ok)
			if !ok {
				require.Zero(t, e)
				continue
			}
			require.Regexp(t, "^(|early|rootfss?|con|deferred|[0-9]+s?)$", e.ID)
			require.GreaterOrEqual(t, e.Line, 0)
			if !e.Rust {
				require.True(t, strings.HasSuffix(name, e.Function+e.ID), "%q: %+v", name, e)
				require.Contains(t, name, e.Module)
			}
		}
		if function == "" || !isIdentifier(function) || module == "" || !isIdentifier(module) || !readable(module) || !readable(module+"_") {
			return
		}
		for _, id := range ids {
			p := kmodParts{module: module, function: function, id: id, counter: int(counter), line: int(line)}
			got, ok := symbols.ParseEntry(p.name("__initcall_"), nil)
			require.True(t, ok)
			require.Equal(t, symbols.EntryName{Function: function, ID: id, Module: module, Line: int(line)}, got)
		}
	})
}

func isIdentifier(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func FuzzDisplayName(f *testing.F) {
	for _, name := range []string{
		"foo.cfi_jt", "foo.llvm.1234", "foo.lto_priv.0.cfi", "__initstub__kmod_core__376_2214_init_hw_perf_eventsearly",
		"_RNvCs9ltgdHTiPiY_4core4init", "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "_RINvNtC3std3mem8align_ofjdE",
		"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate", "_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Cs5QyVLnpxUZT_4mem",
		"_Z1fIJiiiEEvDpT_", "_ZNSt3__1lsINS_11char_traitsIcEEEERNS_13basic_ostreamIcT_EES6_PKc",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		start := time.Now()
		plain, rust := symbols.DisplayName(raw, false), symbols.DisplayName(raw, true)
		require.Less(t, time.Since(start), time.Second)
		require.Less(t, len(rust), 4096+len(raw))
		require.Equal(t, raw == "", plain == "")
		require.Equal(t, raw == "", rust == "")
		require.LessOrEqual(t, len(plain), len(raw))
		require.Contains(t, raw, plain)
		if !strings.HasPrefix(raw, "_R") && !strings.HasPrefix(raw, "_ZN") && !strings.HasPrefix(raw, "__initstub_") {
			require.Equal(t, plain, rust)
		}
		if utf8.ValidString(raw) && !strings.Contains(raw, ".") && !strings.HasPrefix(raw, "__initstub_") {
			require.Equal(t, raw, plain)
		}
		if slices.Contains([]string{".cfi", ".cfi_jt"}, raw) {
			require.Equal(t, raw, plain)
		}
	})
}
