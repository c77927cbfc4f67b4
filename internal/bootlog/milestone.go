package bootlog

import "bytes"

// What a log says beside the calls, and what it tells of them.
var (
	bannerStart  = []byte("Linux version ")
	commandLine  = []byte("Kernel command line: ")
	runProcess   = []byte("Run /")
	asProcess    = []byte(" as init process")
	deferredRun  = []byte("Running do_deferred_initcalls()")
	droppedWords = []byte(" printk messages dropped")
)

// freeing are the lines with which the kernel leaves boot where it does not
// name the process that it starts (before 3.4 or so). A kernel with deferred
// initcalls frees init memory only after them.
var freeing = [][]byte{[]byte("Freeing unused kernel "), []byte("Freeing init memory")}

// troubles are beginnings, and insides, of lines that tell why a boot came no
// further.
var troubles = [][]byte{
	[]byte("Kernel panic - not syncing"), []byte("BUG: "), []byte("Oops"), []byte("Internal error: "),
	[]byte("Unable to handle kernel "), []byte("INFO: task "), []byte("watchdog: BUG: "), []byte("rcu: INFO: "),
	[]byte("general protection fault"),
}

// milestone takes what a message that is no event says.
func (l *Log) milestone(message []byte, t Time, line int) {
	if len(message) == 0 {
		return
	}
	switch message[0] {
	case 'K':
		if text, ok := bytes.CutPrefix(message, commandLine); ok && l.CommandLine == "" {
			l.CommandLine = string(text)
		}
	case 'R':
		if bytes.HasPrefix(message, runProcess) && bytes.HasSuffix(bytes.TrimSpace(message), asProcess) {
			l.userSpace(t, line, true)
		}
		if bytes.HasPrefix(message, deferredRun) {
			l.userSpace(t, line, false) // which asks for it
		}
	case 'F':
		for _, words := range freeing {
			if bytes.HasPrefix(message, words) {
				l.userSpace(t, line, false)
			}
		}
	case '*':
		// ** 123 printk messages dropped **
		if s := (scanner{bytes.TrimLeft(message, "* ")}); bytes.Contains(message, droppedWords) {
			if n, ok := s.number(); ok && n < 1<<31 {
				l.Dropped += int(n)
			}
		}
	case 'C':
		l.Dropped += lostEvents(message)
	}
	if l.Trouble != "" && l.TroubleLine > l.lastCall {
		return // what follows from it
	}
	for _, words := range troubles {
		if bytes.HasPrefix(message, words) {
			l.Trouble, l.TroubleLine = string(message), line
		}
	}
}

// userSpace notes when user space began. The line that names the process is
// the better one: what is freed may be freed later.
func (l *Log) userSpace(t Time, line int, named bool) {
	if l.UserLine == 0 || named && !l.userNamed {
		l.UserSpace, l.UserLine, l.userNamed = t, line, named
	}
}
