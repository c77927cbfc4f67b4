//go:build !unix

package filemap

// mapRange copies where there is no mapping to be had.
func (f *File) mapRange(off, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, off); err != nil {
		return nil, err
	}
	return b, nil
}

func (f *File) unmapAll() error { return nil }
