package unpack

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/initsect/initsect/internal/decompress"
	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/kimage"
)

// search tries every place that looks compressed. What lies within the stream
// of a kernel is not tried.
func (u *unpacker) search(part *filemap.File, im kimage.Image, depth int) (*Kernel, error) {
	b, err := part.Bytes(0, part.Size())
	if err != nil {
		return nil, err
	}
	var found *Kernel
	var other error // the best that can be said if there is none
	tried, end := 0, 0
	candidates := decompress.Candidates(b, maxCandidates+1)
	for i, c := range candidates {
		if i == maxCandidates && found == nil {
			return nil, fmt.Errorf("%w: none at the first %d places that look compressed", ErrNoKernel, maxCandidates)
		}
		if c.Offset < end {
			continue
		}
		k, consumed, err := u.candidate(b, c, im, depth)
		if errors.Is(err, errWork) {
			return nil, err
		}
		if err != nil {
			tried++
			other = better(other, err)
			continue
		}
		if found != nil && !same(found, k) {
			return nil, fmt.Errorf("several kernels in it, at %#x and at %#x", found.Steps[0].Offset, k.Steps[0].Offset)
		}
		if found == nil {
			found = k
		}
		end = c.Offset + consumed
	}
	if found != nil {
		found.Steps[0].Tried = tried
		return found, nil
	}
	if other != nil {
		return nil, other
	}
	return nil, fmt.Errorf("%w: tried %d places that look compressed", ErrNoKernel, tried)
}

var errWork = fmt.Errorf("%w together: %d bytes", decompress.ErrTooLarge, maxWork)

// candidate finds the kernel in the stream that begins at c.
func (u *unpacker) candidate(b []byte, c decompress.Candidate, im kimage.Image, depth int) (*Kernel, int, error) {
	out, consumed, err := u.decode(c.Codec, b[c.Offset:], im.Payload.Unpacked)
	if err != nil {
		return nil, 0, err
	}
	k, err := u.step(filemap.FromBytes(out), Step{
		Container:   im.Kind,
		Offset:      int64(im.Payload.Offset + c.Offset),
		Size:        int64(consumed),
		Compression: string(c.Codec),
	}, depth)
	return k, consumed, err
}

// better returns which of two errors says more: that something was found and
// what, over that a stream ended too large, over that nothing decodes.
func better(old, err error) error {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case errors.As(err, new(*kimage.OtherError)):
			return 2
		case errors.Is(err, decompress.ErrTooLarge):
			return 1
		}
		return 0
	}
	if rank(err) > rank(old) {
		return err
	}
	return old
}

// same reports whether two kernels have the same bytes.
func same(a, b *Kernel) bool {
	return a.File.Size() == b.File.Size() && sum(a.File) == sum(b.File)
}

func sum(f *filemap.File) [sha256.Size]byte {
	b, _ := f.Bytes(0, f.Size()) // of memory: cannot fail
	return sha256.Sum256(b)
}

// banner is how linux_banner begins (init/version-timestamp.c); a version
// follows. The boot code of s390 has the format alone.
const banner = "Linux version "

// hasBanner reports whether b has a kernel's banner.
func hasBanner(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(banner))
		if i < 0 || i+len(banner) >= len(b) {
			return false
		}
		b = b[i+len(banner):]
		if b[0] >= '0' && b[0] <= '9' {
			return true
		}
	}
}
