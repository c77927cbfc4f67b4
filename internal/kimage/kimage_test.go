package kimage

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/safeelf"
)

var le = binary.LittleEndian

// blank is a file of n zeros with something in some places.
func blank(n int, at map[int]string) []byte {
	b := make([]byte, n)
	for off, s := range at {
		copy(b[off:], s)
	}
	return b
}

func w32(v uint32) string { return string(le.AppendUint32(nil, v)) }
func w64(v uint64) string { return string(le.AppendUint64(nil, v)) }
func b32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }

// Headers of raw kernels, written by hand from the kernel's documentation.
func TestRawKernels(t *testing.T) {
	pe := "PE\x00\x00\x64\x62"
	for name, test := range map[string]struct {
		data    []byte
		machine string
		place   Placement
	}{
		"arm64": {
			blank(4096, map[int]string{0x08: w64(0x80000), 0x10: w64(0x1ab0000), 0x18: w64(0xa), 0x38: "ARM\x64"}),
			"aarch64",
			Placement{TextOffset: 0x80000, Size: 0x1ab0000},
		},
		"arm64, big-endian": {
			blank(4096, map[int]string{0x18: w64(0xb), 0x38: "ARM\x64"}), "aarch64eb", Placement{},
		},
		"arm64, EFI": {
			blank(4096, map[int]string{0: "MZ", 0x38: "ARM\x64", 0x3c: w32(0x40), 0x40: "PE\x00\x00\x64\xaa"}), "aarch64", Placement{},
		},
		"riscv64": {
			blank(4096, map[int]string{0x08: w64(2 << 20), 0x10: w64(0x1600000), 0x20: w32(2), 0x30: "RISCV", 0x38: "RSC\x05"}),
			"riscv64",
			Placement{TextOffset: 2 << 20, Size: 0x1600000},
		},
		"riscv32": {
			blank(4096, map[int]string{0x08: w64(4 << 20), 0x38: "RSC\x05"}), "riscv", Placement{TextOffset: 4 << 20},
		},
		"riscv, machine mode": {
			blank(4096, map[int]string{0x30: "RISCV"}), "", Placement{},
		},
		"loongarch64": {
			blank(4096, map[int]string{0: "MZ", 0x08: w64(0x1d7d000), 0x10: w64(0x2000000), 0x18: w64(0x200000), 0x38: w32(0x818223cd), 0x3c: w32(0x40), 0x40: pe}),
			"loongarch64",
			Placement{TextOffset: 0x200000, Size: 0x2000000, Entry: 0x1d7d000},
		},
	} {
		im, err := Recognize(test.data)
		require.NoError(t, err, name)
		require.Equal(t, RawKind, im.Kind, name)
		require.Equal(t, test.machine, im.Machine, name)
		require.Equal(t, test.place, *im.Kernel, name)
		require.Equal(t, Payload{Size: 4096, Compression: None}, im.Payload, name)
	}
}

// setup is the setup header of a bzImage whose payload lies at 0x800.
func setup(version uint16, payload string) []byte {
	return blank(0x900, map[int]string{
		0x1f1: "\x02", 0x1fe: "\x55\xaaXXHdrS", 0x206: string(le.AppendUint16(nil, version)), 0x236: "\x01",
		0x248: w32(0x200), 0x24c: w32(uint32(len(payload))), 0x800: payload,
	})
}

func TestBzImage(t *testing.T) {
	for name, test := range map[string]struct {
		data    []byte
		machine string
		payload Payload
	}{
		"zstd":               {setup(0x20f, "\x28\xb5\x2f\xfd data"+w32(77)), "x86_64", Payload{Offset: 0x800, Size: 9, Unpacked: 77}},
		"gzip":               {setup(0x20f, "\x1f\x8b data"+w32(77)), "x86_64", Payload{Offset: 0x800, Size: 11, Unpacked: 77}},
		"before xloadflags":  {setup(0x20a, "\x1f\x8b data"+w32(77)), "", Payload{Offset: 0x800, Size: 11, Unpacked: 77}},
		"before payload":     {setup(0x207, "\x1f\x8b data"+w32(77)), "", Payload{Offset: 0x600, Size: 0x300, Search: true}},
		"no number of setup": {append(setup(0x207, "")[:0x1f1], append([]byte{0}, setup(0x207, "")[0x1f2:]...)...), "", Payload{}},
	} {
		im, err := Recognize(test.data)
		if test.payload == (Payload{}) { // 4 sectors of setup code do not fit
			require.ErrorContains(t, err, "bzImage: its payload is", name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, Image{Kind: BzImage, Machine: test.machine, Payload: test.payload}, im, name)
	}
	for name, words := range map[string]string{"": "its payload is", "abc": "its payload is empty"} {
		_, err := Recognize(setup(0x20f, name))
		require.ErrorContains(t, err, words)
	}
}

func TestZImage(t *testing.T) {
	old := map[int]string{0x24: w32(0x016f2818), 0x28: w32(0), 0x2c: w32(0x800), 0x30: w32(0x04030201)}
	im, err := Recognize(blank(0x1000, old))
	require.NoError(t, err)
	require.Equal(t, Image{Kind: ZImage, Machine: "arm", Payload: Payload{Offset: 0x40, Size: 0x7c0, Search: true}}, im)

	big := map[int]string{0x24: b32(0x016f2818), 0x2c: b32(0x800), 0x30: b32(0x04030201)}
	im, err = Recognize(blank(0x800, big))
	require.NoError(t, err)
	require.Equal(t, "armeb", im.Machine)

	_, err = Recognize(blank(0x700, old))
	require.ErrorContains(t, err, "zImage: its payload is 0x7c0 bytes at offset 0x40, but the file ends at 0x700: is it truncated?")
	old[0x2c] = w32(0x10)
	_, err = Recognize(blank(0x1000, old))
	require.ErrorContains(t, err, "its end lies before its start")
	old[0x2c], old[0x34], old[0x38], old[0x104] = w32(0x800), w32(0x45454545), w32(0x100), w32(0x5a534c4b)
	for _, sizeWord := range []uint32{0, 0x7fd, 1 << 31} {
		old[0x108] = w32(sizeWord)
		_, err = Recognize(blank(0x1000, old))
		require.ErrorContains(t, err, "its table leads beyond its end")
	}
}

func TestUKI(t *testing.T) {
	section := func(name string, size, off uint32) string {
		return name + strings.Repeat("\x00", 8-len(name)) + w32(size) + w32(0) + w32(0x200) + w32(off) + string(make([]byte, 16))
	}
	pe := func(sections ...string) []byte {
		return blank(0x800, map[int]string{
			0: "MZ", 0x3c: w32(0x80), 0x80: "PE\x00\x00\x64\x86" + string([]byte{byte(len(sections)), 0}),
			0x80 + 20: "\x10\x00", 0x80 + 24 + 0x10: strings.Join(sections, ""),
		})
	}
	im, err := Recognize(pe(section(".text", 1, 0x400), section(".linux", 0x1f0, 0x600)))
	require.NoError(t, err)
	require.Equal(t, Image{Kind: UKI, Machine: "x86_64", Payload: Payload{Offset: 0x600, Size: 0x1f0}}, im)
	_, err = Recognize(pe(section(".linux", 0x1f0, 0x600), section(".linux", 0x1f0, 0x600)))
	require.ErrorContains(t, err, "several .linux sections")
	_, err = Recognize(pe(section(".linux", 0x200, 0x700)))
	require.ErrorContains(t, err, "is it truncated?")
	_, err = Recognize(pe(section(".linuxx", 0x100, 0x700)))
	require.EqualError(t, err, "an EFI application without a .linux section, not a kernel")
}

func TestAndroid(t *testing.T) {
	_, err := Recognize(blank(0x2000, map[int]string{0: "ANDROID!", 8: w32(100), 36: w32(1000)}))
	require.ErrorContains(t, err, "boot.img: its page size is 1000")
	im, err := Recognize(blank(0x2000, map[int]string{0: "ANDROID!", 8: w32(100), 12: w32(0x8000), 36: w32(2048), 40: w32(123456)}))
	require.NoError(t, err, "the size of a device tree in the place of the version")
	require.Equal(t, Payload{Offset: 2048, Size: 100}, im.Payload)
	require.Equal(t, uint64(0x8000), *im.Load)
}

func TestOther(t *testing.T) {
	for data, want := range map[string]string{
		"":                              "an empty file",
		"hsqs...\x00":                   "a squashfs file system",
		"!<arch>\ndebian-binary":        "a Debian package",
		"!<arch>\n/  ":                  "an archive of objects",
		"# Linux version 6.12.0\n":      "a text file",
		"initsect – “text”":             "a text file",
		"VNDRBOOT\x03\x00\x00\x00":      "an Android vendor boot image, which has no kernel",
		"\xd0\x0d\xfe\xed\x00\x00":      "",
		"\x01\x02\x03":                  "",
		strings.Repeat("ä", 3000):       "a text file",
		"a" + strings.Repeat("ä", 3000): "a text file",
	} {
		_, err := Recognize([]byte(data))
		var other *OtherError
		switch {
		case want != "":
			require.ErrorAs(t, err, &other, "%.20q", data)
			require.Equal(t, want, other.What)
		default:
			require.False(t, errors.As(err, &other), "%.20q: %v", data, err)
			require.Error(t, err)
		}
	}
}

func readELF(t *testing.T, b []byte) *safeelf.File {
	t.Helper()
	f, err := safeelf.New(filemap.FromBytes(b))
	require.NoError(t, err)
	return f
}

// An ELF file ends where its headers say; what lies behind is not part of it.
func TestELFSize(t *testing.T) {
	for _, arch := range []fixture.Arch{{Class64: true, Machine: 62}, {Machine: 3}, {Class64: true, Machine: 22, BigEndian: true}, {Machine: 40, BigEndian: true}} {
		k := fixture.Kernel{Arch: arch, Encoding: fixture.Absolute, Era: fixture.PerLevel}
		k.Calls = []fixture.Call{{Table: "initcall", Level: "6", Func: "driver_init"}}
		b := k.Build().Bytes()
		for _, tail := range []int{0, 1, 5000} {
			size, err := ELFSize(readELF(t, append(b[:len(b):len(b)], make([]byte, tail)...)))
			require.NoError(t, err)
			require.Equal(t, int64(len(b)), size)
		}
	}
}

// Whatever comes in: a payload lies within it.
func FuzzRecognize(f *testing.F) {
	paths, err := filepath.Glob("../unpack/testdata/image.*")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add(setup(0x20f, "\x28\xb5\x2f\xfd data"))
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := Recognize(b)
		if err != nil {
			require.Empty(t, im)
			return
		}
		require.NotEmpty(t, im.Kind)
		require.LessOrEqual(t, im.Payload.Offset+im.Payload.Size, len(b))
		require.Positive(t, im.Payload.Size)
		require.GreaterOrEqual(t, im.Payload.Offset, 0)
	})
}
