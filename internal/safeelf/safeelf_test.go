package safeelf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/safeelf"
)

const fixtureDir = "../../testdata/vmlinux-fixtures"

// Of a sound file the headers are those that the standard library reads.
func TestHeadersAgreeWithDebugELF(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(fixtureDir, "*"))
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	n := 0
	for _, path := range append(paths, self) {
		data, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(data, []byte(elf.ELFMAG)) {
			continue
		}
		n++
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, err := elf.NewFile(bytes.NewReader(data))
			require.NoError(t, err)
			got, err := safeelf.New(filemap.FromBytes(data))
			require.NoError(t, err)
			require.Equal(t, want.Type, got.Type)
			require.Equal(t, want.Machine, got.Machine)
			require.Equal(t, want.Class == elf.ELFCLASS64, got.Class64)
			require.Equal(t, want.ByteOrder, got.Order())
			require.Len(t, got.Sections, len(want.Sections))
			for i, s := range want.Sections {
				require.Equal(t, safeelf.Section{
					Index: i, Name: s.Name, Type: s.Type, Flags: s.Flags, Addr: s.Addr,
					Off: s.Offset, Size: s.FileSize, Link: s.Link, Info: s.Info,
				}, got.Sections[i])
			}
			require.Len(t, got.Segments, len(want.Progs))
			for i, p := range want.Progs {
				require.Equal(t, safeelf.Segment{
					Type: p.Type, Flags: p.Flags, Addr: p.Vaddr, Off: p.Off, FileSize: p.Filesz, MemSize: p.Memsz,
				}, got.Segments[i])
			}
		})
	}
	require.Greater(t, n, 30)
}

func small(arch fixture.Arch) *fixture.File {
	return &fixture.File{Arch: arch, Type: fixture.TypeExec, Segments: true, Sections: []*fixture.Section{
		{Name: ".text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Addr: 0x1000, Data: []byte("text")},
		{Name: ".bss", Type: fixture.Nobits, Flags: fixture.Alloc | fixture.Write, Addr: 0x2000, Size: 1 << 30},
	}}
}

var archs = []fixture.Arch{
	{Machine: 3},
	{BigEndian: true, Machine: 8},
	{Class64: true, Machine: 62},
	{Class64: true, BigEndian: true, Machine: 22},
}

func TestSections(t *testing.T) {
	for _, arch := range archs {
		t.Run(arch.String(), func(t *testing.T) {
			f, err := safeelf.New(filemap.FromBytes(small(arch).Bytes()))
			require.NoError(t, err)
			require.Equal(t, arch.WordSize(), f.WordSize())
			text, ok := f.SectionByName(".text")
			require.True(t, ok)
			b, err := f.Bytes(text)
			require.NoError(t, err)
			require.Equal(t, "text", string(b))
			bss, ok := f.SectionByName(".bss")
			require.True(t, ok)
			b, err = f.Bytes(bss)
			require.NoError(t, err)
			require.Empty(t, b)
			require.False(t, bss.HasBytes())
			_, err = f.Linked(text)
			require.ErrorContains(t, err, "sh_link is 0")
			require.Len(t, f.Segments, 2)
			require.EqualValues(t, 1<<30, f.Segments[1].MemSize)
			require.Zero(t, f.Segments[1].FileSize)
			_, ok = f.SectionByName(".data")
			require.False(t, ok)
			_, ok = f.Symtab()
			require.False(t, ok)
		})
	}
}

// More sections than 16 bits can count, as vmlinux.o has them with
// -ffunction-sections: the numbers are in the first section header.
func TestManySections(t *testing.T) {
	for _, arch := range archs {
		file := small(arch)
		for i := range 0x10000 {
			file.Sections = append(file.Sections, &fixture.Section{Name: ".text." + strconv.Itoa(i), Type: fixture.Progbits})
		}
		f, err := safeelf.New(filemap.FromBytes(file.Bytes()))
		require.NoError(t, err, arch)
		require.Len(t, f.Sections, 1+2+0x10000+1)
		require.Equal(t, ".text", f.Sections[1].Name)
		require.Equal(t, ".text.65535", f.Sections[2+0x10000].Name)
	}
}

func TestBadFiles(t *testing.T) {
	for _, arch := range archs {
		data := small(arch).Bytes()
		for n := range data {
			f, err := safeelf.New(filemap.FromBytes(data[:n]))
			require.Error(t, err, "%v: %d bytes", arch, n)
			require.Nil(t, f)
		}
	}
	file := small(archs[2])
	file.NoSections = true
	f, err := safeelf.New(filemap.FromBytes(file.Bytes()))
	require.NoError(t, err)
	require.Empty(t, f.Sections)
	require.Len(t, f.Segments, 2)

	data := file.Bytes()
	binary.LittleEndian.PutUint64(data[64+32:], 1<<40) // p_filesz
	_, err = safeelf.New(filemap.FromBytes(data))
	require.ErrorContains(t, err, "segment 0")
	binary.LittleEndian.PutUint64(data[64+32:], 4)
	binary.LittleEndian.PutUint64(data[64+16:], 1<<64-4) // p_vaddr
	binary.LittleEndian.PutUint64(data[64+40:], 8)       // p_memsz
	_, err = safeelf.New(filemap.FromBytes(data))
	require.ErrorContains(t, err, "wrap")
}

// note is one ELF note.
func note(order binary.AppendByteOrder, typ uint32, name string, desc []byte) []byte {
	b := order.AppendUint32(nil, uint32(len(name)))
	b = order.AppendUint32(b, uint32(len(desc)))
	b = order.AppendUint32(b, typ)
	for _, part := range [][]byte{[]byte(name), desc} {
		b = append(b, part...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func TestBuildID(t *testing.T) {
	id := []byte{0xde, 0xad, 0xbe, 0xef, 1}
	for _, order := range []interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}{binary.LittleEndian, binary.BigEndian} {
		gnu := note(order, 3, "GNU\x00", id)
		xen := note(order, 3, "Xen\x00", []byte("xen-3.0\x00"))
		odd := note(order, 1, "stapsdt\x00", []byte("odd"))
		huge := bytes.Clone(gnu)
		order.PutUint32(huge[4:], 1<<32-1)
		for _, test := range []struct {
			notes []byte
			want  string
		}{
			{gnu, "deadbeef01"},
			{bytes.Join([][]byte{xen, odd, gnu}, nil), "deadbeef01"},
			{bytes.Join([][]byte{odd, note(order, 1, "GNU\x00", id)}, nil), ""},
			{gnu[:len(gnu)-4], ""},
			{gnu[:11], ""},
			{huge, ""},
			{nil, ""},
		} {
			require.Equal(t, test.want, safeelf.BuildIDFromNotes(test.notes, order), "%x", test.notes)
		}
	}
	file := small(archs[3])
	file.Sections = append(file.Sections, &fixture.Section{Name: ".notes", Type: 7, Flags: fixture.Alloc, Addr: 0x3000, Data: note(binary.BigEndian, 3, "GNU\x00", id)})
	f, err := safeelf.New(filemap.FromBytes(file.Bytes()))
	require.NoError(t, err)
	got, err := f.BuildID()
	require.NoError(t, err)
	require.Equal(t, "deadbeef01", got)
}
