package bootlog

import (
	"bytes"
	"time"
)

// stamps are the times that one line bears, and its caller.
type stamps struct {
	boot, wall Time
	pid        int // of CONFIG_PRINTK_CALLER's [    T1], -1 without
}

// strip takes what stands before a kernel's message: the kernel's own level,
// time and caller, and what dmesg, syslog and journald put before them.
//
//	<6>[    0.043321][    T1] message
//	[    0.043321] [      T1] message                     dmesg of util-linux 2.40 on
//	6,339,43321,-,caller=T1;message                       /dev/kmsg
//	kern  :info  : [    0.043321] message                 dmesg -x
//	2026-11-21T23:10:01,043321+01:00 message              dmesg --time-format iso
//	[Sat Nov 21 23:10:01 2026] message                    dmesg -T
//	Nov 21 23:10:01 host kernel: [    0.043321] message   syslog, journalctl
//	Sat 2026-11-21 23:10:01 UTC host kernel: message      journalctl -o short-full
//	1795302601.043321 host kernel: message                journalctl -o short-unix
//	[    0.043321] host kernel: message                   journalctl -o short-monotonic
func strip(line []byte) (message []byte, st stamps) {
	st.pid = -1
	s := scanner{line}
	s.level()
	if !s.kmsg(&st) {
		s.facility()
		if wall, ok := s.wallTime(); ok {
			st.wall = wall
			s.host(2)
		} else if wall, ok := s.journalTime(); ok {
			st.wall = wall
		}
		s.level()
		s.facility()
		s.bracketed(&st)
	}
	return s.rest, st
}

// level takes "<6>".
func (s *scanner) level() bool {
	try := *s
	if !try.literal("<") {
		return false
	}
	if n, ok := try.number(); !ok || n > 999 || !try.literal(">") {
		return false
	}
	*s = try
	return true
}

// kmsg takes the head of a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
func (s *scanner) kmsg(st *stamps) bool {
	try := *s
	if _, ok := try.number(); !ok || !try.literal(",") {
		return false
	}
	if _, ok := try.number(); !ok || !try.literal(",") {
		return false
	}
	us, ok := try.number()
	if !ok || !try.literal(",") {
		return false
	}
	flags, ok := try.before(";")
	if !ok {
		return false
	}
	st.boot = at(us)
	if _, caller, ok := bytes.Cut(flags, []byte("caller=T")); ok {
		c := scanner{caller}
		if pid, ok := c.integer(); ok {
			st.pid = pid
		}
	}
	*s = try
	return true
}

// facility takes "kern  :debug : ".
func (s *scanner) facility() {
	try := *s
	if !try.literal("kern") {
		return
	}
	try.spaces()
	if !try.literal(":") {
		return
	}
	if level, ok := try.before(":"); ok && len(level) < 10 {
		try.spaces()
		*s = try
	}
}

// host takes "host kernel: ", only "kernel: ", or "host kern.debug kernel: ", of
// so many words before the last at most.
func (s *scanner) host(words int) bool {
	for _, mark := range []string{"kernel: ", "kernel[0]: "} {
		try := *s
		if host, ok := try.before(mark); ok && !bytes.Contains(host, []byte(": ")) && bytes.Count(host, []byte(" ")) <= words {
			*s = try
			return true
		}
	}
	return false
}

// bracketed takes "[    0.043321]" and the caller that may follow it, or a time
// of day in brackets.
func (s *scanner) bracketed(st *stamps) {
	try := *s
	if boot, ok := try.bootTime(); ok {
		st.boot = boot
		spaced := try
		spaced.literal(" ")
		if pid, ok := spaced.caller(); ok {
			st.pid = pid
			try = spaced
		}
		try.literal(" ")
		try.host(1)
		*s = try
		return
	}
	if !try.literal("[") {
		return
	}
	if day, ok := try.before("] "); ok {
		if t, err := time.Parse("Mon Jan _2 15:04:05 2006", string(day)); err == nil {
			st.wall = at(t.UnixMicro())
			*s = try
		}
	}
}

// bootTime takes "[    0.043321]", printk's "[%5lu.%06lu]", or dmesg -d's
// "[    0.043321 <    0.000012>]".
func (s *scanner) bootTime() (Time, bool) {
	try := *s
	if !try.literal("[") {
		return Time{}, false
	}
	try.spaces()
	sec, ok := try.number()
	if !ok || sec > 1<<40 || !try.literal(".") {
		return Time{}, false
	}
	us, ok := try.fraction()
	if !ok {
		return Time{}, false
	}
	if try.literal(" <") {
		if _, ok := try.before(">"); !ok {
			return Time{}, false
		}
	}
	try.spaces() // journalctl's first line has no difference, but room for it
	if !try.literal("]") {
		return Time{}, false
	}
	*s = try
	return at(sec*1e6 + us), true
}

// caller takes "[    T1]", a thread, or "[    C0]", a processor, for which it
// returns -1.
func (s *scanner) caller() (int, bool) {
	try := *s
	if !try.literal("[") {
		return 0, false
	}
	try.spaces()
	thread := try.literal("T")
	if !thread && !try.literal("C") {
		return 0, false
	}
	pid, ok := try.integer()
	if !ok || !try.literal("]") {
		return 0, false
	}
	*s = try
	if !thread {
		pid = -1
	}
	return pid, true
}

// wallTime takes a time of day and the space behind it.
func (s *scanner) wallTime() (Time, bool) {
	try := *s
	word, ok := try.before(" ")
	if !ok || len(word) < 3 {
		return Time{}, false
	}
	if digit(word[0]) {
		for _, layout := range isoLayouts {
			if t, err := time.Parse(layout, string(word)); err == nil {
				*s = try
				return at(t.UnixMicro()), true
			}
		}
		return Time{}, false
	}
	const day = len("Nov 21 23:10:01")
	if len(s.rest) <= day || s.rest[3] != ' ' || s.rest[9] != ':' {
		return Time{}, false
	}
	t, err := time.Parse(time.Stamp, string(s.rest[:day]))
	if err != nil {
		return Time{}, false
	}
	us := t.UnixMicro()
	try.rest = s.rest[day:]
	if try.literal(".") {
		fraction, ok := try.fraction()
		if !ok {
			return Time{}, false
		}
		us += fraction
	}
	if !try.literal(" ") {
		return Time{}, false
	}
	*s = try
	return at(us), true
}

// journalTime takes the times of journalctl that could as well be the beginning
// of a message, if the host follows.
func (s *scanner) journalTime() (Time, bool) {
	try := *s
	wall, ok := try.unixTime()
	if !ok {
		wall, ok = try.fullTime()
	}
	if !ok || !try.host(1) {
		return Time{}, false
	}
	*s = try
	return wall, true
}

// unixTime takes "1795302601.043321 ", and may take a part of what is none.
func (s *scanner) unixTime() (Time, bool) {
	sec, ok := s.number()
	if !ok || sec > 1<<40 || !s.literal(".") {
		return Time{}, false
	}
	us, ok := s.fraction()
	return at(sec*1e6 + us), ok && s.literal(" ")
}

// fullTime takes "Sat 2026-11-21 23:10:01 UTC ". The zone says nothing that a
// difference needs.
func (s *scanner) fullTime() (Time, bool) {
	const layout = "Mon 2006-01-02 15:04:05"
	if len(s.rest) < len(layout) || s.rest[3] != ' ' || s.rest[8] != '-' {
		return Time{}, false
	}
	t, err := time.Parse(layout, string(s.rest[:len(layout)]))
	if err != nil {
		return Time{}, false
	}
	s.rest = s.rest[len(layout):]
	if !s.literal(" ") {
		return Time{}, false
	}
	zone, ok := s.before(" ")
	return at(t.UnixMicro()), ok && len(zone) <= 6
}

// isoLayouts are the ISO 8601 forms of dmesg, journalctl and rsyslog. Parsing
// takes a fraction of the second, behind a point or a comma, by itself.
var isoLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05"}

// segments calls f for every part of a line: another writer's text, and each
// message that begins with the kernel's time. Two writers on one serial line
// share lines, and a carriage return lets one overwrite the other.
func segments(line []byte, f func([]byte)) {
	start := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\r':
			f(line[start:i])
			start = i + 1
		case '[':
			s := scanner{line[i:]}
			if _, ok := s.bootTime(); ok {
				if head := line[start:i]; foreign(head) {
					f(head)
					start = i
				}
				i += len(line[i:]) - len(s.rest) - 1
			}
		}
	}
	f(line[start:])
}

// foreign reports whether the text before a kernel's time is something else
// than its prefix.
func foreign(head []byte) bool {
	rest, st := strip(head)
	return len(bytes.TrimSpace(rest)) > 0 || st.boot.Known
}
