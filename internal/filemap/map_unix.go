//go:build unix

package filemap

import (
	"fmt"
	"math"
	"os"
	"syscall"
)

func (f *File) mapRange(off, n int64) ([]byte, error) {
	start := off &^ int64(os.Getpagesize()-1)
	if off-start+n > math.MaxInt {
		return nil, fmt.Errorf("mapping bytes %#x to %#x: more than this machine can address", off, off+n)
	}
	m, err := syscall.Mmap(int(f.file.Fd()), start, int(off-start+n), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("mapping bytes %#x to %#x: %w", off, off+n, err)
	}
	f.maps = append(f.maps, m)
	return m[off-start : off-start+n : off-start+n], nil
}

func (f *File) unmapAll() error {
	var first error
	for _, m := range f.maps {
		if err := syscall.Munmap(m); err != nil && first == nil {
			first = err
		}
	}
	f.maps = nil
	return first
}
