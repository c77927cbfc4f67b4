package elfscan_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/symbols"
)

// listWithMap lists an image with the text of a map.
func listWithMap(t *testing.T, image []byte, text string) (*elfscan.Listing, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "System.map")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	im, err := elfscan.OpenBytes("vmlinux", image, elfscan.Options{Map: path})
	if err != nil {
		require.Nil(t, im)
		return nil, err
	}
	defer im.Close()
	return im.List(elfscan.ListOptions{})
}

// stripped is an image without its symbol table, and the map of it.
func stripped(im *fixture.Image, digits int) (image []byte, text string) {
	bare := im.File
	bare.Symbols = nil
	return bare.Bytes(), im.Map(digits)
}

func TestMap(t *testing.T) {
	for _, test := range []struct {
		name string
		fixture.Arch
		fixture.Encoding
		digits int
		edit   func(string) string
	}{
		{"64 bits", amd64, fixture.Prel32, 16, nil},
		{"32 bits", arm, fixture.Absolute, 8, nil},
		{"32 bits in 16 digits", arm, fixture.Absolute, 16, nil},
		{"descriptors", ppc64, fixture.Descriptor, 16, nil},
		{"sign-extended", fixture.Arch{BigEndian: true, Machine: emMIPS}, fixture.Absolute, 8, func(s string) string {
			return "ffffffff" + strings.TrimSuffix(strings.ReplaceAll(s, "\n", "\nffffffff"), "ffffffff")
		}},
		{"CRLF", amd64, fixture.Prel32, 16, func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
		{"upper case", arm, fixture.Absolute, 8, func(s string) string {
			return strings.ReplaceAll(s, "c000", "C000")
		}},
		{"modules", amd64, fixture.Prel32, 16, func(s string) string {
			return s + "ffffffffc0400000 t __initcall_start\t[evil]\nffffffffc0400000 t ehci_hcd_init\t[ehci_hcd]\n"
		}},
		{"nm", amd64, fixture.Prel32, 16, func(s string) string { return "                 U __initcall_start\n                 w maybe\n" + s }},
		{"nm -S", amd64, fixture.Prel32, 16, func(s string) string {
			return strings.NewReplacer(" t ", " 0000000000000014 t ", " d ", " 0000000000000004 d ").Replace(s)
		}},
		{"blank line", amd64, fixture.Prel32, 16, func(s string) string { return s + "\n" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := modern()
			k.Arch, k.Encoding = test.Arch, test.Encoding
			im := k.Build()
			image, text := stripped(im, test.digits)
			if test.edit != nil {
				edited := test.edit(text)
				require.NotEqual(t, text, edited)
				text = edited
			}
			l, err := listWithMap(t, image, text)
			require.NoError(t, err)
			require.Equal(t, wanted(im, k), linesOf(l))
		})
	}
}

// Without section headers the program headers say what lies where.
func TestMapWithoutSections(t *testing.T) {
	for _, a := range arches {
		k := modern()
		k.Arch, k.Encoding = a.Arch, a.Encoding
		im := k.Build()
		text := im.Map(2 * a.WordSize())
		im.NoSections, im.Segments = true, true
		l, err := listWithMap(t, im.Bytes(), text)
		if a.Encoding == fixture.Descriptor { // nothing says where the descriptors are
			requireError(t, l, err, "initcall table")
			continue
		}
		require.NoError(t, err, a)
		require.Equal(t, wanted(im, k), linesOf(l))
	}
}

func TestBadMap(t *testing.T) {
	k := modern()
	image, text := stripped(k.Build(), 16)
	lines := strings.Count(text, "\n")
	for _, test := range []struct {
		name, text string
		is         error
		words      []string
	}{
		{"stub", "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n", symbols.ErrMapStub, []string{"dbg"}},
		{"zeros", strings.Join(edited(text, func(s string) string { return strings.Repeat("0", 16) + s[16:] }), ""), symbols.ErrMapHidden, nil},
		{"empty", "", nil, []string{"no symbol"}},
		{"cut in a line", text[:len(text)-5], nil, []string{fmt.Sprintf("line %d:", lines), "truncated"}},
		{"without the last newline", text[:len(text)-1], nil, []string{fmt.Sprintf("line %d:", lines), "truncated"}},
		{"garbage", text + "what is this?\n", nil, []string{fmt.Sprintf("line %d:", lines+1), "nm's format"}},
		{"seven digits", text + "1234567 T f\n", nil, []string{fmt.Sprintf("line %d:", lines+1)}},
		{"no type", text + "ffffffff81000000 f\n", nil, []string{fmt.Sprintf("line %d:", lines+1)}},
		{"no name", text + "ffffffff81000000 T \n", nil, []string{fmt.Sprintf("line %d:", lines+1)}},
		{"a tab for a letter", strings.Replace(text, "__initcall_end\n", "__initcall\tend\n", 1), nil, []string{"a name with a space"}},
		{"an unclosed module", text + "ffffffffc0400000 t f\t[ext4\n", nil, []string{fmt.Sprintf("line %d:", lines+1)}},
		{"a name without end", text + "ffffffff81000000 T " + strings.Repeat("n", 3000) + "\n", nil, []string{fmt.Sprintf("line %d:", lines+1), "2048"}},
		{"two words", text + "ffffffff81000000 T f g\n", nil, []string{fmt.Sprintf("line %d:", lines+1)}},
		{"an ELF file", string(image), nil, []string{"line 1:"}},
		{"zero bytes", strings.Repeat("\x00", 1000), nil, []string{"line 1:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := listWithMap(t, image, test.text)
			requireError(t, l, err, test.words...)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
		})
	}
	t.Run("32 bits", func(t *testing.T) {
		k.Arch = fixture.Arch{Machine: em386}
		image, _ := stripped(k.Build(), 8)
		l, err := listWithMap(t, image, strings.ReplaceAll(text, "ffffffff81", "ffff800081"))
		requireError(t, l, err, "line 1:", "32-bit")
	})
}

func edited(text string, edit func(string) string) []string {
	lines := strings.SplitAfter(text, "\n")
	for i := range lines[:len(lines)-1] {
		lines[i] = edit(lines[i])
	}
	return lines
}

// other is the map of a build with other addresses above some point.
func other(im *fixture.Image, from, by uint64, names ...string) string {
	built := im.File
	built.Symbols = append([]fixture.Symbol{}, im.Symbols...)
	for i := range built.Symbols {
		s := &built.Symbols[i]
		if s.Value >= from && (len(names) == 0 || strings.Contains(strings.Join(names, " "), s.Section)) {
			s.Value += by
		}
	}
	return built.Map(16)
}

// The map of another build must be refused, however little differs. Here it
// differs where the kernel's own sections cannot tell: banner and exports are
// as they are.
func TestForeignMap(t *testing.T) {
	for _, names := range []string{"kmod", "plain"} {
		k := modern()
		k.Kmod = names == "kmod"
		im := k.Build()
		image, text := stripped(im, 16)
		_, err := listWithMap(t, image, text)
		require.NoError(t, err)
		initText := im.Section(".init.text").Addr
		start, last := im.Find("__initcall_start").Value, im.Rows[len(im.Rows)-1].Target
		for _, test := range []struct{ name, text string }{
			{"functions by 5 bytes", other(im, initText, 5, ".init.text")},
			{"functions by one function", other(im, initText, fixture.FuncSize, ".init.text")},
			{"functions by one backwards", other(im, initText, ^uint64(fixture.FuncSize-1), ".init.text")},
			{"last function by 5 bytes", other(im, last, 5, ".init.text")},
			{"last function by -5 bytes", other(im, last, ^uint64(4), ".init.text")},
			{"tables by an entry", other(im, start, 4, ".init.data")},
			{"tables by an entry backwards", other(im, start, ^uint64(3), ".init.data")},
			{"tables by 2 bytes", other(im, start, 2, ".init.data")},
			{"all", other(im, im.Base()+1, 0x40)},
			{"one function by KASLR", other(im, last, 0x2000000, ".init.text")},
		} {
			t.Run(names+"/"+test.name, func(t *testing.T) {
				require.NotEqual(t, text, test.text)
				l, err := listWithMap(t, image, test.text)
				requireError(t, l, err)
			})
		}
	}
}

// A running kernel's addresses are all ahead of its image's by one distance.
func TestMapAfterKASLR(t *testing.T) {
	k := modern()
	im := k.Build()
	image, _ := stripped(im, 16)
	for _, by := range []uint64{0x2000000, ^uint64(0x2000000 - 1), 0x1000} {
		for _, data := range [][]byte{image, im.Bytes()} {
			l, err := listWithMap(t, data, other(im, 0, by))
			require.NoError(t, err)
			require.Equal(t, wanted(im, k), linesOf(l))
		}
	}
	_, err := listWithMap(t, image, other(im, 0, 0x800))
	require.Error(t, err, "no kernel is moved by less than a page")
}

// Every map has the entry symbols, which are all that binds the names of
// functions to this image. One without them proves nothing.
func TestMapWithoutEntrySymbols(t *testing.T) {
	k := modern()
	im := k.Build()
	image, text := stripped(im, 16)
	for _, r := range im.Rows {
		without := strings.Replace(text, fmt.Sprintf("%x d %s\n", r.Slot, r.Entry), "", 1)
		require.NotEqual(t, text, without)
		l, err := listWithMap(t, image, without)
		requireError(t, l, err, "no entry symbol", fmt.Sprintf("%#x", r.Slot))
		require.ErrorIs(t, err, elfscan.ErrMapMismatch)
	}
}

// A map that ends too early, at the end of a line, is a map of fewer symbols.
// Then the list is the same or there is none.
func TestShortMap(t *testing.T) {
	for _, names := range []string{"kmod", "plain"} {
		k := modern()
		k.Kmod = names == "kmod"
		k.Deferred = fixture.Original
		k.Calls = append(k.Calls[:len(k.Calls):len(k.Calls)], fixture.Call{Table: "deferred", Func: "slow_init"})
		im := k.Build()
		want := wanted(im, k)
		image, text := stripped(im, 16)
		lines := strings.SplitAfter(text, "\n")
		for n := range lines {
			l, err := listWithMap(t, image, strings.Join(lines[:n], ""))
			if err == nil {
				require.Equal(t, want, linesOf(l), "%s: the first %d lines, up to %s", names, n, lines[n-1])
			}
		}
	}
}

func TestMapAgainstSymtab(t *testing.T) {
	k := modern()
	im := k.Build()
	l, err := listWithMap(t, im.Bytes(), im.Map(16))
	require.NoError(t, err)
	require.Equal(t, wanted(im, k), linesOf(l))
	for name, text := range map[string]string{
		"address": other(im, im.Rows[4].Target, 1, ".init.text"),
		"name":    strings.Replace(im.Map(16), "ehci_hcd_init\n", "ohci_hcd_init\n", 1),
	} {
		l, err := listWithMap(t, im.Bytes(), text)
		requireError(t, l, err, "symbol table does not")
		require.ErrorIs(t, err, elfscan.ErrMapMismatch, name)
	}
}

// Of a section that was taken out of the image the map has the symbols, from its start to its end, and the
// image has not. Elsewhere the map has nothing more.
func TestMapOfRemovedSection(t *testing.T) {
	k := modern()
	im := k.Build()
	for _, test := range []struct {
		name string
		at   uint64
		fits bool
	}{
		{"start", im.Base() - 0x1000, true},
		{"end, where the next one starts", im.Base(), true},
		{"inside of the next one", im.Base() + 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := listWithMap(t, im.Bytes(), fmt.Sprintf("%016x R __rela_dyn_edge\n", test.at)+im.Map(16))
			if !test.fits {
				requireError(t, l, err, "__rela_dyn_edge", "symbol table does not")
				return
			}
			require.NoError(t, err)
			require.Equal(t, wanted(im, k), linesOf(l))
		})
	}
}

// What is wrong with a map must not be said of the image.
func TestMapErrorsNameTheMap(t *testing.T) {
	image, _ := stripped(modern().Build(), 16)
	folder := t.TempDir()
	for _, path := range []string{folder, filepath.Join(folder, "nope"), os.DevNull} {
		im, err := elfscan.OpenBytes("vmlinux", image, elfscan.Options{Map: path})
		require.Nil(t, im)
		require.ErrorContains(t, err, path)
	}
	object := fixture.File{Arch: amd64, Type: fixture.TypeRel}
	for _, data := range [][]byte{object.Bytes(), []byte("!<arch>\n")} {
		_, err := elfscan.OpenBytes("vmlinux", data, elfscan.Options{Map: "System.map"})
		require.ErrorContains(t, err, "of no use")
		require.False(t, errors.Is(err, os.ErrNotExist))
	}
}
