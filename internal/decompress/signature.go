package decompress

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// signatures are what streams begin with, as far as it is the same in all that
// a kernel build makes (lib/decompress.c has two bytes of each). LZMA has none:
// its first bytes are the usual parameters, lc=3 lp=0 pb=2, and the low bytes of
// the dictionary's size.
var signatures = map[Codec][]string{
	Gzip:  {"\x1f\x8b\x08"},
	Bzip2: {"BZh"},
	LZMA:  {"\x5d\x00\x00"},
	XZ:    {"\xfd7zXZ\x00"},
	LZO:   {"\x89LZO\x00\r\n\x1a\n"},
	LZ4:   {lz4LegacyMagic, lz4FrameMagic},
	Zstd:  {"\x28\xb5\x2f\xfd"},
}

// Detect returns the codec of the stream that b begins with, "" if it begins
// with none. It looks at the whole header, not only at the signature.
func Detect(b []byte) Codec {
	for c, all := range signatures {
		for _, s := range all {
			if bytes.HasPrefix(b, []byte(s)) && plausible(c, b) {
				return c
			}
		}
	}
	return ""
}

// plausible reports whether the header behind a signature is sound. The longest
// signatures speak for themselves.
func plausible(c Codec, b []byte) bool {
	switch c {
	case Gzip:
		const reserved = 0xe0
		return len(b) > 18 && b[3]&reserved == 0
	case Bzip2:
		const block, end = "1AY&SY", "\x17\x72\x45\x38\x50\x90"
		return len(b) > 10 && b[3] >= '1' && b[3] <= '9' && (string(b[4:10]) == block || string(b[4:10]) == end)
	case LZMA:
		// The range coder's first byte is always 0.
		return len(b) > lzma.HeaderLen && lzma.ValidHeader(b[:lzma.HeaderLen]) && b[lzma.HeaderLen] == 0
	case XZ:
		return len(b) > xzHeaderLen && crc32.ChecksumIEEE(b[6:8]) == binary.LittleEndian.Uint32(b[8:])
	}
	return true
}

// Candidate is a place where a compressed stream may begin.
type Candidate struct {
	Codec  Codec
	Offset int
}

// Candidates returns the places in b that look like the begin of a stream, by
// offset, but no more than most.
func Candidates(b []byte, most int) []Candidate {
	var found []Candidate
	for c, all := range signatures {
		for _, s := range all {
			n := 0
			for at := 0; n < most; {
				i := bytes.Index(b[at:], []byte(s))
				if i < 0 {
					break
				}
				if plausible(c, b[at+i:]) {
					found = append(found, Candidate{c, at + i})
					n++
				}
				at += i + 1
			}
		}
	}
	slices.SortFunc(found, func(a, b Candidate) int { return a.Offset - b.Offset })
	return found[:min(len(found), most)]
}
