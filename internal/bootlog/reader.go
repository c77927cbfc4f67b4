package bootlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Options say what to read.
type Options struct {
	Boot int // which boot of a log that holds several, from 1; 0 is the last that calls anything
}

// ErrNoCalls means that a log has no line of initcall_debug.
var ErrNoCalls = errors.New("no initcall in the log")

const (
	// maxCalls bounds what is kept. Kernels have up to a few thousand initcalls.
	maxCalls = 1 << 18
	// samples is how many lines that could not be read are kept as examples.
	samples = 10
	// sampleLength bounds each.
	sampleLength = 200
)

// reader makes a log of lines.
type reader struct {
	opt    Options
	log    *Log
	asm    *assembler
	chosen *Log // of the boots before this one
	boots  int
	clock  clock
}

// Read reads a log, which may be compressed with gzip.
func Read(r io.Reader, opt Options) (*Log, error) {
	text, err := unpack(r)
	if err != nil {
		return nil, err
	}
	rd := &reader{opt: opt}
	rd.begin()
	input := lines{text: text}
	for {
		line, err := input.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := rd.line(line, input.number); err != nil {
			return nil, err
		}
	}
	return rd.finish(input.number)
}

// begin starts another boot.
func (rd *reader) begin() {
	rd.log = &Log{Boot: rd.boots, Clock: ClockNone}
	rd.asm = newAssembler(rd.log)
	rd.clock = clock{}
}

// end closes a boot, and keeps it if it is the one that was asked for.
func (rd *reader) end() {
	rd.asm.finish()
	if rd.log.TroubleLine < rd.log.lastCall {
		rd.log.Trouble, rd.log.TroubleLine = "", 0 // the boot survived it
	}
	rd.log.Boot = max(rd.boots, 1)
	if rd.opt.Boot == rd.log.Boot || rd.opt.Boot == 0 && (rd.asm.speaks() || rd.chosen == nil) {
		rd.chosen = rd.log
	}
}

func (rd *reader) finish(lines int) (*Log, error) {
	rd.end()
	boots := max(rd.boots, 1)
	if rd.chosen == nil {
		return nil, fmt.Errorf("no boot %d: the log holds %d", rd.opt.Boot, boots)
	}
	l := rd.chosen
	l.Boots, l.Lines = boots, lines
	if len(l.Calls) == 0 {
		if l.Unreadable > 0 {
			return nil, fmt.Errorf("%w, but %d lines speak of one and cannot be read: line %d is %q",
				ErrNoCalls, l.Unreadable, l.Samples[0].Line, l.Samples[0].Text)
		}
		return nil, ErrNoCalls
	}
	return l, nil
}

var (
	wordCall = []byte("call")
	wordTime = []byte(" usec") // the end of every line with a duration
)

// line takes one line. Few lines are of interest, and what finds that out must
// be cheap.
func (rd *reader) line(line []byte, number int) error {
	if bytes.Contains(line, wordCall) || bytes.Contains(line, wordTime) || bytes.Contains(line, bannerStart) {
		segments(line, func(part []byte) { rd.message(part, number, true) })
	} else {
		rd.message(line, number, false)
	}
	if rd.asm.count() > maxCalls {
		return fmt.Errorf("line %d: more than %d calls in one boot: not a log of initcalls", number, maxCalls)
	}
	return nil
}

// backwards is by how much more the kernel's clock does not go back within one
// boot, in microseconds. Processors disagree by far less.
const backwards = 1_000_000

// message takes what may be a message of the kernel.
func (rd *reader) message(part []byte, number int, maybe bool) {
	message, st := strip(part)
	if bytes.HasPrefix(message, bannerStart) {
		rd.banner(message, st)
	}
	last := rd.log.Last
	now := rd.clock.tell(rd.log, st)
	if back := now.Until(last); rd.log.Clock == ClockBoot && back.US > backwards && rd.log.BackLine == 0 {
		rd.log.Back, rd.log.BackLine = back, number
	}
	e, v := event{}, other
	if maybe {
		e, v = parseEvent(message)
	}
	switch v {
	case known:
		if e.source == SourceFtrace && e.time.Known {
			now = rd.clock.tell(rd.log, stamps{boot: e.time})
		}
		if e.pid < 0 && e.kind != calling {
			e.pid = st.pid
		}
		e.time, e.line = now, number
		rd.asm.add(&e)
	case unreadable:
		rd.log.unreadable(part, number)
	default:
		rd.log.milestone(message, now, number)
	}
}

// banner begins another boot if time starts again: several boots follow one
// another in syslog's files. User space may print the kernel's banner, too,
// which begins none.
func (rd *reader) banner(message []byte, st stamps) {
	l := rd.log
	again := rd.asm.speaks() || l.Banner != ""
	if l.Clock == ClockBoot {
		if !st.boot.Known {
			return
		}
		again = st.boot.US < l.Last.US
	}
	if again {
		rd.end()
		rd.boots = max(rd.boots, 1) + 1
		rd.begin()
	}
	if rd.log.Banner == "" {
		rd.log.Banner = string(bytes.TrimSpace(message))
	}
}

func (l *Log) unreadable(part []byte, number int) {
	l.Unreadable++
	if len(l.Samples) < samples {
		text := part[:min(len(part), sampleLength)]
		l.Samples = append(l.Samples, Unreadable{number, string(bytes.ToValidUTF8(text, []byte("?")))})
	}
}

// clock makes the times of a log comparable: those of the kernel's own clock as
// they are, those of day counted from the first. A line with only the other
// kind of time has none.
type clock struct {
	zero Time // of the wall clock
}

func (c *clock) tell(l *Log, st stamps) Time {
	if l.Clock == ClockNone {
		switch {
		case st.boot.Known:
			l.Clock = ClockBoot
		case st.wall.Known:
			l.Clock, c.zero = ClockWall, st.wall
		}
	}
	var now Time
	switch l.Clock {
	case ClockBoot:
		now = st.boot
	case ClockWall:
		now = c.zero.Until(st.wall)
	}
	if now.Known {
		if !l.First.Known {
			l.First = now
		}
		l.Last = now
	}
	return now
}
