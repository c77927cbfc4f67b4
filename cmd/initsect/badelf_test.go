package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
)

// header changes fields of a section's header in the bytes of a 64-bit
// little-endian file.
type header struct {
	data []byte
	row  []byte
}

func headerOf(t *testing.T, im *fixture.File, data []byte, name string) header {
	t.Helper()
	index := 1
	for _, s := range im.Sections {
		if s.Name == name {
			break
		}
		index++
	}
	switch name {
	case ".symtab":
		index = len(im.Sections) + 1
	case ".strtab":
		index = len(im.Sections) + 2
	case ".shstrtab":
		index = len(im.Sections) + 3
	}
	at := int(binary.LittleEndian.Uint64(data[im.ShOff():])) + index*im.ShSize()
	require.LessOrEqual(t, at+im.ShSize(), len(data))
	return header{data, data[at : at+im.ShSize()]}
}

func (h header) typ(v uint32)    { binary.LittleEndian.PutUint32(h.row[4:], v) }
func (h header) flags(v uint64)  { binary.LittleEndian.PutUint64(h.row[8:], v) }
func (h header) addr(v uint64)   { binary.LittleEndian.PutUint64(h.row[16:], v) }
func (h header) offset(v uint64) { binary.LittleEndian.PutUint64(h.row[24:], v) }
func (h header) size(v uint64)   { binary.LittleEndian.PutUint64(h.row[32:], v) }
func (h header) link(v uint32)   { binary.LittleEndian.PutUint32(h.row[40:], v) }

// Headers that lie are an error that says about what.
func TestLyingHeaders(t *testing.T) {
	shnum := func(data []byte, v uint16) { binary.LittleEndian.PutUint16(data[60:], v) }
	shstrndx := func(data []byte, v uint16) { binary.LittleEndian.PutUint16(data[62:], v) }
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, im *fixture.Image, data []byte)
		words []string
	}{
		{"symtab of 4 GiB", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".symtab").size(4 << 30)
		}, []string{".symtab", "truncated"}},
		{"symtab of 16 EiB", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".symtab").size(1<<64 - 24)
		}, nil},
		{"symtab of odd size", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".symtab").size(100)
		}, []string{".symtab", "entry size"}},
		{"symtab behind the file", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".symtab").offset(1 << 40)
		}, []string{".symtab", "truncated"}},
		{"symtab of another file", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".symtab").link(77)
		}, []string{".symtab", "sh_link"}},
		{"symtab without names", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".strtab").size(0)
		}, []string{"no table"}},
		{"names are compressed", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".strtab").flags(fixture.Compressed)
		}, nil},
		{"tables are compressed", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".init.data").flags(fixture.Compressed | fixture.Alloc)
		}, nil},
		{"data behind the file", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".init.data").offset(uint64(len(data)))
		}, []string{".init.data", "truncated"}},
		{"data at the end of the address space", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".init.data").addr(1<<64 - 4)
		}, []string{".init.data", "wrap"}},
		{"data without bytes", func(t *testing.T, im *fixture.Image, data []byte) {
			headerOf(t, &im.File, data, ".init.data").typ(fixture.Nobits)
		}, []string{".init.data", "no bytes"}},
		{"SHN_XINDEX with a false link", func(t *testing.T, im *fixture.Image, data []byte) {
			shstrndx(data, 0xffff)
			shoff := binary.LittleEndian.Uint64(data[im.ShOff():])
			binary.LittleEndian.PutUint32(data[shoff+40:], 0x7fffffff) // sh_link of the null section
		}, []string{"malformed"}},
		{"SHN_XINDEX with a link beyond int", func(t *testing.T, im *fixture.Image, data []byte) {
			shstrndx(data, 0xffff)
			shoff := binary.LittleEndian.Uint64(data[im.ShOff():])
			binary.LittleEndian.PutUint32(data[shoff+40:], 0xffffffff)
		}, []string{"malformed"}},
		{"names of sections elsewhere", func(_ *testing.T, _ *fixture.Image, data []byte) { shstrndx(data, 9999) }, []string{"malformed"}},
		{"65535 sections", func(_ *testing.T, _ *fixture.Image, data []byte) { shnum(data, 0xffff) }, []string{"malformed"}},
		{"4 billion sections", func(_ *testing.T, im *fixture.Image, data []byte) {
			shnum(data, 0)
			shoff := binary.LittleEndian.Uint64(data[im.ShOff():])
			binary.LittleEndian.PutUint64(data[shoff+32:], 1<<32)
		}, []string{"malformed"}},
		{"2⁶³ sections", func(_ *testing.T, im *fixture.Image, data []byte) {
			shnum(data, 0)
			shoff := binary.LittleEndian.Uint64(data[im.ShOff():])
			binary.LittleEndian.PutUint64(data[shoff+32:], 1<<63)
		}, []string{"malformed"}},
		{"section headers behind the file", func(_ *testing.T, im *fixture.Image, data []byte) {
			binary.LittleEndian.PutUint64(data[im.ShOff():], 1<<62)
		}, []string{"malformed"}},
		{"section headers before the file", func(_ *testing.T, im *fixture.Image, data []byte) {
			binary.LittleEndian.PutUint64(data[im.ShOff():], 1<<64-64)
		}, []string{"malformed"}},
		{"32 bits in a file of 64", func(_ *testing.T, _ *fixture.Image, data []byte) { data[4] = 1 }, nil},
		{"the other byte order", func(_ *testing.T, _ *fixture.Image, data []byte) { data[5] = 2 }, nil},
		{"no class", func(_ *testing.T, _ *fixture.Image, data []byte) { data[4] = 0 }, []string{"malformed"}},
		{"no byte order", func(_ *testing.T, _ *fixture.Image, data []byte) { data[5] = 7 }, []string{"malformed"}},
		{"a core dump", func(_ *testing.T, _ *fixture.Image, data []byte) { data[16] = fixture.TypeCore }, []string{"core dump"}},
		{"no type", func(_ *testing.T, _ *fixture.Image, data []byte) { data[16] = 0 }, []string{"ELF type"}},
		{"an object file", func(_ *testing.T, _ *fixture.Image, data []byte) { data[16] = fixture.TypeRel }, []string{"deferred table", "has no relocations"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			im := testKernel()
			im.Sections = append(im.Sections, &fixture.Section{Name: ".debug_info", Type: fixture.Progbits, Data: make([]byte, 1<<20)})
			data := im.Bytes()
			status, _, stderr := initsect("list", put(t, data))
			require.Zero(t, status, stderr)
			test.spoil(t, im, data)
			refused(t, put(t, data), test.words...)
		})
	}
}

// A name in the file must not speak to the terminal that shows the error, nor
// make two lines of it.
func TestErrorsAreOneCleanLine(t *testing.T) {
	im := testKernel()
	im.Sections = append(im.Sections, &fixture.Section{Name: ".a\nb\x1b[31m\u009b1m\x9b\x7f\r", Type: fixture.Progbits, Data: []byte("x")})
	data := im.Bytes()
	headerOf(t, &im.File, data, im.Sections[len(im.Sections)-1].Name).offset(1 << 40)
	said := refused(t, put(t, data), "truncated")
	for _, r := range strings.TrimSuffix(said, "\n") {
		require.True(t, unicode.IsPrint(r), "%q in %q", r, said)
	}
}

func TestWrongClass(t *testing.T) {
	k := fixture.Kernel{
		Arch: fixture.Arch{Machine: 40}, Encoding: fixture.Absolute, Era: fixture.PerLevel,
		Calls: []fixture.Call{{Table: "initcall", Level: "6", Func: "driver_a_init"}},
	}
	data := k.Build().Bytes()
	require.Zero(t, first(initsect("list", put(t, data))))
	data[4] = 2 // 64 bits
	refused(t, put(t, data))
}

func first(status int, _, _ string) int { return status }

func TestNoTable(t *testing.T) {
	im := testKernel()
	im.Symbols = nil
	refused(t, put(t, im.Bytes()), "no symbol table", "--map System.map", "vmlinux from before stripping")
	im = testKernel()
	im.Drop("__initcall_start", "__initcall_end")
	refused(t, put(t, im.Bytes()), "no table of initcalls")
	im.NoSections, im.Segments = true, true
	refused(t, put(t, im.Bytes()), "no symbol table")
}

// Debug sections are most of a vmlinux, and none of them is looked at: neither
// decompressed nor read.
func TestCompressedDebug(t *testing.T) {
	im := testKernel()
	_, want, _ := initsect("list", "--format", "tsv", put(t, im.Bytes()))
	require.NotEmpty(t, want)
	zlib := im.U64(im.U64(im.U32(im.U32(nil, 1), 0), 64<<20), 1)    // Elf64_Chdr, 64 MiB when it is unpacked
	zstd := im.U64(im.U64(im.U32(im.U32(nil, 2), 0), 64<<20), 1)    // newer than many readers
	unknown := im.U64(im.U64(im.U32(im.U32(nil, 9), 0), 64<<20), 1) // than all
	for i, head := range [][]byte{zlib, zstd, unknown} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			im := testKernel()
			im.Sections = append(im.Sections, &fixture.Section{
				Name: ".debug_info", Type: fixture.Progbits, Flags: fixture.Compressed,
				Data: append(head, bytes.Repeat([]byte("no stream of any kind "), 4000)...),
			})
			path := put(t, im.Bytes())
			status, stdout, stderr := initsect("list", "--format", "tsv", path)
			require.Zero(t, status, stderr)
			require.Equal(t, want, stdout)
		})
	}
}
