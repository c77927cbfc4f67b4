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

func TestPreferred(t *testing.T) {
	for _, test := range []struct{ want, others string }{
		{"T foo", "W aaa"},
		{"T ___foo", "W aaa"},
		{"T foo", "T _foo"},
		{"T _foo", "T __foo"},
		{"T a_init", "T b_init"},
		{"T B_init", "T a_init"}, // by byte value, as nm -n with LC_ALL=C
		{"T ____x", "T __x_start"},
		{"T ____x", "T __start_x"},
		{"T __stop_x", "W __x"},
		{"W __a", "W __start_a"},
		{"T __end_a", "T ____b_end"}, // both may be a linker script's
		{"T __end_", "T __end_ab"},   // under eight characters none is
		{"T __a_end", "T __ab_end"},
		{"T _stext_start", "T __stext"}, // one underscore is not a linker script's
		{"T z", "T $x T .Lfoo T L0 T $d.1"},
		{"T z", "T __crc_a"},
		{"T z", "T __efistub_a"},
		{"T z", "A a a b U c N d"},
		{"V bar", "T foo W baz"}, // kallsyms takes only w and W for weak
		{"", "T $x T .L1"},
		{"", ""},
	} {
		var syms []symbols.Symbol
		words := strings.Fields(test.others + " " + test.want)
		for i := 0; i < len(words); i += 2 {
			syms = append(syms, symbols.Symbol{Name: words[i+1], Kind: symbols.Kind(words[i][0])})
		}
		for range 4 { // in any order
			rand.Shuffle(len(syms), func(i, j int) { syms[i], syms[j] = syms[j], syms[i] })
			got := ""
			if i := symbols.Preferred(syms); i >= 0 {
				got = fmt.Sprintf("%v %s", syms[i].Kind, syms[i].Name)
			}
			require.Equal(t, test.want, got, "%v", syms)
		}
	}
}

// kallsyms is compare_symbols of scripts/kallsyms.c (v6.3) put into other
// words: the symbol that a kernel prints for an address.
func kallsyms(syms []symbols.Symbol) string {
	sorted := slices.Clone(syms)
	slices.SortFunc(sorted, func(a, b symbols.Symbol) int { return strings.Compare(a.Name, b.Name) }) // nm -n
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	linkerScript := func(s string) bool {
		return len(s) >= 8 && s[:2] == "__" && (s[2:8] == "start_" || s[2:7] == "stop_" || s[2:6] == "end_" ||
			s[len(s)-6:] == "_start" || s[len(s)-4:] == "_end")
	}
	slices.SortStableFunc(sorted, func(a, b symbols.Symbol) int {
		if d := bit(strings.Contains("wW", a.Kind.String())) - bit(strings.Contains("wW", b.Kind.String())); d != 0 {
			return d
		}
		if d := bit(linkerScript(a.Name)) - bit(linkerScript(b.Name)); d != 0 {
			return d
		}
		return len(a.Name) - len(strings.TrimLeft(a.Name, "_")) - (len(b.Name) - len(strings.TrimLeft(b.Name, "_")))
	})
	return sorted[0].Name
}

func TestPreferredIsKallsyms(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	pieces := []string{"_", "_", "__", "start_", "stop_", "end_", "_start", "_end", "a", "b", "Z", "x1", "init"}
	for range 200000 {
		var syms []symbols.Symbol
		for i := range 1 + r.IntN(5) {
			name := ""
			for range 1 + r.IntN(4) {
				name += pieces[r.IntN(len(pieces))]
			}
			syms = append(syms, symbols.Symbol{Name: fmt.Sprintf("%s%s", name, strings.Repeat("q", i)), Kind: symbols.Kind("tTwWVDR"[r.IntN(7)])})
		}
		require.Equal(t, kallsyms(syms), syms[symbols.Preferred(syms)].Name, "%v", syms)
	}
}
