//go:build unix

package filemap

import (
	"fmt"
	"math"
	"os"
	"syscall"
)

// mapRange maps a range, unless one that holds it is mapped.
func (f *File) mapRange(off, n int64) ([]byte, error) {
	for _, m := range f.maps {
		if off >= m.start && off-m.start <= int64(len(m.bytes))-n {
			return m.bytes[off-m.start : off-m.start+n : off-m.start+n], nil
		}
	}
	start := off &^ int64(os.Getpagesize()-1)
	if off-start+n > math.MaxInt {
		return nil, fmt.Errorf("mapping bytes %#x to %#x: more than this machine can address", off, off+n)
	}
	m, err := syscall.Mmap(int(f.file.Fd()), start, int(off-start+n), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("mapping bytes %#x to %#x: %w", off, off+n, err)
	}
	f.maps = append(f.maps, mapping{start, m})
	return m[off-start : off-start+n : off-start+n], nil
}

func (f *File) unmapAll() error {
	var first error
	for _, m := range f.maps {
		if err := syscall.Munmap(m.bytes); err != nil && first == nil {
			first = err
		}
	}
	f.maps = nil
	return first
}
