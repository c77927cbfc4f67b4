package bootlog

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// second names that C libraries and newer headers have for some.
var second = map[string]string{"ENOTSUP": "EOPNOTSUPP", "EFSCORRUPTED": "EUCLEAN", "EFSBADCRC": "EBADMSG"}

// Go's own table of this machine's errors is another reading of the headers.
func TestErrnoOfThisMachine(t *testing.T) {
	for code := 1; code <= 133; code++ {
		name, assumed := Errno(code, "x86_64")
		want := unix.ErrnoName(syscall.Errno(code))
		if other, ok := second[want]; ok {
			want = other
		}
		require.Equal(t, want, name, "%d", code)
		require.False(t, assumed)
	}
}
