package symbols

import (
	"slices"
	"strconv"
	"strings"
)

// EntryName is what the name of an entry symbol says about its initcall.
//
// The forms, oldest first (include/linux/init.h of the versions named):
//
//	__initcall_<fn>                                     2.6.11; console and security through 5.11
//	__initcall_<fn><id>                                 2.6.20 to 5.11
//	__initcall_<counter>_<line>_<fn><id>                Android's LTO trees before 5.12
//	__initcall__kmod_<module>__<counter>_<line>_<fn><id>  5.12 on
//
// Deferred-initcall patches add __deferred_initcall_<fn> (Sony) and
// __initcall_group_<fn> (LG); Rust's module! macro writes __<name>_initcall.
type EntryName struct {
	Function string // the C function that was registered
	ID       string // "early", "0" … "7s", "rootfs", "con", "deferred"; "" where the macro wrote none
	Module   string // KBUILD_MODNAME; "" before 5.12
	Line     int    // source line of the macro; 0 where the name has none

	Rust bool // written by module!, which may register a function of any name

	// Ambiguous means that the name alone cannot tell the function: with no
	// mark between the two, __initcall_ip_auto_config1 may be ip_auto_config
	// at level 1 or ip_auto_config1 without an id.
	Ambiguous bool
}

const (
	// EntryPrefix begins the names of all entry symbols but Sony's and Rust's.
	EntryPrefix = "__initcall_"

	sonyEntryPrefix  = "__deferred_initcall_"
	lgGroupPrefix    = "__initcall_group_"
	kmodMark         = "_kmod_"
	ltoStubPrefix    = "__initstub_"
	rustEntrySuffix  = "_initcall"
	rustInitSuffix   = "_init"
	doubleUnderscore = "__"
)

// IsEntryName reports whether name has the form of an entry symbol. Rust's
// __<name>_initcall has it too; boundary symbols do not.
func IsEntryName(name string) bool {
	return isCEntryName(name) && !isBoundaryName(name) || len(name) > len(doubleUnderscore+rustEntrySuffix) &&
		strings.HasPrefix(name, doubleUnderscore) && strings.HasSuffix(name, rustEntrySuffix)
}

func isCEntryName(name string) bool {
	return strings.HasPrefix(name, EntryPrefix) || strings.HasPrefix(name, sonyEntryPrefix)
}

// isBoundaryName reports whether name is exactly that of a table's edge. A
// function may well be called foo_start, so the ending alone says nothing.
func isBoundaryName(name string) bool {
	switch name {
	case EntryPrefix + "start", EntryPrefix + "end", sonyEntryPrefix + "start", sonyEntryPrefix + "end":
		return true
	}
	return false
}

// ParseEntry takes the name of an entry symbol apart. functions are the names
// known at the entry's target; they settle the forms that are ambiguous by
// themselves and may be nil. ok is false if name is no entry symbol's.
func ParseEntry(name string, functions []string) (e EntryName, ok bool) {
	if !IsEntryName(name) {
		return EntryName{}, false
	}
	if rest, found := strings.CutPrefix(name, sonyEntryPrefix); found {
		return EntryName{Function: rest}, true
	}
	rest, found := strings.CutPrefix(name, EntryPrefix)
	if !found {
		return parseRustEntry(name), true
	}
	if kmod, isKmod := strings.CutPrefix(rest, kmodMark); isKmod {
		if e, ok := parseKmod(kmod, parseCounted); ok {
			return e, true
		}
		ownID := func(s string) (EntryName, bool) { return parseOwnID(s, functions) }
		if e, ok := parseKmod(kmod, ownID); ok {
			return e, true
		}
	}
	if e, ok := parseCounted(rest); ok {
		return e, true
	}
	return parsePlain(name, rest, functions), true
}

// ParseStub takes apart the name of the global wrapper that a clang LTO build
// registers in place of a static function:
// __initstub__kmod_<module>__<counter>_<line>_<fn><id>.
func ParseStub(name string) (e EntryName, ok bool) {
	rest, found := strings.CutPrefix(name, ltoStubPrefix+kmodMark)
	if !found {
		return EntryName{}, false
	}
	return parseKmod(rest, parseCounted)
}

// parseKmod reads <module>__<counter>_<line>_<fn><id>. A module's name may
// hold "__" itself, so the first place where the rest fits is taken.
func parseKmod(s string, parseRest func(string) (EntryName, bool)) (EntryName, bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], doubleUnderscore)
		if i < 0 {
			return EntryName{}, false
		}
		i += from
		if e, ok := parseRest(s[i+len(doubleUnderscore):]); ok && i > 0 {
			e.Module = s[:i]
			return e, true
		}
		from = i + 1
	}
}

// parseCounted reads <counter>_<line>_<fn><id>.
func parseCounted(s string) (EntryName, bool) {
	line, rest, ok := cutCounted(s)
	if !ok {
		return EntryName{}, false
	}
	fn, id := cutID(rest)
	if id == "" {
		return EntryName{}, false
	}
	return EntryName{Function: fn, ID: id, Line: line}, true
}

// parseOwnID reads <counter>_<line>_<fn><id> with a number for an id that no
// kernel of the mainline has: 8, 9s. Where it begins only the functions' names
// can tell.
func parseOwnID(s string, functions []string) (EntryName, bool) {
	line, rest, ok := cutCounted(s)
	if fn, id := cutOwnID(rest, functions); ok && id != "" {
		return EntryName{Function: fn, ID: id, Line: line}, true
	}
	digits := strings.TrimSuffix(rest, "s")
	if !ok || digits == "" || !isDigits(digits[len(digits)-1:]) {
		return EntryName{}, false
	}
	return EntryName{Function: rest, Line: line, Ambiguous: true}, true
}

// cutOwnID splits a number off the end of <fn><id>, fn being the longest of the
// functions that fits; both are "" if none does.
func cutOwnID(s string, functions []string) (fn, id string) {
	digits := strings.TrimSuffix(s, "s")
	for _, f := range functions {
		if len(f) > len(fn) && len(f) < len(digits) && strings.HasPrefix(digits, f) && isDigits(digits[len(f):]) {
			fn, id = f, s[len(f):]
		}
	}
	return fn, id
}

// cutCounted cuts <counter>_<line>_ off.
func cutCounted(s string) (line int, rest string, ok bool) {
	counter, rest, _ := strings.Cut(s, "_")
	digits, rest, found := strings.Cut(rest, "_")
	line, err := strconv.Atoi(digits)
	return line, rest, found && rest != "" && err == nil && isDigits(counter) && isDigits(digits)
}

// parsePlain reads <fn><id> or <fn>, which only the target's own name can
// tell apart where <fn> ends like an id.
func parsePlain(name, rest string, functions []string) EntryName {
	fn, id := cutID(rest)
	whole := slices.Contains(functions, rest)
	cut := id != "" && slices.Contains(functions, fn)
	switch {
	case cut:
		return EntryName{Function: fn, ID: id, Ambiguous: whole}
	case whole:
		return EntryName{Function: rest}
	}
	if fn, id := cutOwnID(rest, functions); fn != "" && id != "" {
		return EntryName{Function: fn, ID: id}
	}
	if group, ok := strings.CutPrefix(name, lgGroupPrefix); ok && slices.Contains(functions, group) {
		return EntryName{Function: group}
	}
	if id != "" {
		return EntryName{Function: fn, ID: id, Ambiguous: true}
	}
	return EntryName{Function: rest}
}

func parseRustEntry(name string) EntryName {
	module := strings.TrimSuffix(strings.TrimPrefix(name, doubleUnderscore), rustEntrySuffix)
	// rust/macros/module.rs puts every module! into .initcall6.init.
	return EntryName{Function: doubleUnderscore + module + rustInitSuffix, ID: "6", Module: module, Rust: true}
}

// cutID splits the level id off the end of <fn><id>. Read from the end the id
// is unique: no id is the tail of another, and a bare "s" is never one. fn is
// never empty; id is "" if s ends in none.
func cutID(s string) (fn, id string) {
	for _, word := range []string{"early", "rootfss", "rootfs", "con", "deferred"} {
		if fn, ok := strings.CutSuffix(s, word); ok && fn != "" {
			return fn, word
		}
	}
	digits := strings.TrimSuffix(s, "s")
	if n := len(digits); n > 1 && digits[n-1] >= '0' && digits[n-1] <= '7' {
		return s[:n-1], s[n-1:]
	}
	return s, ""
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
