package decompress

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// drain appends what r reads to dst, up to most bytes in all. It returns what
// came before an error, too.
func drain(dst []byte, r io.Reader, most int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = grow(dst, 64<<10)
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > most:
			return dst, ErrTooLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

func gunzip(dst, src []byte, most int) ([]byte, int, error) {
	in := bytes.NewReader(src) // read by byte, so that nothing behind the stream is
	r, err := gzip.NewReader(in)
	if err == nil {
		r.Multistream(false)
		dst, err = drain(dst, r, most)
	}
	return taken(Gzip, dst, src, in, err)
}

func bunzip2(dst, src []byte, most int) ([]byte, int, error) {
	in := bytes.NewReader(src)
	out, err := drain(dst, bzip2.NewReader(in), most)
	// The reader wants nothing but more streams behind a stream, whose checksums
	// it has compared by then; it has read two bytes.
	if errors.Is(err, bzip2.StructuralError("bad magic value in continuation file")) {
		return out, len(src) - in.Len() - 2, nil
	}
	return taken(Bzip2, out, src, in, err)
}

func unlzma(dst, src []byte, most int) ([]byte, int, error) {
	if len(src) < lzma.HeaderLen {
		return dst, 0, &Error{Codec: LZMA, Offset: 0, Err: io.ErrUnexpectedEOF}
	}
	size := binary.LittleEndian.Uint64(src[5:])
	if size != unknownSize && size > uint64(most) {
		return dst, 0, &Error{Codec: LZMA, Offset: 5, Err: ErrTooLarge}
	}
	header := bytes.Clone(src[:lzma.HeaderLen])
	dict := min(binary.LittleEndian.Uint32(header[1:]), uint32(maxDict), uint32(most)+lzma.MinDictCap)
	binary.LittleEndian.PutUint32(header[1:], dict)
	in := bytes.NewReader(src[lzma.HeaderLen:])
	r, err := lzma.NewReader(&headed{header, in})
	if err == nil {
		dst, err = drain(dst, r, most)
	}
	return taken(LZMA, dst, src, in, err)
}

// unknownSize in an LZMA header promises an end marker: xz writes no other.
const unknownSize = 1<<64 - 1

// maxDict bounds the dictionary of LZMA and XZ, which is allocated before
// anything comes out. No kernel build uses a larger one (128 MiB from 6.12 on,
// scripts/xz_wrap.sh); nor is more than what may come out ever of use.
const maxDict = 128 << 20

// headed is a reader whose header is replaced. Behind it, the LZMA reader reads
// by byte.
type headed struct {
	header []byte
	*bytes.Reader
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.header) == 0 {
		return h.Reader.Read(p)
	}
	n := copy(p, h.header)
	h.header = h.header[n:]
	return n, nil
}

// taken makes the answer of a decoder that reads from in.
func taken(c Codec, out, src []byte, in *bytes.Reader, err error) ([]byte, int, error) {
	consumed := len(src) - in.Len()
	if err != nil {
		return out, 0, &Error{Codec: c, Offset: consumed, Err: err}
	}
	return out, consumed, nil
}
