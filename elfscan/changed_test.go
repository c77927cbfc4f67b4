package elfscan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/fixture"
)

// A file that shrinks or changes after it was opened must be an error: neither
// a fault nor a list of what is left. Zeros are what a mapping shows beyond the
// end of a file in its last page.
func TestFileChangesMeanwhile(t *testing.T) {
	for _, symbols := range []int{0, 20000} { // read by copying, and by mapping
		im := modern().Build()
		for i := range symbols {
			im.Define(fmt.Sprintf("variable_%d", i), ".bss", im.Section(".bss").Addr, 0, fixture.Object)
		}
		data := im.Bytes()
		lengths := []int{0, 1, 1000, len(data) / 2, len(data) - len(data)/4, len(data) - 100, len(data) - 1}
		for _, n := range lengths {
			t.Run(fmt.Sprintf("%d of %d", n, len(data)), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "vmlinux")
				require.NoError(t, os.WriteFile(path, data, 0o600))
				im, err := elfscan.Open(path, elfscan.Options{})
				require.NoError(t, err)
				defer im.Close()
				require.NoError(t, os.Truncate(path, int64(n)))
				l, err := im.List(elfscan.ListOptions{})
				require.Error(t, err)
				require.Nil(t, l)
				siblings, err := im.Siblings()
				require.ErrorIs(t, err, filemap.ErrChanged)
				require.Nil(t, siblings)
			})
		}
	}
}

func TestFileIsRewrittenMeanwhile(t *testing.T) {
	dir := t.TempDir()
	build := modern().Build()
	image, text := stripped(build, 16)
	path, mapPath := filepath.Join(dir, "vmlinux"), filepath.Join(dir, "System.map")
	for _, rewritten := range []string{path, mapPath} {
		require.NoError(t, os.WriteFile(path, image, 0o600))
		require.NoError(t, os.WriteFile(mapPath, []byte(text), 0o600))
		im, err := elfscan.Open(path, elfscan.Options{Map: mapPath})
		require.NoError(t, err)
		defer im.Close()
		_, err = im.List(elfscan.ListOptions{})
		require.NoError(t, err)
		require.NoError(t, os.Chtimes(rewritten, time.Time{}, time.Now().Add(time.Hour)))
		l, err := im.List(elfscan.ListOptions{})
		require.ErrorIs(t, err, filemap.ErrChanged)
		require.Nil(t, l)
	}
}
