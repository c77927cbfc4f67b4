package bootlog

import "bytes"

// Messages of 2.6.25 and later.

// parseCalling reads what follows "calling ":
//
//	calling  init_hw_perf_events+0x0/0x700 @ 1
//	calling  7_do_scan_async+0x0/0x20 @ 66          an asynchronous function
//	calling  usb1+ @ 1234, parent: 0000:00:1d.0     a device is suspended: no call
func (e *event) parseCalling(s *scanner) verdict {
	s.spaces()
	e.kind = calling
	f, ok := s.function()
	if !ok {
		if bytes.Contains(s.rest, []byte(", parent: ")) {
			e.kind = 0
			return known
		}
		return other
	}
	e.function = f
	e.splitCookie()
	if s.literal(" @ ") {
		if pid, ok := s.integer(); ok {
			e.pid = pid
		}
	}
	e.mended = !s.ends()
	if e.pid < 0 {
		e.function.Size = 0 // the line may end within it
	}
	return known
}

// ends reports whether nothing but white space is left.
func (s *scanner) ends() bool { return len(bytes.TrimSpace(s.rest)) == 0 }

// parseInitcall reads what follows "initcall ":
//
//	initcall con_init+0x0/0x250 returned 0 after 12 usecs
//	initcall con_init+0x0/0x250 returned 0 after 1 msecs      2.6.27
//	initcall 7_do_scan_async+0x0/0x20 returned after 9 usecs
//	initcall con_init+0x0/0x250 returned with preemption imbalance
//	initcall con_init blacklisted
//	initcall 0xc04f2a3b: con_init+0x0/0x250() returned 0.     2.6.24
//	initcall 0xc04f2a3b ran for 3 msecs: con_init+0x0/0x250()
func (e *event) parseInitcall(s *scanner) verdict {
	if v := e.parseOldInitcall(s); v != other {
		return v
	}
	f, ok := s.function()
	if !ok {
		return e.parseBlacklisted(s)
	}
	e.function = f
	e.splitCookie()
	if s.literal(" returned with ") {
		e.kind, e.text = remarked, string(bytes.TrimSpace(s.rest))
		return known
	}
	if !s.literal(" returned ") {
		return other
	}
	if !e.outcome(s) {
		return other
	}
	e.kind = returned
	e.mended = !s.ends()
	return known
}

// maxDuration is the longest time that a call is believed to have taken, in
// microseconds: twelve days. The sum of all calls of a log fits 64 bits.
const maxDuration = 1 << 40

// outcome takes "0 after 12 usecs", with or without the 0.
func (e *event) outcome(s *scanner) bool {
	if code, ok := s.integer(); ok {
		e.code, e.hasCode = code, true
		s.literal(" ")
	}
	if !s.literal("after ") {
		return false
	}
	n, ok := s.number()
	if !ok || n > maxDuration {
		return false
	}
	switch {
	case s.literal(" usecs"), s.literal(" usec"):
		e.units = 1
	case s.literal(" msecs"):
		e.units = 1000
	default:
		return false
	}
	if n *= e.units; n > maxDuration {
		return false
	}
	e.duration = at(n)
	return true
}

// parseBlacklisted reads "con_init blacklisted".
func (e *event) parseBlacklisted(s *scanner) verdict {
	name, ok := s.run(nameByte)
	if !ok || !s.literal(" blacklisted") || !s.ends() {
		return other
	}
	e.kind, e.function.Name = blacklisted, string(name)
	return known
}

// parseProbe reads what follows "probe of ", where the device's name may hold
// anything:
//
//	probe of 0000:00:01.1 returned 0 after 34528 usecs
func (e *event) parseProbe(s *scanner) verdict {
	i := bytes.LastIndex(s.rest, wordReturned)
	if i < 0 {
		return other
	}
	e.kind, e.text = probed, string(s.rest[:i])
	s.rest = s.rest[i+len(wordReturned):]
	if !e.outcome(s) {
		// Drivers speak of failed probes in words like these.
		e.kind = 0
	}
	return known
}

// parseDriverProbe reads what follows "probe " in kernels that name the driver:
//
//	piix_init_one in driver ata_piix for device 0000:00:01.1 returned 0 after 34528 usecs
func (e *event) parseDriverProbe(s *scanner) verdict {
	if _, ok := s.before(" for device "); !ok {
		return other
	}
	return e.parseProbe(s)
}

// parseWait reads what follows "async_continuing @ ": "1 after 4321 usec".
func (e *event) parseWait(s *scanner) verdict {
	pid, ok := s.integer()
	if !ok || !s.literal(" ") || !e.outcome(s) {
		return other
	}
	e.kind, e.pid = waited, pid
	return known
}
