package bootlog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line. The kernel's own records are at most 2 KiB; what
// follows in a longer line is read as another line.
const maxLine = 16 << 10

// unpack returns the text of a log that may be compressed with gzip, as
// /var/log's old ones are.
func unpack(r io.Reader) (*bufio.Reader, error) {
	text := bufio.NewReaderSize(r, maxLine)
	if magic, _ := text.Peek(4); string(magic) == "\x7fELF" {
		return nil, errors.New("an ELF file, not a log: the log comes first, then the image")
	}
	if magic, _ := text.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return text, nil
	}
	z, err := gzip.NewReader(text)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return bufio.NewReaderSize(z, maxLine), nil
}

// lines reads a log line by line into one buffer.
type lines struct {
	text   *bufio.Reader
	number int
	inside bool // the last line was cut at its maximal length
}

// next returns a line without its end, which is valid until the next call.
func (l *lines) next() ([]byte, error) {
	line, err := l.text.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("line %d: %w", l.number+1, err)
	}
	if !l.inside {
		l.number++
	}
	l.inside = errors.Is(err, bufio.ErrBufferFull)
	if err != nil && !l.inside && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line %d: %w", l.number, err)
	}
	line = bytes.TrimRight(line, "\r\n")
	if bytes.IndexByte(line, esc) >= 0 {
		line = plain(line)
	}
	return line, nil
}

const esc = 0x1b

// plain takes the terminal's control sequences (ESC [ … letter) out of a line,
// in place: dmesg colours its lines, and a serial line is a terminal.
func plain(line []byte) []byte {
	out := line[:0]
	for i := 0; i < len(line); i++ {
		if line[i] != esc {
			out = append(out, line[i])
			continue
		}
		if i+1 < len(line) && line[i+1] == '[' {
			for i += 2; i < len(line) && (line[i] < '@' || line[i] > '~'); i++ {
			}
		}
	}
	return out
}
