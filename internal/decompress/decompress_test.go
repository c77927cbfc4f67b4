package decompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

// file is a payload that one of the commands of testdata/make.sh compressed.
type file struct {
	name  string
	codec Codec
	data  []byte
}

func files(t testing.TB) (all []file, payload []byte) {
	t.Helper()
	codecs := map[string]Codec{".gz": Gzip, ".bz2": Bzip2, ".lzma": LZMA, ".xz": XZ, ".lzo": LZO, ".lz4": LZ4, ".zst": Zstd}
	paths, err := filepath.Glob("testdata/payload.*")
	require.NoError(t, err)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		if c, ok := codecs[filepath.Ext(path)]; ok {
			all = append(all, file{filepath.Base(path), c, data})
		}
	}
	require.Equal(t, 21, len(all))
	payload, err = os.ReadFile("testdata/payload.bin")
	require.NoError(t, err)
	return all, payload
}

const enough = 1 << 20

// What each command compressed comes out, whatever lies behind the stream.
func TestDecode(t *testing.T) {
	all, payload := files(t)
	behind := map[string]string{"nothing": "", "a size word": "\x00\x40\x00\x00", "zeros": strings.Repeat("\x00", 100), "text": "Linux version"}
	for _, f := range all {
		if f.name != "payload.other.lzma" { // has no signature
			require.Equal(t, f.codec, Detect(f.data), f.name)
		}
		for what, tail := range behind {
			for _, b := range []Bounds{{Max: enough}, {Max: len(payload), Size: len(payload)}, {Max: enough, Size: 10}} {
				got, consumed, err := Decode(f.codec, append(bytes.Clone(f.data), tail...), b)
				require.NoError(t, err, "%s, behind it %s", f.name, what)
				require.True(t, bytes.Equal(payload, got), "%s, behind it %s", f.name, what)
				require.Equal(t, len(f.data), consumed, "%s, behind it %s", f.name, what)
			}
		}
	}
}

// A stream that was cut anywhere is an error. The legacy frame of LZ4 has no
// end mark: only there do fewer bytes come out without one.
func TestCutStreams(t *testing.T) {
	all, _ := files(t)
	for _, f := range all {
		for n := range len(f.data) {
			if n > 80 && n < len(f.data)-80 && n%499 != 0 {
				continue
			}
			_, _, err := Decode(f.codec, f.data[:n], Bounds{Max: enough})
			if f.name == "payload.lz4" && n >= 4 && n < 8 {
				require.NoError(t, err, "%s: %d", f.name, n)
				continue
			}
			var e *Error
			require.ErrorAs(t, err, &e, "%s: %d of %d bytes", f.name, n, len(f.data))
			require.LessOrEqual(t, e.Offset, n)
		}
	}
}

// Formats with checksums of the data never give other data.
func TestSpoiledStreams(t *testing.T) {
	all, payload := files(t)
	unchecked := map[string]bool{
		"payload.lz4": true, "payload.lzma": true, "payload.other.lzma": true,
		"payload.nocheck.zst": true, "payload.none.xz": true, "payload.nosum.lzo": true,
	}
	for _, f := range all {
		spoiled := 0
		for at := 0; at < len(f.data); at += 1 + at/40 {
			data := bytes.Clone(f.data)
			data[at] ^= 0x10
			got, _, err := Decode(f.codec, data, Bounds{Max: enough})
			if err != nil {
				spoiled++
			} else if !unchecked[f.name] {
				require.True(t, bytes.Equal(payload, got), "%s: byte %#x", f.name, at)
			}
		}
		require.Greater(t, spoiled, 5, f.name)
	}
}

func TestBound(t *testing.T) {
	all, payload := files(t)
	for _, f := range all {
		for _, most := range []int{0, 1, 5000, len(payload) - 1} {
			_, _, err := Decode(f.codec, f.data, Bounds{Max: most})
			require.ErrorIs(t, err, ErrTooLarge, "%s: %d", f.name, most)
		}
	}
}

// A few bytes that claim, or that are, a great many cost little.
func TestBombs(t *testing.T) {
	all, _ := files(t)
	for _, f := range all {
		spent := testing.AllocsPerRun(1, func() {
			_, _, err := Decode(f.codec, f.data, Bounds{Max: enough, Size: 1 << 30})
			require.NoError(t, err)
		})
		require.Less(t, spent, 1e6)
	}
	header := append([]byte{0x5d}, bytes.Repeat([]byte{0xff}, 12)...) // a dictionary of 4 GiB
	_, _, err := Decode(LZMA, append(header, make([]byte, 100)...), Bounds{Max: 1 << 16})
	require.Error(t, err)
	binary.LittleEndian.PutUint64(header[5:], 1<<40) // and a size
	_, _, err = Decode(LZMA, append(header, make([]byte, 100)...), Bounds{Max: 1 << 16})
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestSeveralStreams(t *testing.T) {
	all, payload := files(t)
	for _, f := range all {
		switch f.name {
		case "payload.gz", "payload.bz2", "payload.zst", "payload.x86.xz":
			got, consumed, err := Decode(f.codec, bytes.Repeat(f.data, 3), Bounds{Max: enough})
			require.NoError(t, err, f.name)
			require.Equal(t, 3*len(f.data), consumed, f.name)
			require.True(t, bytes.Equal(bytes.Repeat(payload, 3), got), f.name)
			spoiled := bytes.Repeat(f.data, 2)
			spoiled[len(f.data)+len(f.data)/2] ^= 1
			_, _, err = Decode(f.codec, spoiled, Bounds{Max: enough})
			var e *Error
			require.ErrorAs(t, err, &e, f.name)
			require.True(t, e.Offset < 0 || e.Offset >= len(f.data), "%s: %v", f.name, e)
		}
	}
}

// The legacy frame of LZ4 is blocks of 8 MiB, and ends with the first that is
// shorter, or before what cannot be a block.
func TestLZ4Blocks(t *testing.T) {
	for _, size := range []int{8<<20 - 1, 8 << 20, 8<<20 + 1, 24 << 20} {
		want := bytes.Repeat([]byte("legacy__"), 24<<17)[:size]
		var packed bytes.Buffer
		w := lz4.NewWriter(&packed)
		require.NoError(t, w.Apply(lz4.LegacyOption(true)))
		_, err := w.Write(want)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		n := packed.Len()
		for _, tail := range [][]byte{nil, {0, 0, 0, 0}, binary.LittleEndian.AppendUint32(nil, 25<<20)} {
			got, consumed, err := Decode(LZ4, append(packed.Bytes()[:n:n], tail...), Bounds{Max: 32 << 20, Size: size})
			require.NoError(t, err)
			require.Equal(t, n, consumed)
			require.True(t, bytes.Equal(want, got))
		}
	}
}

func TestSkippableZstdFrame(t *testing.T) {
	all, payload := files(t)
	skip := append([]byte("\x50\x2a\x4d\x18\x05\x00\x00\x00"), "noise"...)
	for _, f := range all {
		if f.codec == Zstd {
			end, err := zstdEnd(skip)
			require.NoError(t, err)
			require.Equal(t, len(skip), end)
			got, _, err := Decode(Zstd, append(bytes.Clone(f.data), f.data...), Bounds{Max: enough})
			require.NoError(t, err)
			require.Len(t, got, 2*len(payload))
		}
	}
	_, err := zstdEnd(skip[:len(skip)-1])
	require.Error(t, err)
}

// A window beyond that of any kernel is refused before it is allocated.
func TestZstdWindow(t *testing.T) {
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithWindowSize(256<<20))
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 1<<20)) // no size in the header, for it is streamed
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	_, _, err = Decode(Zstd, packed.Bytes(), Bounds{Max: enough})
	require.ErrorIs(t, err, zstd.ErrWindowSizeExceeded)
}

// The kernel's own decoder, lib/xz/xz_dec_bcj.c of v6.12, made riscv.plain: xz
// of Debian 12 lacks this filter.
func TestRISCVBranches(t *testing.T) {
	_, got := files(t)
	want, err := os.ReadFile("testdata/riscv.plain")
	require.NoError(t, err)
	require.False(t, bytes.Equal(want, got))
	branchFilters[0x0b](got, 0x1234)
	require.True(t, bytes.Equal(want, got))
}

// xzFile makes a stream with a block header of its own.
func xzFile(t *testing.T, blockHeader []byte) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/payload.none.xz")
	require.NoError(t, err)
	old := xzHeaderLen + int(data[xzHeaderLen])*4 + 4
	for len(blockHeader)%4 != 0 {
		blockHeader = append(blockHeader, 0)
	}
	blockHeader[0] = byte(len(blockHeader) / 4)
	blockHeader = binary.LittleEndian.AppendUint32(blockHeader, crc32.ChecksumIEEE(blockHeader))
	return append(append(bytes.Clone(data[:xzHeaderLen]), blockHeader...), data[old:]...)
}

func TestXZErrors(t *testing.T) {
	for name, test := range map[string]struct {
		header []byte
		words  string
	}{
		"sound":                {[]byte{0, 0, 0x21, 1, 0x16}, ""},
		"delta filter":         {[]byte{0, 1, 3, 1, 0, 0x21, 1, 0x16}, "unknown filter 0x3"},
		"IA-64 filter":         {[]byte{0, 1, 6, 0, 0x21, 1, 0x16}, "unknown filter 0x6"},
		"a branch filter last": {[]byte{0, 0, 4, 0}, "unknown filter 0x4"},
		"LZMA2 twice":          {[]byte{0, 1, 0x21, 1, 0x16, 0x21, 1, 0x16}, "unknown filter 0x21"},
		"reserved flag":        {[]byte{0, 4, 0x21, 1, 0x16}, "reserved"},
		"other packed size":    {[]byte{0, 0x40, 7, 0x21, 1, 0x16}, "other sizes"},
		"other size":           {[]byte{0, 0x80, 7, 0x21, 1, 0x16}, "other sizes"},
		"endless number":       {append([]byte{0, 0}, bytes.Repeat([]byte{0x80}, 12)...), "nine bytes"},
		"long properties":      {[]byte{0, 0, 0x21, 100, 0x16}, "EOF"},
		"no dictionary":        {[]byte{0, 0, 0x21, 1, 0x30}, ""},
		"noise":                {[]byte{0, 0, 0x21, 1, 0x16, 1}, "behind the filters"},
	} {
		_, _, err := Decode(XZ, xzFile(t, test.header), Bounds{Max: enough})
		if name == "sound" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, test.words, name)
	}
	bad, err := os.ReadFile("testdata/payload.none.xz")
	require.NoError(t, err)
	bad[7] = 2 // a check of 4 bytes that nobody defined
	binary.LittleEndian.PutUint32(bad[8:], crc32.ChecksumIEEE(bad[6:8]))
	_, _, err = Decode(XZ, bad, Bounds{Max: enough})
	require.ErrorContains(t, err, "unknown integrity check 0x2")
}

func TestUnknownCodec(t *testing.T) {
	_, _, err := Decode("compress", nil, Bounds{})
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestDetect(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":          "",
		"short gzip":       "\x1f\x8b\x08",
		"gzip, reserved":   "\x1f\x8b\x08\xe0" + strings.Repeat("\x00", 30),
		"bzip2, no block":  "BZh91AY&SX" + strings.Repeat("\x00", 30),
		"bzip2, level 0":   "BZh01AY&SY" + strings.Repeat("\x00", 30),
		"lzma, odd size":   "\x5d\x00\x00\x81\x00" + strings.Repeat("\xff", 8) + "\x00\x00",
		"lzma, first byte": "\x5d\x00\x00\x80\x00" + strings.Repeat("\xff", 8) + "\x01\x00",
		"xz, decoy":        "\xfd7zXZ\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"ELF":              "\x7fELF\x02\x01\x01",
	} {
		require.Equal(t, Codec(""), Detect([]byte(b)), name)
	}
}

func TestCandidates(t *testing.T) {
	all, _ := files(t)
	var b []byte
	var want []Candidate
	for i, f := range all {
		b = append(b, make([]byte, 3+i)...)
		b = append(b, "\xfd7zXZ\x00decoy"...)
		want = append(want, Candidate{f.codec, len(b)})
		if f.name == "payload.other.lzma" { // has no signature
			want = want[:len(want)-1]
		}
		b = append(b, f.data...)
	}
	require.Equal(t, want, Candidates(b, 100))
	require.Equal(t, want[:3], Candidates(b, 3))
	require.Empty(t, Candidates(nil, 3))
}

var errFault = errors.New("fault")

type faultAt struct{ error }

func (faultAt) Addr() uintptr { return 0x1000 }

// A codec's panic is an error; a fault in mapped memory is its reader's matter.
func TestPanics(t *testing.T) {
	decoders["test"] = func(_, src []byte, _ int) ([]byte, int, error) {
		if len(src) > 0 {
			panic(faultAt{errFault})
		}
		panic("index out of range")
	}
	defer delete(decoders, "test")
	_, _, err := Decode("test", nil, Bounds{})
	require.EqualError(t, err, "test: malformed data: index out of range")
	require.PanicsWithValue(t, faultAt{errFault}, func() { _, _, _ = Decode("test", []byte{1}, Bounds{}) })
}

// Whatever comes in, a decoder ends, keeps its bound, and tells no more bytes
// than there are.
func FuzzDecode(f *testing.F) {
	all, _ := files(f)
	codecs := []Codec{Gzip, Bzip2, LZMA, XZ, LZO, LZ4, Zstd}
	for _, file := range all {
		for i, c := range codecs {
			if c == file.codec {
				f.Add(byte(i), file.data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, codec byte, data []byte) {
		const most = 256 << 10
		out, consumed, err := Decode(codecs[int(codec)%len(codecs)], data, Bounds{Max: most, Size: len(data)})
		if err != nil {
			require.Nil(t, out)
			return
		}
		require.LessOrEqual(t, len(out), most)
		require.LessOrEqual(t, consumed, len(data))
		Candidates(data, 10)
	})
}
