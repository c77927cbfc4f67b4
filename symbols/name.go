package symbols

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// DisplayName returns the function that a linker-level name stands for, and
// "" is never returned for a name that is not empty:
//
//   - __initstub__kmod_core__376_2214_init_hw_perf_eventsearly, the wrapper of
//     a clang LTO build, is init_hw_perf_events;
//   - foo.cfi_jt and foo.cfi (clang CFI before 6.1), foo.llvm.1234 (ThinLTO)
//     and foo.lto_priv.0 (gcc LTO) are foo;
//   - with rust set, Rust names of either mangling are demangled, without the
//     hash.
//
// Suffixes that mark another function (.isra.0, .part.0, .cold) stay.
func DisplayName(raw string, rust bool) string {
	name := stripSuffixes(raw)
	if stub, ok := ParseStub(name); ok {
		name = stub.Function
	}
	if rust && isRustName(name) {
		plain, err := demangle.ToString(name, demangle.NoParams, demangle.MaxLength(maxPlainPower))
		if err == nil && plain != "" && len(plain) < 1<<maxPlainPower {
			name = plain
		}
	}
	return name
}

// maxPlainPower bounds a demangled name to 4,096 bytes. Names in Rust's v0
// mangling refer back to parts of themselves: 300 bytes can stand for 10¹² of
// them.
const maxPlainPower = 12

// isRustName reports whether a name is mangled in Rust's v0 or legacy way; the
// latter is C++'s with a hash as the last part.
func isRustName(name string) bool {
	const hash = "17h0123456789abcdefE"
	if strings.HasPrefix(name, "_R") {
		return true
	}
	at := len(name) - len(hash)
	return at > 0 && strings.HasPrefix(name, "_ZN") && strings.HasPrefix(name[at:], "17h") && strings.HasSuffix(name, "E")
}

// stripSuffixes removes what LTO and CFI append, in any order and number.
func stripSuffixes(name string) string {
	for strings.Contains(name, ".") {
		short := name
		for _, suffix := range []string{".cfi_jt", ".cfi"} {
			short = strings.TrimSuffix(short, suffix)
		}
		for _, mark := range []string{".llvm.", ".lto_priv."} {
			if i := strings.LastIndex(short, mark); i > 0 && isDigits(short[i+len(mark):]) {
				short = short[:i]
			}
		}
		if short == name || short == "" {
			return name
		}
		name = short
	}
	return name
}

// Preferred returns the index of the symbol that a kernel prints for an
// address at which all of syms lie, or -1 if none of them is a name that a
// kernel keeps. The rule is that of compare_symbols in scripts/kallsyms.c
// (v6.12), after which the kernel takes the first of equals: symbols that are
// not weak before weak ones, names that a linker script may have made
// (__start_…, __…_end) last, then fewer leading underscores, then, as nm
// lists them, by byte value.
func Preferred(syms []Symbol) int {
	best := -1
	for i := range syms {
		if !isKept(syms[i].Name) || syms[i].Kind.dropped() {
			continue
		}
		if best < 0 || lessAlias(syms[i], syms[best]) {
			best = i
		}
	}
	return best
}

func lessAlias(a, b Symbol) bool {
	if aw, bw := a.Kind.Weak(), b.Kind.Weak(); aw != bw {
		return bw
	}
	if al, bl := IsLinkerScriptName(a.Name), IsLinkerScriptName(b.Name); al != bl {
		return bl
	}
	if au, bu := leadingUnderscores(a.Name), leadingUnderscores(b.Name); au != bu {
		return au < bu
	}
	return a.Name < b.Name
}

// IsLinkerScriptName reports whether a name is one that a linker script may
// have given to an edge of a section, by kallsyms' rule.
func IsLinkerScriptName(name string) bool {
	const shortest = len("__end_xx") // shorter ones are passed over there
	if len(name) < shortest || !strings.HasPrefix(name, doubleUnderscore) {
		return false
	}
	return strings.HasPrefix(name, "__start_") || strings.HasPrefix(name, "__stop_") ||
		strings.HasPrefix(name, "__end_") ||
		strings.HasSuffix(name, "_start") || strings.HasSuffix(name, "_end")
}

func leadingUnderscores(name string) int {
	return len(name) - len(strings.TrimLeft(name, "_"))
}

// isKept reports whether a name can appear in a kernel's own symbol table:
// scripts/mksysmap and scripts/kallsyms.c drop mapping symbols ($a, $d, $x)
// and compiler-local labels.
func isKept(name string) bool {
	return name != "" && name[0] != '$' && !strings.HasPrefix(name, ".L") &&
		name != "L0" && !strings.HasPrefix(name, "__efistub_") &&
		!strings.HasPrefix(name, "__crc_")
}
