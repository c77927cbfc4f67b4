package elfscan_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// arMember is one member as ar writes it. size is that of the body unless it is
// told otherwise.
type arMember struct {
	name, body, size string
}

func ar(magic string, members ...arMember) []byte {
	var b bytes.Buffer
	b.WriteString(magic)
	for _, m := range members {
		size := m.size
		if size == "" {
			size = fmt.Sprint(len(m.body))
		}
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10s`\n", m.name, 0, 0, 0, 0o644, size)
		if magic == thick || m.name == "//" || m.name == "/" {
			b.WriteString(m.body)
			if len(m.body)%2 != 0 {
				b.WriteByte('\n')
			}
		}
	}
	return b.Bytes()
}

const thick, thin = "!<arch>\n", "!<thin>\n"

// object is a .o with one device_initcall and one late_initcall_sync.
func object(arch fixture.Arch, prefix string) string {
	f := fixture.File{Arch: arch, Type: fixture.TypeRel, Sections: []*fixture.Section{
		{Name: ".init.text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Data: make([]byte, 64)},
		{Name: ".initcall6.init", Type: fixture.Progbits, Flags: fixture.Alloc, Data: make([]byte, 8)},
		{Name: ".initcall7s.init", Type: fixture.Progbits, Flags: fixture.Alloc, Data: make([]byte, 8)},
	}}
	for i, fn := range []string{"_probe", "_late"} {
		section := f.Sections[1+i].Name
		f.Symbols = append(
			f.Symbols,
			fixture.Symbol{Name: prefix + fn, Section: ".init.text", Value: uint64(32 * i), Size: 20, Type: fixture.Func},
			fixture.Symbol{Name: "__initcall_" + prefix + fn + []string{"6", "7s"}[i], Section: section, Type: fixture.Object},
		)
		rela := f.U64(f.U64(f.U64(nil, 0), uint64(1+2*i)<<32|rX866464), 0)
		f.Sections = append(f.Sections, &fixture.Section{
			Name: ".rela" + section, Type: fixture.Rela, Data: rela, Link: ".symtab", Info: uint32(2 + i),
		})
	}
	return string(f.Bytes())
}

// shortLines are level, function and member of every entry.
func shortLines(l *elfscan.Listing) string {
	var b strings.Builder
	for _, c := range l.Initcalls {
		fmt.Fprintf(&b, "%d %s %s %s\n", c.Order, c.Level, c.Display(), c.Member)
	}
	return b.String()
}

func TestArchives(t *testing.T) {
	a, b := object(amd64, "a"), object(amd64, "b")
	want := "1 6 a_probe a.o\n2 6 b_probe b.o\n3 7s a_late a.o\n4 7s b_late b.o\n"
	for name, data := range map[string][]byte{
		"GNU":   ar(thick, arMember{"a.o/", a, ""}, arMember{"b.o/", b, ""}),
		"long":  ar(thick, arMember{"//", "a.o/\nb.o/\n", ""}, arMember{"/0", a, ""}, arMember{"/5", b, ""}),
		"BSD":   ar(thick, arMember{"#1/4", "a.o\x00" + a, ""}, arMember{"b.o", b, ""}),
		"index": ar(thick, arMember{"/", "\x00\x00\x00\x01\x00\x00\x00\x4cname\x00", ""}, arMember{"a.o/", a, ""}, arMember{"b.o/", b, ""}),
	} {
		if name == "index" { // the offset of the first member
			at := bytes.Index(data, []byte("a.o/"))
			copy(data[8+60+4:], amd64be(uint32(at)))
		}
		l, err := list(data, elfscan.ListOptions{})
		require.NoError(t, err, name)
		require.Equal(t, want, shortLines(l), name)
	}
}

func amd64be(v uint32) []byte { return ppc64.U32(nil, v) }

func TestBadArchives(t *testing.T) {
	a, b := object(amd64, "a"), object(amd64, "b")
	good := ar(thick, arMember{"a.o/", a, ""}, arMember{"b.o/", b, ""})
	for _, test := range []struct {
		name  string
		data  []byte
		words []string
	}{
		{"empty", []byte(thick), []string{"no table", "0 members"}},
		{"cut in a header", good[:8+60+len(a)+30], []string{"cut off"}},
		{"cut in a member", good[:len(good)-1], []string{"member at offset 0x4a4", "unexpected EOF"}},
		{"cut in the names", ar(thick, arMember{"//", "a.o/\n", "100"}), []string{"member at offset 0x8"}},
		{"cut in the index", ar(thick, arMember{"/", "\x00\x00\x00\x00", "100"}), []string{"member at offset 0x8"}},
		{"index hides members", ar(thick, arMember{"a.o/", a, ""}, arMember{"/", "", "999999999"}, arMember{"b.o/", b, ""}), []string{"member at offset"}},
		{"BSD index hides members", ar(thick, arMember{"a.o/", a, ""}, arMember{"__.SYMDEF", "", "999999999"}), []string{"member at offset"}},
		{"index of too many", ar(thick, arMember{"/", "\x00\x00\x00\x09\x00\x00\x00\x00", ""}, arMember{"a.o/", a, ""}), []string{"index"}},
		{"index of a lost member", ar(thick, arMember{"/", "\x00\x00\x00\x01\x00\xff\x00\x00", ""}, arMember{"a.o/", a, ""}), []string{"index", "0xff0000", "truncated"}},
		{"size too large", ar(thick, arMember{"a.o/", a, "9999999999"}), []string{"member at offset 0x8"}},
		{"size too small", ar(thick, arMember{"a.o/", a, "64"}), []string{"malformed"}},
		{"negative size", ar(thick, arMember{"a.o/", a, "-60"}), []string{"its size"}},
		{"size of words", ar(thick, arMember{"a.o/", a, "lots"}), []string{"its size"}},
		{"malformed header", append(bytes.Clone(good[:8+60+len(a)]), bytes.Repeat([]byte("x"), 60)...), []string{"malformed"}},
		{"long name out of nowhere", ar(thick, arMember{"/7", a, ""}), []string{"beyond the table"}},
		{"long name without end", ar(thick, arMember{"//", "a.o", ""}, arMember{"/0", a, ""}), []string{"does not end"}},
		{"BSD name longer than the member", ar(thick, arMember{"#1/99", "a", ""}), []string{"its name"}},
		{"empty member", ar(thick, arMember{"a.o/", "", ""}), []string{"a.o", "not an ELF file"}},
		{"bitcode", ar(thick, arMember{"a.o/", "BC\xc0\xde0000", ""}), []string{"a.o", "not an ELF file"}},
		{"nested", ar(thick, arMember{"a.o/", a, ""}, arMember{"b.a/", string(good), ""}), []string{"b.a", "not an ELF file"}},
		{"a kernel in it", ar(thick, arMember{"vmlinux/", string(modern().Build().Bytes()), ""}), []string{"vmlinux", "no object file"}},
		{"two machines", ar(thick, arMember{"a.o/", a, ""}, arMember{"b.o/", object(fixture.Arch{Class64: true, Machine: emRISCV}, "b"), ""}), []string{"b.o", "riscv64", "x86_64"}},
		{"two byte orders", ar(thick, arMember{"a.o/", a, ""}, arMember{"b.o/", object(fixture.Arch{Class64: true, BigEndian: true, Machine: emAMD64}, "b"), ""}), []string{"b.o"}},
		{"no initcalls", ar(thick, arMember{"a.o/", strings.ReplaceAll(a, ".initcall", ".initxxxx"), ""}), []string{"no table", "1 members"}},
	} {
		t.Run(test.name, func(t *testing.T) { requireRefused(t, test.data, test.words...) })
	}
}

// A thin archive only names its members.
func TestThinArchives(t *testing.T) {
	a, b := object(amd64, "a"), object(amd64, "b")
	dir := t.TempDir()
	path := filepath.Join(dir, "built-in.a")
	for name, body := range map[string]string{"a.o": a, "b.o": b} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600))
	}
	two := ar(thin, arMember{"a.o/", a, ""}, arMember{"b.o/", b, ""})
	listThin := func(data []byte) (*elfscan.Listing, error) {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		im, err := elfscan.Open(path, elfscan.Options{})
		if err != nil {
			require.Nil(t, im)
			return nil, err
		}
		defer im.Close()
		return im.List(elfscan.ListOptions{})
	}
	l, err := listThin(two)
	require.NoError(t, err)
	require.Equal(t, "1 6 a_probe a.o\n2 6 b_probe b.o\n3 7s a_late a.o\n4 7s b_late b.o\n", shortLines(l))

	l, err = listThin(ar(thin, arMember{"a.o/", a, ""}, arMember{"c.o/", b, ""}))
	requireError(t, l, err, "c.o", "no such file")
	l, err = listThin(ar(thin, arMember{"a.o/", a, ""}, arMember{"b.o/", b, "7"}))
	requireError(t, l, err, "b.o", "rebuild the archive")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d.o"), 0o700))
	l, err = listThin(ar(thin, arMember{"d.o/", "", ""}))
	requireError(t, l, err, "d.o", "directory")
	l, err = listThin(two[:len(two)-7])
	requireError(t, l, err, "cut off")

	// What GNU ar 2.40 writes of a name of 15 bytes (ar rcT t.a 0123456789abc.o).
	require.NoError(t, os.WriteFile(filepath.Join(dir, "0123456789abc.o"), []byte(b), 0o600))
	l, err = listThin(ar(thin, arMember{"//", "0123456789abc.o/\n", ""}, arMember{"/0             /", b, ""}))
	require.NoError(t, err)
	require.Equal(t, "1 6 b_probe 0123456789abc.o\n2 7s b_late 0123456789abc.o\n", shortLines(l))

	im, err := elfscan.OpenBytes("-", two, elfscan.Options{})
	require.Nil(t, im)
	require.ErrorContains(t, err, "give it as a file")
}
