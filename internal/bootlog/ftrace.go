package bootlog

import "bytes"

// Events of ftrace's text (trace, trace_pipe, trace-cmd report), and of
// tp_printk, which prints them without their head:
//
//	swapper/0-1     [000] .....     0.043321: initcall_level: level=early
//	swapper/0-1     [000] .....     0.043322: initcall_start: func=con_init+0x0/0x250
//	swapper/0-1     [000] .....     0.043340: initcall_finish: func=con_init+0x0/0x250 ret=0
//	  modprobe-643  (    643) [006] .....    26.737355: initcall_start: func=x_init+0x0/0x30 [x]
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
	if e.kind == 0 || i > 0 && !e.parseHead(line[:i]) {
		return e, other
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

// parseHead reads "comm-pid [cpu] flags time: ". The command's name may hold
// anything, so it is read from its end.
func (e *event) parseHead(head []byte) bool {
	head = bytes.TrimRight(head, " \t")
	if len(head) == 0 || head[len(head)-1] != ':' {
		return false
	}
	fields := bytes.Fields(head[:len(head)-1])
	if len(fields) < 3 {
		return false
	}
	s := scanner{fields[len(fields)-1]}
	sec, ok := s.number()
	if !ok || sec > 1<<40 {
		return false
	}
	if s.literal(".") { // else a trace clock that counts something else than seconds
		us, ok := s.fraction()
		if !ok {
			return false
		}
		e.time = at(sec*1e6 + us)
	}
	cpu := bytes.LastIndex(head, []byte(" ["))
	if cpu < 0 {
		return false
	}
	task := bytes.TrimRight(head[:cpu], " ")
	if i := bytes.LastIndexByte(task, '('); i > 0 && task[len(task)-1] == ')' {
		task = bytes.TrimRight(task[:i], " ") // record-tgid's column
	}
	dash := bytes.LastIndexByte(task, '-')
	if dash < 0 {
		return false
	}
	p := scanner{task[dash+1:]}
	pid, ok := p.integer()
	if ok && len(p.rest) == 0 {
		e.pid = pid
	}
	return ok
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
