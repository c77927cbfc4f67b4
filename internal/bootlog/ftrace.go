package bootlog

import "bytes"

// Events of ftrace's text: the files trace and trace_pipe, trace-cmd report,
// and the dump of ftrace_dump_on_oops, which counts microseconds. tp_printk
// prints them without a head.
//
//	swapper/0-1     [000] .....     0.043320: initcall_level: level=early
//	swapper/0-1     [000] .....     0.043321: initcall_start: func=con_init+0x0/0x250
//	swapper/0-1     [000] .....     0.043340: initcall_finish: func=con_init+0x0/0x250 ret=0
//	  modprobe-643  (    643) [006] .....    26.737355: initcall_start: func=x_init+0x0/0x30 [x]
//	swapper/-1         0..... 43321us : initcall_start: func=con_init+0x0/0x250
var traceEvents = []struct {
	name string
	kind eventKind
}{
	{"initcall_start:", calling},
	{"initcall_finish:", returned},
	{"initcall_level:", levelBegins},
}

var initcallWord = []byte("initcall_")

// parseTrace reads a line of ftrace. One that is none is other.
func parseTrace(line []byte) (event, verdict) {
	e := event{pid: -1, source: SourceFtrace}
	i := bytes.Index(line, initcallWord)
	if i < 0 {
		return e, other
	}
	s := scanner{line[i:]}
	for _, t := range traceEvents {
		if s.literal(t.name) {
			e.kind = t.kind
		}
	}
	if e.kind == 0 {
		return e, other
	}
	if i == 0 {
		e.source = SourceTpPrintk
	} else if !e.parseHead(line[:i]) {
		return e, unreadable
	}
	s.spaces()
	if e.kind == levelBegins {
		level, ok := scanAfter(&s, "level=").run(nameByte)
		if !ok {
			return e, unreadable
		}
		e.text = string(level)
		return e, known
	}
	f, ok := scanAfter(&s, "func=").function()
	if !ok {
		return e, unreadable
	}
	e.function = f
	if e.kind == returned {
		s.spaces()
		if e.code, e.hasCode = scanAfter(&s, "ret=").integer(); !e.hasCode {
			return e, unreadable
		}
	}
	e.mended = !s.ends()
	return e, known
}

// scanAfter takes a key that may be there.
func scanAfter(s *scanner, key string) *scanner {
	s.literal(key)
	return s
}

// parseHead reads what stands before an event. The command's name may hold
// anything, so it is read from its end.
func (e *event) parseHead(head []byte) bool {
	head, ok := bytes.CutSuffix(bytes.TrimRight(head, " \t"), []byte(":"))
	fields := bytes.Fields(head)
	if !ok || len(fields) < 3 {
		return false
	}
	s := scanner{fields[len(fields)-1]}
	n, ok := s.number()
	if !ok || n > 1<<40 {
		return false
	}
	task, found := beforeLast(head, " [")
	switch {
	case s.literal("us"): // a dump: "comm-pid 0...1. 43321us "
		e.time = at(n)
		task, found = bytes.Join(fields[:len(fields)-2], []byte(" ")), true
	case s.literal("."): // else a trace clock that counts something else than seconds
		us, ok := s.fraction()
		if !ok {
			return false
		}
		e.time = at(n*1e6 + us)
	}
	return found && len(s.rest) == 0 && e.parseTask(task)
}

// beforeLast returns what stands before the last of some marks.
func beforeLast(text []byte, mark string) ([]byte, bool) {
	i := bytes.LastIndex(text, []byte(mark))
	return text[:max(i, 0)], i >= 0
}

// parseTask reads "comm-pid", or "comm-pid (tgid)".
func (e *event) parseTask(task []byte) bool {
	task = bytes.TrimRight(task, " ")
	if bytes.HasSuffix(task, []byte(")")) {
		task, _ = beforeLast(task, "(")
		task = bytes.TrimRight(task, " ")
	}
	dash := bytes.LastIndexByte(task, '-')
	p := scanner{task[dash+1:]}
	pid, ok := p.integer()
	if dash < 0 || !ok || len(p.rest) > 0 {
		return false
	}
	e.pid = pid
	return true
}

// lostEvents reads "CPU:0 [LOST 123 EVENTS]".
func lostEvents(line []byte) int {
	s := scanner{line}
	if !s.literal("CPU:") {
		return 0
	}
	if _, ok := s.number(); !ok || !s.literal(" [LOST ") {
		return 0
	}
	n, ok := s.number()
	if !ok || n > 1<<31 {
		return 0
	}
	return int(n)
}
