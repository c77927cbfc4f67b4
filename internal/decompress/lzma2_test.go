package decompress

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"
)

// lzma2Of compresses with another's encoder, in several chunks, of which some are stored.
func lzma2Of(t *testing.T, data []byte, properties lzma.Properties, dict int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := lzma.Writer2Config{Properties: &properties, DictCap: dict}.NewWriter2(&out)
	require.NoError(t, err)
	for len(data) > 0 {
		n := min(len(data), 50000)
		_, err := w.Write(data[:n])
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		data = data[n:]
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// mixed is text that repeats itself, far and near, and noise.
func mixed(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var data []byte
	for len(data) < n {
		switch r.IntN(4) {
		case 0:
			data = append(data, bytes.Repeat([]byte{byte(r.IntN(8))}, r.IntN(400))...)
		case 1:
			for range r.IntN(60) {
				data = append(data, "initcall"[r.IntN(8)])
			}
		case 2:
			if len(data) > 0 {
				from := r.IntN(len(data))
				data = append(data, data[from:min(len(data), from+r.IntN(300))]...)
			}
		default:
			for range r.IntN(1 << r.IntN(18)) {
				data = append(data, byte(r.Uint32()))
			}
		}
	}
	return data[:n]
}

func TestLZMA2(t *testing.T) {
	for _, properties := range []lzma.Properties{{LC: 3, LP: 0, PB: 2}, {LC: 0, LP: 4, PB: 0}, {LC: 4, LP: 0, PB: 4}, {LC: 1, LP: 2, PB: 1}} {
		for _, n := range []int{1, 2, 1000, 300000} {
			for _, dict := range []int{1 << 16, 1 << 20} {
				t.Run(fmt.Sprintf("%v %d %d", properties, n, dict), func(t *testing.T) {
					want := mixed(n)
					packed := lzma2Of(t, want, properties, dict)
					got := make([]byte, n)
					require.NoError(t, unlzma2(got, packed, dict))
					require.True(t, bytes.Equal(want, got))
					require.Error(t, unlzma2(make([]byte, n-1), packed, dict))
					require.Error(t, unlzma2(make([]byte, n+1), packed, dict))
					require.Error(t, unlzma2(got, packed[:len(packed)-1], dict))
				})
			}
		}
	}
}

// Spoilt data is refused, or decodes to something of that size, as another's decoder says.
func TestLZMA2Spoilt(t *testing.T) {
	want := mixed(20000)
	packed := lzma2Of(t, want, lzma.Properties{LC: 3, LP: 0, PB: 2}, 4096)
	r := rand.New(rand.NewPCG(2, 2))
	refused := 0
	for range 2000 {
		spoilt := bytes.Clone(packed)
		at := r.IntN(len(spoilt))
		spoilt[at] ^= 1 << r.IntN(8)
		got := make([]byte, len(want))
		if unlzma2(got, spoilt, 4096) != nil {
			refused++
			continue
		}
		theirs, err := lzma.Reader2Config{DictCap: 4096}.NewReader2(bytes.NewReader(spoilt))
		require.NoError(t, err)
		other := make([]byte, len(want))
		_, err = io.ReadFull(theirs, other)
		require.NoError(t, err, "at %#x", at)
		require.True(t, bytes.Equal(other, got), "at %#x", at)
	}
	require.Greater(t, refused, 100)
}

func TestLZMA2Chunks(t *testing.T) {
	stored := func(control byte, text string) []byte {
		return append([]byte{control, 0, byte(len(text) - 1)}, text...)
	}
	for _, test := range []struct {
		name string
		src  []byte
		ok   bool
	}{
		{"stored", append(stored(1, "abcd"), 0), true},
		{"stored, twice", append(append(stored(1, "ab"), stored(2, "cd")...), 0), true},
		{"no end", stored(1, "abcd"), false},
		{"no dictionary yet", append(stored(2, "abcd"), 0), false},
		{"too much", append(stored(1, "abcde"), 0), false},
		{"too little", append(stored(1, "abc"), 0), false},
		{"an unknown chunk", append(append([]byte{3, 0, 0}, "a"...), 0), false},
		{"no parameters", append(append(stored(1, "ab"), 0x80, 0, 1, 0, 4), 0, 0, 0, 0, 0, 0), false},
		{"a state, but no parameters", append(append(stored(1, "ab"), 0xa0, 0, 1, 0, 4), 0, 0, 0, 0, 0, 0), false},
		{"wrong parameters", append([]byte{0xe0, 0, 3, 0, 4, 0xff}, make([]byte, 6)...), false},
	} {
		got := make([]byte, 4)
		err := unlzma2(got, test.src, 4096)
		require.Equal(t, test.ok, err == nil, "%s: %v", test.name, err)
		if test.ok {
			require.Equal(t, "abcd", string(got), test.name)
		}
	}
}
