package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// Where things lie in bzImage's file (Documentation/arch/x86/boot.rst): a setup sector behind the boot sector, the
// code of protected mode, and in that the payload.
const (
	bzProtected = 2 * 512
	bzPayload   = bzProtected + 0x40
	bzOffsetAt  = 0x248
	bzLengthAt  = 0x24c
)

// bzImage puts a payload into a boot image as the kernel's build does: gzip tells the unpacked size itself, behind
// what others compress it is put.
func bzImage(payload []byte, unpacked int) []byte {
	if !bytes.HasPrefix(payload, []byte("\x1f\x8b")) {
		payload = binary.LittleEndian.AppendUint32(slices.Clip(payload), uint32(unpacked))
	}
	b := make([]byte, bzPayload+len(payload)+64)
	b[0x1f1] = 1
	copy(b[0x1fe:], "\x55\xaa")
	copy(b[0x202:], "HdrS\x0f\x02")
	b[0x236] = 1 // 64-bit
	binary.LittleEndian.PutUint32(b[bzOffsetAt:], bzPayload-bzProtected)
	binary.LittleEndian.PutUint32(b[bzLengthAt:], uint32(len(payload)))
	copy(b[bzPayload:], payload)
	return b
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func zstded(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll(data, nil)
}

// A boot image lists as the kernel in it, and no damage to it gives anything but an error.
func TestBootImages(t *testing.T) {
	kernel := testKernel().Bytes()
	program, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.Contains(t, string(program), "\x7fELF")
	status, want, stderr := bounded(t, len(kernel), "list", "--format", "tsv", put(t, kernel))
	require.Zero(t, status, stderr)

	for _, codec := range []struct {
		name     string
		compress func(*testing.T, []byte) []byte
	}{{"gzip", gzipped}, {"zstd", zstded}} {
		packed := codec.compress(t, kernel)
		sound := func() []byte { return bzImage(bytes.Clone(packed), len(kernel)) }
		t.Run(codec.name, func(t *testing.T) {
			for _, file := range [][]byte{sound(), packed} {
				status, got, stderr := bounded(t, len(kernel), "list", "--format", "tsv", put(t, file))
				require.Zero(t, status, stderr)
				require.Equal(t, want, got)
			}
		})
		put32 := func(at int, by int32) []byte {
			b := sound()
			binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])+uint32(by))
			return b
		}
		end := bzPayload + len(packed)
		trailer, promised := end, "the header promises"
		if codec.name == "gzip" { // whose own last word it is
			trailer, promised = end-4, "invalid checksum"
		}
		for _, test := range []struct {
			name string
			file []byte
			word string
		}{
			{"cut off in the payload", sound()[:bzPayload+len(packed)/2], "truncated"},
			{"cut off in the header", sound()[:0x240], ""},
			{"a payload that begins later than told", put32(bzOffsetAt, -8), ""},
			{"a payload that begins earlier than told", put32(bzOffsetAt, 8), ""},
			{"a payload beyond the end", put32(bzOffsetAt, 1<<30), "truncated"},
			{"a payload longer than the file", put32(bzLengthAt, 1<<20), "truncated"},
			{"a payload half as long", put32(bzLengthAt, -int32(len(packed)/2)), ""},
			{"a payload of nothing", put32(bzLengthAt, -int32(binary.LittleEndian.Uint32(sound()[bzLengthAt:]))), "0x0 bytes"},
			{"an unpacked size that is one too small", put32(trailer, -1), promised},
			{"an unpacked size that is one too large", put32(trailer, 1), promised},
			{"an unpacked size of 4 GB", put32(trailer, -int32(len(kernel))-1), promised},
			{"a text", bzImage(codec.compress(t, []byte(strings.Repeat("no kernel, but a text\n", 1000))), 22000), "a text file"},
			{"zeros", bzImage(codec.compress(t, make([]byte, 1<<20)), 1<<20), "no kernel"},
			{"a kernel cut off before it was compressed", bzImage(codec.compress(t, kernel[:len(kernel)/2]), len(kernel)/2), ""},
			{"a program", bzImage(codec.compress(t, program), len(program)), "no "},
			{"a program, compressed as such", codec.compress(t, program), ""},
		} {
			t.Run(codec.name+" "+test.name, func(t *testing.T) {
				path := put(t, test.file)
				for _, command := range []string{"list", "sections", "check"} {
					status, stdout, stderr := bounded(t, max(len(program), len(kernel)), command, path)
					require.Equal(t, 2, status, stderr)
					require.Empty(t, stdout)
					require.True(t, strings.HasPrefix(stderr, "initsect: "+path+": ") && strings.Count(stderr, "\n") == 1, "%q", stderr)
					require.Contains(t, stderr, test.word)
				}
			})
		}
		t.Run(codec.name+" with a bit changed", func(t *testing.T) {
			for at := bzPayload; at < end; at += 1 + len(packed)/97 {
				b := sound()
				b[at] ^= 0x10
				status, got, _ := bounded(t, len(kernel), "list", "--format", "tsv", put(t, b))
				require.True(t, status == 2 && got == "" || status == 0 && got == want, "byte %#x", at)
			}
		})
	}
}
