package symbols

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hex8 takes exactly what strconv takes, for every byte in every place.
func TestHex8(t *testing.T) {
	for place := range 8 {
		for c := range 256 {
			b := []byte("0129afAF")
			b[place] = byte(c)
			got, ok := hex8(b)
			want, err := strconv.ParseUint(string(b), 16, 32)
			valid := err == nil && !strings.Contains(string(b), "_")
			require.Equal(t, valid, ok, "%q", b)
			if ok {
				require.Equal(t, Addr(want), got, "%q", b)
			}
		}
	}
	for _, v := range []uint32{0, 1, 0x12345678, 0x9abcdef0, 0xffffffff} {
		got, ok := hex8(fmt.Appendf(nil, "%08x", v))
		require.True(t, ok)
		require.Equal(t, Addr(v), got)
	}
	_, ok := hex8([]byte("1234567"))
	require.False(t, ok)
}
