package unpack

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/decompress"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/kimage"
)

var le = binary.LittleEndian

func packed(t testing.TB, codec string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/image." + codec)
	require.NoError(t, err)
	return b
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// bzImage wraps a payload as arch/x86/boot does: setup code, decompressor with
// decoys in it, payload with its size word, more of the decompressor.
func bzImage(version uint16, payload []byte) []byte {
	const sectors, payloadAt = 3, 300
	b := make([]byte, (sectors+1)*512)
	b[0x1f1] = sectors
	copy(b[0x1fe:], "\x55\xaaXXHdrS")
	le.PutUint16(b[0x206:], version)
	le.PutUint16(b[0x236:], 1)
	le.PutUint32(b[0x248:], payloadAt)
	le.PutUint32(b[0x24c:], uint32(len(payload)))
	stub := make([]byte, payloadAt)
	copy(stub[10:], "\xfd7zXZ\x00decoy")
	copy(stub[50:], "\x02\x21\x4c\x18\x07\x00\x00\x00decoy")
	copy(stub[90:], "\x28\xb5\x2f\xfddecoy")
	b = append(append(b, stub...), payload...)
	return append(b, "more code\x1f\x8b\x08\x00"...)
}

// withSize appends the size word.
func withSize(payload []byte, size int) []byte {
	return le.AppendUint32(bytes.Clone(payload), uint32(size))
}

func zImage(order binary.AppendByteOrder, payload []byte, unpacked int) []byte {
	const payloadAt = 0x123 // not aligned
	b := make([]byte, payloadAt)
	word := func(at int, v uint32) { copy(b[at:], order.AppendUint32(nil, v)) }
	word(0x24, 0x016f2818)
	word(0x30, 0x04030201)
	copy(b[0x60:], "\xfd7zXZ\x00decoy")
	copy(b[0x70:], "\x28\xb5\x2f\xfddecoy")
	b = withSize(append(b, payload...), unpacked)
	word(0x28, 0x8000)
	word(0x2c, 0x8000+uint32(len(b)))
	word(0x34, 0x45454545)
	word(0x38, 0x80)
	word(0x84, 0x5a534c4b)
	word(0x88, uint32(len(b)-4))
	return append(b, "\xd0\x0d\xfe\xed appended device tree"...)
}

func s390(payload []byte) []byte {
	b := make([]byte, 0x12000)
	copy(b[0x10008:], "S390EP")
	copy(b[0x10100:], "Linux version %s")
	return append(append(b, payload...), "behind"...)
}

// wrapper is an ELF file of code, with the payload in a section.
func wrapper(machine uint16, section string, payload []byte) []byte {
	f := fixture.File{Arch: fixture.Arch{Class64: true, Machine: machine}, Type: fixture.TypeExec}
	f.Sections = []*fixture.Section{
		{Name: ".text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Addr: 0x1000, Data: []byte("\xfd7zXZ\x00decoy code....")},
		{Name: section, Type: fixture.Progbits, Flags: fixture.Alloc, Addr: 0x2000, Data: payload},
	}
	return f.Bytes()
}

// TestBuiltImages covers the containers that only the kernel's own build makes.
func TestBuiltImages(t *testing.T) {
	_, raw := images(t)
	raw = append([]byte("raw kernel\x00"), raw[64:]...) // without the header of an Image
	elf := elfKernel()
	for name, test := range map[string]struct {
		image   []byte
		chain   string
		machine string
		want    []byte
	}{
		"bzImage":            {bzImage(0x20f, gzipped(t, elf)), "bzImage gzip", "x86_64", elf},
		"bzImage, uImage":    {bzImage(0x20f, withSize(packed(t, "uimage-gzip"), 100)), "bzImage none, uImage gzip", "aarch64", nil},
		"bzImage, raw":       {bzImage(0x20f, gzipped(t, raw)), "bzImage gzip", "x86_64", raw},
		"bzImage of 2.6.25":  {bzImage(0x207, gzipped(t, raw)), "bzImage gzip", "", raw},
		"bzImage of 2.6.26":  {bzImage(0x208, gzipped(t, elf)), "bzImage gzip", "x86_64", elf},
		"zImage":             {zImage(le, gzipped(t, raw), len(raw)), "zImage gzip", "arm", raw},
		"zImage, big-endian": {zImage(binary.BigEndian, gzipped(t, raw), 0), "zImage gzip", "armeb", raw},
		"s390":               {s390(gzipped(t, raw)), "s390 bzImage gzip", "s390x", raw},
		"mips vmlinuz":       {wrapper(8, ".data", gzipped(t, raw)), "ELF wrapper gzip", "mips64el", raw},
		"powerpc zImage":     {wrapper(21, ".kernel:vmlinux.strip", gzipped(t, elf)), "ELF wrapper gzip", "x86_64", elf},
		"powerpc, as it is":  {wrapper(21, ".kernel:vmlinux.strip", elf), "ELF wrapper none", "x86_64", elf},
		"in a firmware":      {append(bytes.Repeat([]byte{0xff}, 5000), gzipped(t, elf)...), "file gzip", "x86_64", elf},
		"raw":                {raw, "", "", raw},
		"kernel twice":       {s390(append(gzipped(t, raw), gzipped(t, raw)...)), "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			k, got, err := open(t, test.image)
			if name == "kernel twice" { // two members of one stream
				require.NoError(t, err)
				require.Len(t, got, 2*len(raw))
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.chain, chain(k))
			require.Equal(t, test.machine, k.Machine)
			if test.want != nil {
				require.True(t, bytes.Equal(test.want, got))
			}
		})
	}
}

// What lies behind the ELF file is kept apart.
func TestRelocationsBehind(t *testing.T) {
	elf := elfKernel()
	stream := append(bytes.Clone(elf), "relocations"...)
	k, got, err := open(t, bzImage(0x20f, gzipped(t, stream)))
	require.NoError(t, err)
	require.True(t, bytes.Equal(elf, got))
	behind, err := k.Behind.Bytes(0, k.Behind.Size())
	require.NoError(t, err)
	require.Equal(t, "relocations", string(behind))
}

func TestSizeWord(t *testing.T) {
	elf := elfKernel()
	xz := packed(t, "xz")
	_, kernel := images(t)
	_, got, err := open(t, bzImage(0x20f, withSize(xz, len(kernel))))
	require.NoError(t, err)
	require.True(t, bytes.Equal(kernel, got))
	_, _, err = open(t, bzImage(0x20f, withSize(xz, len(kernel)+1)))
	require.ErrorContains(t, err, "the header promises")
	_, _, err = open(t, zImage(le, xz, 77))
	require.ErrorIs(t, err, ErrNoKernel)
	_, _, err = open(t, bzImage(0x20f, gzipped(t, elf[:len(elf)-200])))
	require.ErrorContains(t, err, "bzImage: ")
}

func TestSeveralKernels(t *testing.T) {
	_, kernel := images(t)
	other := bytes.Clone(kernel)
	other[len(other)-1]++
	both := append(append(gzipped(t, kernel), make([]byte, 8)...), gzipped(t, other)...)
	_, _, err := open(t, s390(both))
	require.ErrorContains(t, err, "several kernels in it, at 0x12000 and at 0x")
	twice := append(append(gzipped(t, kernel), make([]byte, 8)...), gzipped(t, kernel)...)
	_, got, err := open(t, s390(twice))
	require.NoError(t, err, "the same twice")
	require.True(t, bytes.Equal(kernel, got))
}

func TestErrors(t *testing.T) {
	cpio := append([]byte("070701"), make([]byte, 200)...)
	object := fixture.File{Arch: fixture.Arch{Class64: true, Machine: 62}, Type: fixture.TypeRel}
	noise := bytes.Repeat([]byte{0, 1, 0xfe, 3}, 500)
	_, kernel := images(t)
	silent := bytes.Replace(bytes.Clone(kernel), []byte("Linux version 6"), []byte("Linux version x"), 1)
	for name, test := range map[string]struct {
		data  []byte
		words string
	}{
		"nothing":             {nil, "an empty file, not a kernel"},
		"noise":               {noise, "no kernel in it: tried 0 places"},
		"initramfs":           {gzipped(t, cpio), "compressed with gzip: an initramfs (cpio archive), not a kernel"},
		"module":              {gzipped(t, object.Bytes()), "compressed with gzip: an object file or a loadable module, not a kernel"},
		"object":              {object.Bytes(), "an object file or a loadable module, not a kernel"},
		"compressed noise":    {gzipped(t, noise), "compressed with gzip: no kernel in it"},
		"a program":           {wrapper(62, ".data", noise), "ELF wrapper: no kernel in it: tried 0 places"},
		"not Linux":           {silent, `Image: no kernel in it: its bytes have no "Linux version " and version`},
		"initramfs in a stub": {s390(gzipped(t, cpio)), "s390 bzImage: an initramfs"},
		"a log":               {[]byte("[    0.000000] Linux version 6.12.0\n"), "a text file, not a kernel"},
		"truncated bzImage":   {bzImage(0x20f, gzipped(t, kernel))[:3000], "bzImage: its payload is "},
		"spoiled gzip":        {bzImage(0x20f, spoil(gzipped(t, kernel))), "bzImage: gzip, at byte 0x"},
		"EFI application":     {append([]byte("MZ"), append(make([]byte, 58), "\x40\x00\x00\x00PE\x00\x00\x64\x86"...)...), "an EFI application without a .linux section"},
		"unknown compression": {bytes.Replace(packed(t, "zboot-gzip"), []byte("gzip"), []byte("pack"), 1), `zboot: unknown compression "pack"`},
		"uImage, false sum":   {bytes.Replace(packed(t, "uimage-none"), []byte("builder"), []byte("BUILDER"), 1), "uImage: data: checksum mismatch"},
		"FIT, false sum":      {bytes.Replace(packed(t, "fit-none"), []byte("builder"), []byte("BUILDER"), 1), "FIT: image kernel-2: crc32: checksum mismatch"},
		"nested too deeply":   {nest(t, 9), "more than 8 containers"},
	} {
		_, _, err := open(t, test.data)
		require.ErrorContains(t, err, test.words, name)
	}
	_, _, err := open(t, nest(t, 8))
	require.NoError(t, err)
}

func spoil(b []byte) []byte {
	b[len(b)/2] ^= 0xff
	return b
}

// nest compresses the kernel several times over.
func nest(t testing.TB, times int) []byte {
	_, b := images(t)
	for range times {
		b = gzipped(t, b)
	}
	return b
}

// A bomb is an error, soon, and without its memory.
func TestBombs(t *testing.T) {
	bomb := gzipped(t, make([]byte, 64<<20))
	many := bytes.Repeat(append(spoil(gzipped(t, make([]byte, 1<<20))), 0), 200)
	decoys := bytes.Repeat([]byte("\x28\xb5\x2f\xfd\x00"), 100_000)
	for name, data := range map[string][]byte{
		"alone":                   bomb,
		"in a bzImage":            bzImage(0x20f, bomb),
		"in a boot image":         s390(bomb),
		"twice packed":            gzipped(t, bomb),
		"many streams":            s390(many),
		"a hundred thousand":      s390(decoys),
		"size word of 4 GiB":      bzImage(0x20f, append(packed(t, "xz"), 0xff, 0xff, 0xff, 0xff)),
		"LZMA that claims 64 GiB": append([]byte("\x5d\x00\x00\x80\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00"), make([]byte, 100)...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, _, err := open(t, data)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Less(t, time.Since(start), 10*time.Second)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(512<<20), "%v", err)
			t.Log(err)
		})
	}
	_, _, err := open(t, bomb)
	require.ErrorIs(t, err, decompress.ErrTooLarge)
}

// The work for all streams of a file together is bounded, too.
func TestWork(t *testing.T) {
	u := unpacker{work: 3 << 20}
	_, _, err := u.decode(decompress.Gzip, gzipped(t, make([]byte, 2<<20)), 0)
	require.Error(t, err, "the ratio")
	stream := gzipped(t, []byte(strings.Repeat("some kernel ", 1000)))
	before := u.work
	_, _, err = u.decode(decompress.Gzip, stream, 0)
	require.NoError(t, err)
	require.Equal(t, before-12000-streamWork, u.work)
	_, _, err = u.decode(decompress.Gzip, append(bytes.Clone(stream[:len(stream)-8]), make([]byte, 8)...), 0)
	require.Error(t, err)
	require.Equal(t, before-2*(12000+streamWork), u.work, "what failed at its end was work")
	u.work = 0
	_, _, err = u.candidate(stream, decompress.Candidate{Codec: decompress.Gzip}, kimage.Image{}, 0)
	require.ErrorIs(t, err, errWork)
}

func FuzzOpen(f *testing.F) {
	chains, kernel := images(f)
	for name := range chains {
		data, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, image := range [][]byte{
		bzImage(0x20f, gzipped(f, kernel)), zImage(le, gzipped(f, kernel), len(kernel)), s390(gzipped(f, kernel)),
		wrapper(8, ".data", gzipped(f, kernel)), elfKernel(),
	} {
		f.Add(image)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, got, err := open(t, data)
		if err != nil {
			return
		}
		require.NotEmpty(t, got)
		require.LessOrEqual(t, len(k.Steps), maxNesting)
		if !k.ELF {
			require.True(t, hasBanner(got))
		}
	})
}
