package elfscan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

// A stripped kernel that carries all of its symbols itself lists as it did
// before it was stripped.
func TestListByKallsyms(t *testing.T) {
	for _, version := range []string{"2.6.11", "4.6", "6.2", "6.4"} {
		for _, a := range arches {
			t.Run(version+" "+a.String(), func(t *testing.T) {
				k := modern()
				k.Arch, k.Encoding = a.Arch, a.Encoding
				im := k.Build()
				mode := "offsets"
				if version == "2.6.11" {
					mode = "addresses"
				}
				im.AddKallsyms(version, mode, true)
				want := linesOf(mustList(t, im.Bytes()))
				require.Equal(t, wanted(im, k), want)
				im.Symbols = nil
				opened, err := open(im.Bytes())
				require.NoError(t, err)
				require.Equal(t, symbols.SourceKallsyms, opened.SymbolSource())
				l, err := opened.List(elfscan.ListOptions{})
				require.NoError(t, err)
				require.Equal(t, want, linesOf(l))

				im.NoSections, im.Segments = true, true
				if a.Encoding == fixture.Descriptor { // which .opd is, only the sections tell
					requireRefused(t, im.Bytes(), "no sense in any encoding")
				} else {
					require.Equal(t, want, linesOf(mustList(t, im.Bytes())))
				}
			})
		}
	}
}

// One that carries the names of its code alone says what it lacks.
func TestListByKallsymsOfCode(t *testing.T) {
	im := modern().Build()
	im.AddKallsyms("6.4", "offsets", false)
	im.Symbols = nil
	data := im.Bytes()
	_, err := list(data, elfscan.ListOptions{})
	require.ErrorIs(t, err, elfscan.ErrNoTable)
	require.ErrorContains(t, err, "code only")

	text := im.Section(".rodata.kallsyms")
	text.Data[len(text.Data)-1] ^= 1
	_, err = open(im.Bytes())
	require.ErrorIs(t, err, elfscan.ErrNoSymbols)
	require.ErrorContains(t, err, "seqs_of_names does not order the names")
}

// Each source gives its own table; what there is not is an error.
func TestSymbolsFrom(t *testing.T) {
	im := modern().Build()
	im.AddKallsyms("6.4", "offsets", true)
	opened, err := open(im.Bytes())
	require.NoError(t, err)
	for source, want := range map[symbols.Source]symbols.Source{
		"": symbols.SourceSymtab, symbols.SourceSymtab: symbols.SourceSymtab, symbols.SourceKallsyms: symbols.SourceKallsyms,
	} {
		table, err := opened.SymbolsFrom(source)
		require.NoError(t, err)
		require.Equal(t, want, table.Source())
	}
	_, err = opened.SymbolsFrom(symbols.SourceMap)
	require.ErrorContains(t, err, "no symbols from System.map: those in use are from symtab")

	opened, err = open(modern().Build().Bytes())
	require.NoError(t, err)
	_, err = opened.SymbolsFrom(symbols.SourceKallsyms)
	require.ErrorIs(t, err, symbols.ErrNoKallsyms)

	opened, err = open([]byte(object(amd64, "a")))
	require.NoError(t, err)
	_, err = opened.SymbolsFrom(symbols.SourceKallsyms)
	require.ErrorContains(t, err, "only a linked kernel")
	opened, err = open(ar(thick, arMember{"a.o/", object(amd64, "a"), ""}))
	require.NoError(t, err)
	_, err = opened.SymbolsFrom("")
	require.ErrorContains(t, err, "each of its members")
}
