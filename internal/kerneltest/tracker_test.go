//go:build kernels

package kerneltest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tracker follows registers through objdump's text.
type tracker struct {
	d      *disassembly
	arch   string
	strict map[string]uint64
	loose  map[string][]uint64
	words  map[uint64]uint64 // ARM's literal pools
	toc    uint64
}

var globalPointer uint64 // of the kernel at hand, on ppc64el

func newTracker(d *disassembly, arch string) *tracker {
	return &tracker{
		d: d, arch: arch, toc: globalPointer,
		strict: map[string]uint64{}, loose: map[string][]uint64{}, words: map[uint64]uint64{},
	}
}

var (
	// A conditional instruction counts as executed.
	conditional = regexp.MustCompile(`^(movw|movt|ldr|add|sub)(?:eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)$`)
	armMemory   = regexp.MustCompile(`\[(\w+)(?:, #(-?\w+))?\](!?)`)
	riscMemory  = regexp.MustCompile(`(?:^|,)(-?\d+)\((\w+)\)`)
	poolWord    = regexp.MustCompile(`@ ([0-9a-f]+) <`)
)

func (t *tracker) function(function []instruction) {
	for _, i := range function {
		if i.mnemonic == ".word" {
			value, _ := strconv.ParseUint(strings.Fields(i.operands)[0], 0, 64)
			t.words[i.at] = value
			t.d.address(i.at, value)
		}
	}
	delay := false
	for _, i := range function {
		if i.mnemonic == ".word" {
			continue
		}
		t.instruction(i)
		branch := i.mnemonic != "bic" && (branches(t.arch, i) || strings.HasPrefix(i.mnemonic, "ret"))
		mips := strings.HasPrefix(t.arch, "mips")
		if delay || branch && !mips {
			clear(t.strict)
		}
		delay = branch && mips
	}
}

func (t *tracker) instruction(i instruction) {
	text, _, _ := strings.Cut(i.operands, "//")
	text, comment, _ := strings.Cut(text, "@")
	op := strings.Split(strings.ReplaceAll(strings.TrimSpace(text), " ", ""), ",")
	if op[0] == "" {
		return
	}
	mnemonic, destination := i.mnemonic, op[0]
	if m := conditional.FindStringSubmatch(mnemonic); m != nil && strings.HasPrefix(t.arch, "arm") && t.arch != "arm64" {
		mnemonic = m[1]
	}
	immediate := func(n int) (uint64, bool) {
		if n >= len(op) {
			return 0, false
		}
		value, err := strconv.ParseInt(strings.TrimPrefix(op[n], "#"), 0, 64)
		return uint64(value), err == nil
	}
	switch mnemonic {
	case "adrp":
		page, _, _ := strings.Cut(op[1], "<")
		value, _ := strconv.ParseUint(page, 16, 64)
		t.set(destination, value)
		return
	case "lui", "lis":
		value, _ := immediate(1)
		t.set(destination, t.mask(uint64(int64(int32(uint32(value)<<16)))))
		return
	case "movw":
		value, _ := immediate(1)
		t.set(destination, value)
		return
	case "movt":
		value, _ := immediate(1)
		t.derive(i.at, destination, destination, func(low uint64) uint64 { return low&0xffff | value<<16 })
		return
	case "addis":
		value, _ := immediate(2)
		t.add(0, destination, op[1], uint64(int64(int32(uint32(value)<<16))))
		return
	case "add", "addi", "addiu", "daddiu", "sub":
		value, ok := immediate(2)
		if len(op) > 3 && op[3] == "lsl#12" {
			value <<= 12
		}
		if mnemonic == "sub" {
			value = -value
		}
		if ok {
			t.add(i.at, destination, op[1], value)
			return
		}
	case "ori":
		value, ok := immediate(2)
		if ok {
			t.derive(i.at, destination, op[1], func(base uint64) uint64 { return base | value })
			return
		}
	case "ldr":
		if m := poolWord.FindStringSubmatch("@" + comment); m != nil && strings.Contains(text, "[pc") {
			at, _ := strconv.ParseUint(m[1], 16, 64)
			if value, ok := t.words[at]; ok {
				t.set(destination, value)
			}
			return
		}
	}
	t.memory(i.at, text)
	switch {
	case strings.HasPrefix(mnemonic, "st"), strings.HasPrefix(mnemonic, "s") && riscMemory.MatchString(text),
		strings.HasPrefix(mnemonic, "cmp"), strings.HasPrefix(mnemonic, "tst"), strings.HasPrefix(mnemonic, "b"):
	default:
		for _, name := range op { // ldp writes two, ldm a list; whatever else is lost is lost to the strict reading only
			delete(t.strict, strings.Trim(name, "{}"))
		}
	}
}

func (t *tracker) memory(at uint64, text string) {
	base, offset := "", "0"
	if m := armMemory.FindStringSubmatch(text); m != nil && t.arch[:3] == "arm" {
		base = m[1]
		if m[2] != "" {
			offset = m[2]
		}
	} else if m := riscMemory.FindStringSubmatch(strings.ReplaceAll(text, " ", "")); m != nil {
		base, offset = m[2], m[1]
	} else {
		return
	}
	value, err := strconv.ParseInt(offset, 0, 64)
	if err == nil {
		t.derive(at, "", base, func(base uint64) uint64 { return base + uint64(value) })
	}
	if strings.Contains(text, "]!") || strings.Contains(text, "],") {
		delete(t.strict, base)
	}
}

func (t *tracker) add(at uint64, destination, base string, offset uint64) {
	t.derive(at, destination, base, func(base uint64) uint64 { return base + offset })
}

// derive notes what an instruction makes of a register.
func (t *tracker) derive(at uint64, destination, base string, f func(uint64) uint64) {
	if base == "r2" && t.arch == "ppc64el" {
		t.strict[base], t.loose[base] = t.toc, []uint64{t.toc}
	}
	value, ok := t.strict[base]
	if destination != "" {
		delete(t.strict, destination)
	}
	if ok {
		value = t.mask(f(value))
		if at != 0 && t.d.wanted(value) {
			t.d.strict[reference{at, value}] = true
		}
		if destination != "" {
			t.strict[destination] = value
		}
	}
	for _, value := range slices.Clone(t.loose[base]) {
		value = t.mask(f(value))
		if at != 0 && t.d.wanted(value) {
			t.d.loose[reference{at, value}] = true
		}
		if destination != "" {
			t.remember(destination, value)
		}
	}
}

func (t *tracker) set(register string, value uint64) {
	t.strict[register] = value
	t.remember(register, value)
}

// remember keeps the last values, enough for any function but for its loops' counters.
func (t *tracker) remember(register string, value uint64) {
	values := t.loose[register]
	if !slices.Contains(values, value) {
		t.loose[register] = append(values[max(0, len(values)-255):], value)
	}
}

func (t *tracker) mask(value uint64) uint64 {
	if t.arch == "mipsel" || strings.HasPrefix(t.arch, "armh") || t.arch == "armel" {
		return uint64(uint32(value))
	}
	return value
}
