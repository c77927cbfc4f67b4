package bootlog

import "bytes"

type eventKind int

const (
	calling     eventKind = iota + 1 // a call is announced
	returned                         // it is back
	ranFor                           // 2.6.24: how long it took, in a line of its own
	remarked                         // the kernel found something wrong after it
	blacklisted                      // it was not called
	levelBegins                      // a level begins
	probed                           // a device was probed
	waited                           // a thread waited for asynchronous calls
)

// event is what one message says.
type event struct {
	kind     eventKind
	source   Source
	function Function
	cookie   string
	group    string
	pid      int // -1 if not known
	code     int
	hasCode  bool
	duration Time
	units    int64  // microseconds in a unit of the duration
	text     string // a level, a device, a remark
	mended   bool   // the message was torn behind what it says
	unlogged bool   // no line will tell of the return
	old      bool   // of a kernel that may be too old to tell of it
	time     Time
	line     int
}

// verdict is what a message is.
type verdict int

const (
	other      verdict = iota // it does not speak of initcalls
	known                     // an event was read
	unreadable                // it speaks of an initcall, and cannot be read
)

// parseEvent reads a message without its prefix.
func parseEvent(message []byte) (event, verdict) {
	e := event{pid: -1, source: SourcePrintk}
	s := scanner{message}
	v := other
	switch {
	case s.literal("calling "):
		v = e.parseCalling(&s)
	case s.literal("Calling initcall "):
		v = e.parseOldCalling(&s)
	case s.literal("Calling user_initcall "):
		v = e.parseUserCall(&s)
	case s.literal("initcall at "):
		v = e.parseOldRemark(&s)
	case s.literal("initcall "):
		v = e.parseInitcall(&s)
	case s.literal("entering initcall level: "):
		e.kind, e.text, v = levelBegins, string(s.rest), known
	case s.literal("probe of "):
		v = e.parseProbe(&s)
	case s.literal("probe "):
		v = e.parseDriverProbe(&s)
	case s.literal("async_continuing @ "):
		v = e.parseWait(&s)
	default:
		if ev, ftrace := parseTrace(message); ftrace != other {
			return ev, ftrace
		}
	}
	if v == other && speaks(message) {
		return embedded(message)
	}
	return e, v
}

// embedded reads a message behind another writer's text, or behind a prefix
// that is not known, if it is there as a whole.
//
//	login: calling  con_init+0x0/0x250 @ 0
//	[0:      swapper/0:    1] calling  con_init+0x0/0x250 @ 0      a vendor's printk
func embedded(message []byte) (event, verdict) {
	for _, word := range [][]byte{wordCalling, wordInitcall} {
		if i := bytes.LastIndex(message, word); i > 0 {
			if quirk(message[:i]) {
				return event{}, other
			}
			if e, v := parseEvent(message[i:]); v == known && !e.mended {
				return e, known
			}
		}
	}
	return event{}, unreadable
}

// quirk reports whether what stands before a call ends with the address of a
// PCI device, "0000:00:01.3: ": the call is of that device's quirk.
func quirk(head []byte) bool {
	address, ok := bytes.CutSuffix(head, []byte(": "))
	address = address[bytes.LastIndexByte(address, ' ')+1:]
	s := scanner{address[bytes.LastIndexByte(address, ']')+1:]}
	if domain, hex := s.run(hexDigit); !ok || !hex || len(domain) < 4 || !s.literal(":") {
		return false
	}
	if bus, hex := s.run(hexDigit); !hex || len(bus) != 2 || !s.literal(":") {
		return false
	}
	device, hex := s.run(hexDigit)
	return hex && len(device) == 2 && s.literal(".") && len(s.rest) == 1
}

var (
	wordCalling  = []byte("calling  ")
	wordInitcall = []byte("initcall ")
	wordReturned = []byte(" returned ")
	wordTook     = []byte(" usecs")
	wordSymbol   = []byte("+0x")
)

// speaks reports whether a message that is no event must have been one, or a
// part of one. Calls of PCI quirks, and of a device's suspension, begin with
// the device's name.
//
//	pci 0000:00:01.3: calling  quirk_piix4_acpi+0x0/0x1e0 @ 1
//	call 0000:00:1f.2+ returned 0 after 5 usecs
func speaks(message []byte) bool {
	if i := indexWord(message, wordCalling); i >= 0 {
		head, device := bytes.CutSuffix(message[:i], []byte(": "))
		return !device || len(bytes.Fields(head)) != 2
	}
	if i := indexWord(message, wordInitcall); i >= 0 {
		rest := message[i:]
		return bytes.Contains(rest, wordSymbol) || bytes.Contains(rest, wordReturned)
	}
	return bytes.Contains(message, wordReturned) && bytes.Contains(message, wordTook) &&
		!bytes.HasPrefix(message, []byte("call ")) && !bytes.Contains(message, []byte(": "))
}

// indexWord finds a word that is not the end of a longer one: do_one_initcall
// stands in every trace of a stack.
func indexWord(message, word []byte) int {
	for from := 0; ; {
		i := bytes.Index(message[from:], word)
		if i < 0 {
			return -1
		}
		if i += from; i == 0 || !nameByte(message[i-1]) {
			return i
		}
		from = i + 1
	}
}

// function takes "name+0x0/0x10 [module]", "0xffffffff81000000", or, from old
// kernels, an address without 0x.
func (s *scanner) function() (Function, bool) {
	if f, ok := s.symbol(); ok {
		return f, true
	}
	try := *s
	prefixed := try.literal("0x")
	word := len(try.rest)
	address, ok := try.hex()
	if word -= len(try.rest); !ok || !prefixed && word != 8 && word != 16 || address == 0 {
		return Function{}, false
	}
	f := Function{Address: address}
	f.Module = try.module()
	*s = try
	return f, true
}

func nameByte(c byte) bool {
	return digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.' || c == '$'
}

func (s *scanner) symbol() (Function, bool) {
	try := *s
	name, ok := try.run(nameByte)
	if !ok || !try.literal("+0x") {
		return Function{}, false
	}
	f := Function{Name: string(name)}
	if f.Offset, ok = try.hex(); !ok || !try.literal("/0x") {
		return Function{}, false
	}
	if f.Size, ok = try.hex(); !ok {
		return Function{}, false
	}
	f.Module = try.module()
	*s = try
	return f, true
}

// module takes " [module]".
func (s *scanner) module() string {
	try := *s
	if !try.literal(" [") {
		return ""
	}
	name, ok := try.run(func(c byte) bool { return c > ' ' && c != ']' })
	if !ok || !try.literal("]") {
		return ""
	}
	*s = try
	return string(name)
}

// splitCookie takes the number off an asynchronous call's name: "7_do_scan".
func (e *event) splitCookie() {
	name := e.function.Name
	n := 0
	for n < len(name) && digit(name[n]) {
		n++
	}
	if n > 0 && n < len(name)-1 && name[n] == '_' {
		e.cookie, e.function.Name = name[:n], name[n+1:]
	}
}
