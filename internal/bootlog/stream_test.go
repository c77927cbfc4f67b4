package bootlog

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// longLog is a log of 200 MB, made while it is read: one boot's calls, and
// around them what a machine says in a year.
type longLog struct {
	left   int
	sample func()
	chunk  []byte
	calls  int
}

func newLongLog(sample func()) *longLog {
	return &longLog{left: 200 << 20, sample: sample}
}

func (l *longLog) Read(p []byte) (int, error) {
	if len(l.chunk) == 0 {
		if l.left <= 0 {
			return 0, io.EOF
		}
		l.next()
		l.left -= len(l.chunk)
	}
	n := copy(p, l.chunk)
	l.chunk = l.chunk[n:]
	return n, nil
}

// next makes 64 KiB of lines, and a call among them for the first 2,000 times.
func (l *longLog) next() {
	var b bytes.Buffer
	if l.calls < 2000 {
		l.calls++
		fmt.Fprintf(&b, "[%5d.000000] calling  f%d+0x0/0x10 @ 1\n[%5d.000100] initcall f%d+0x0/0x10 returned 0 after 100 usecs\n", l.calls, l.calls, l.calls, l.calls)
	}
	for b.Len() < 64<<10 {
		fmt.Fprintf(&b, "[%5d.500000] usb 1-1: new high-speed USB device number %d using ehci-pci\n", l.calls, b.Len())
	}
	l.chunk = b.Bytes()
	l.sample()
}

// However long a log is, reading it takes the memory of its calls.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 200 MB")
	}
	var peak uint64
	n := 0
	l, err := Read(newLongLog(func() {
		if n++; n%256 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}), Options{})
	require.NoError(t, err)
	require.Len(t, l.Calls, 2000)
	require.NotZero(t, peak)
	require.Less(t, peak, uint64(8<<20))
}

func BenchmarkRead(b *testing.B) {
	var log bytes.Buffer
	long := newLongLog(func() {})
	long.left = 32 << 20
	_, err := log.ReadFrom(long)
	require.NoError(b, err)
	b.SetBytes(int64(log.Len()))
	for b.Loop() {
		_, err := Read(bytes.NewReader(log.Bytes()), Options{})
		require.NoError(b, err)
	}
}
