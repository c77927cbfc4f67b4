package bootlog

import "bytes"

// Messages of kernels up to 2.6.24, and of a vendor's tree. Those name the
// address too, and the function with or without offset and size:
//
//	Calling initcall 0xc03d1a0a: con_init+0x0/0x250()
//	initcall 0xc03d1a0a: con_init+0x0/0x250() returned 0.
//	initcall 0xc03d1a0a ran for 3 msecs: con_init+0x0/0x250()
//	initcall at 0xc03d1a0a: con_init+0x0/0x250(): returned with error code -16

func (s *scanner) oldAddress() (uint64, bool) {
	if !s.literal("0x") {
		return 0, false
	}
	return s.hex()
}

// oldFunction takes "fn+0x0/0x10()" or "fn()".
func (s *scanner) oldFunction() (Function, bool) {
	f, ok := s.symbol()
	if !ok {
		name, found := s.run(nameByte)
		f, ok = Function{Name: string(name)}, found
	}
	return f, ok && s.literal("()")
}

func (e *event) parseOldCalling(s *scanner) verdict {
	address, ok := s.oldAddress()
	if !ok {
		return other
	}
	if s.literal(": ") {
		if e.function, ok = s.oldFunction(); !ok {
			return other
		}
	}
	e.kind, e.old, e.function.Address = calling, true, address
	e.mended = !s.ends()
	return known
}

func (e *event) parseOldInitcall(s *scanner) verdict {
	try := *s
	address, ok := try.oldAddress()
	if !ok {
		return other
	}
	switch {
	case try.literal(": "):
		if e.function, ok = try.oldFunction(); !ok || !try.literal(" returned ") {
			return other
		}
		if e.code, ok = try.integer(); !ok || !try.literal(".") {
			return other
		}
		e.kind, e.hasCode = returned, true
	case try.literal(" ran for "):
		n, ok := try.number()
		if !ok || n > maxDuration/1000 || !try.literal(" msecs: ") {
			return other
		}
		if e.function, ok = try.oldFunction(); !ok {
			return other
		}
		e.kind, e.units, e.duration = ranFor, 1000, at(n*1000)
	default:
		return other
	}
	e.function.Address = address
	e.mended = !try.ends()
	return known
}

func (e *event) parseOldRemark(s *scanner) verdict {
	address, ok := s.oldAddress()
	if !ok || !s.literal(": ") {
		return other
	}
	if e.function, ok = s.oldFunction(); !ok || !s.literal(": returned with ") {
		return other
	}
	e.kind, e.function.Address = remarked, address
	e.text = string(bytes.TrimSpace(s.rest))
	return known
}

// parseUserCall reads LG's "Calling user_initcall fn group : g", after which it
// calls the function and says no more.
func (e *event) parseUserCall(s *scanner) verdict {
	name, ok := s.run(nameByte)
	if !ok {
		return other
	}
	e.function.Name = string(name)
	if s.literal(" group : ") {
		e.group = string(bytes.TrimSpace(s.rest))
	}
	e.kind, e.unlogged = calling, true
	return known
}
