package bootlog

import (
	"bytes"
	"strconv"
)

// scanner takes a text apart from the left. Each method takes what it is named
// for and returns false, taking nothing, if that is not there.
type scanner struct{ rest []byte }

func (s *scanner) literal(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) spaces() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t') {
		s.rest = s.rest[1:]
	}
}

func digit(c byte) bool    { return '0' <= c && c <= '9' }
func hexDigit(c byte) bool { return digit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// run takes the bytes that belong to a class, at least one.
func (s *scanner) run(in func(byte) bool) ([]byte, bool) {
	n := 0
	for n < len(s.rest) && in(s.rest[n]) {
		n++
	}
	taken := s.rest[:n]
	s.rest = s.rest[n:]
	return taken, n > 0
}

// number takes a decimal number that fits 18 digits.
func (s *scanner) number() (int64, bool) {
	before := s.rest
	digits, ok := s.run(digit)
	if !ok || len(digits) > 18 {
		s.rest = before
		return 0, false
	}
	var n int64
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// integer takes a decimal number with or without a sign that fits an int32, as
// the kernel's ints do.
func (s *scanner) integer() (int, bool) {
	before := s.rest
	negative := s.literal("-")
	n, ok := s.number()
	if !ok || n > 1<<31 {
		s.rest = before
		return 0, false
	}
	if negative {
		n = -n
	}
	return int(n), true
}

// hex takes a number in hexadecimal digits that fits 64 bits.
func (s *scanner) hex() (uint64, bool) {
	before := s.rest
	digits, ok := s.run(hexDigit)
	if !ok || len(digits) > 16 {
		s.rest = before
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits), 16, 64)
	return n, err == nil
}

// fraction takes up to 9 digits behind a point, as microseconds.
func (s *scanner) fraction() (int64, bool) {
	before := s.rest
	digits, ok := s.run(digit)
	if !ok || len(digits) > 9 {
		s.rest = before
		return 0, false
	}
	var us int64
	for i := range 6 {
		us *= 10
		if i < len(digits) {
			us += int64(digits[i] - '0')
		}
	}
	return us, true
}

// before takes the text up to and with a mark.
func (s *scanner) before(mark string) ([]byte, bool) {
	text, rest, ok := bytes.Cut(s.rest, []byte(mark))
	if ok {
		s.rest = rest
	}
	return text, ok
}
