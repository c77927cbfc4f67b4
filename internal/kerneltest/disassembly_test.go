//go:build kernels

package kerneltest

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The references of a kernel's code by objdump. Where it prints what an operand refers to, that
// is the reference. Where an address is made by several instructions, two readings of the
// text bound what is right: a strict one, which follows a register through straight code only, and a
// loose one, in which a register may still hold whatever was put in it anywhere before in the function.

// instruction is a line of objdump -d.
type instruction struct {
	at                 uint64
	mnemonic, operands string
}

type reference struct{ at, target uint64 }

type disassembly struct {
	starts         []uint64 // of all instructions
	branches       map[reference]bool
	strict, loose  map[reference]bool // addresses
	wanted, called func(uint64) bool
}

// disassemble reads objdump's text function by function.
func disassemble(t *testing.T, image, arch string, wanted, called func(uint64) bool) *disassembly {
	d := &disassembly{
		branches: map[reference]bool{}, strict: map[reference]bool{}, loose: map[reference]bool{},
		wanted: wanted, called: called,
	}
	command := exec.Command("objdump", "-dw", "--no-show-raw-insn", image)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var function []instruction
	for lines.Scan() {
		line := lines.Text()
		at, rest, ok := strings.Cut(strings.TrimSpace(line), ":\t")
		address, err := strconv.ParseUint(at, 16, 64)
		if !ok || err != nil {
			if strings.HasSuffix(line, ">:") {
				d.function(arch, function)
				function = function[:0]
			}
			continue
		}
		mnemonic, operands, _ := strings.Cut(rest, "\t")
		if strings.Contains(mnemonic, " ") { // x86: no tab behind it, prefixes before it
			mnemonic, operands, _ = cutX86(rest)
		}
		if data := dumped.FindString(rest); data != "" { // not code, by ARM's mapping symbols
			bytes, _ := hex.DecodeString(strings.ReplaceAll(data, " ", ""))
			for n := 0; n+4 <= len(bytes); n += 4 {
				d.starts = append(d.starts, address+uint64(n))
				if arch != "arm64" {
					d.address(address+uint64(n), uint64(binary.LittleEndian.Uint32(bytes[n:])))
				}
			}
			continue
		}
		d.starts = append(d.starts, address)
		function = append(function, instruction{address, mnemonic, operands})
	}
	d.function(arch, function)
	require.NoError(t, lines.Err())
	require.NoError(t, command.Wait())
	return d
}

var x86Prefix = regexp.MustCompile(`^(?:(?:bnd|cs|ds|es|fs|gs|ss|data16|addr32|notrack|lock|rep|repz|repnz|rex[.\w]*)\s+)*`)

func cutX86(text string) (mnemonic, operands string, ok bool) {
	text = strings.TrimSpace(text[len(x86Prefix.FindString(text)):])
	return strings.Cut(text, " ")
}

var (
	dumped = regexp.MustCompile(`^(?:[0-9a-f]{2} ){3,15}[0-9a-f]{2}(?: |$)`)
	place  = regexp.MustCompile(`(?:^|[ ,\t])(?:0x)?([0-9a-f]+) <[^>]*>`)
	number = regexp.MustCompile(`-?0x[0-9a-f]+`)
)

// function collects the references of one function.
func (d *disassembly) function(arch string, function []instruction) {
	for _, i := range function {
		target, annotated := uint64(0), false
		if m := place.FindStringSubmatch(i.operands); m != nil {
			target, _ = strconv.ParseUint(m[1], 16, 64)
			annotated = true
		}
		switch {
		case annotated && branches(arch, i):
			if d.called(target) {
				d.branches[reference{i.at, target}] = true
			}
		case annotated && arch == "s390x" && strings.HasSuffix(i.mnemonic, "rl"),
			annotated && i.mnemonic == "adr", annotated && strings.HasSuffix(arch, "86") || annotated && arch == "amd64":
			d.address(i.at, target)
		}
		if arch == "amd64" || arch == "i386" {
			for _, text := range number.FindAllString(i.operands, -1) {
				d.address(i.at, parse(text, arch))
			}
		}
	}
	switch arch {
	case "arm64", "ppc64el", "mipsel", "mips64el", "armhf", "armel":
		newTracker(d, arch).function(function)
	}
}

// address notes a reference that is certain.
func (d *disassembly) address(at, target uint64) {
	if d.wanted(target) {
		d.strict[reference{at, target}] = true
		d.loose[reference{at, target}] = true
	}
}

// parse reads a number as an address: of 32 bits, or with the sign of 32 bits extended.
func parse(text, arch string) uint64 {
	negative := strings.HasPrefix(text, "-")
	value, err := strconv.ParseUint(strings.TrimPrefix(text, "-"), 0, 64)
	if err != nil {
		return 0
	}
	if negative {
		value = -value
	}
	if arch == "i386" {
		return uint64(uint32(value))
	}
	if value>>32 == 0 {
		value = uint64(int64(int32(value)))
	}
	return value
}

// branches tells direct branches from what else has an address among its operands.
func branches(arch string, i instruction) bool {
	switch arch {
	case "amd64", "i386":
		return strings.HasPrefix(i.mnemonic, "call") || strings.HasPrefix(i.mnemonic, "j")
	case "s390x":
		return i.mnemonic != "jgnop" && i.mnemonic != "jnop" &&
			(strings.HasPrefix(i.mnemonic, "j") || strings.HasPrefix(i.mnemonic, "br"))
	case "arm64":
		return strings.HasPrefix(i.mnemonic, "b") || strings.HasPrefix(i.mnemonic, "cb") ||
			strings.HasPrefix(i.mnemonic, "tb")
	}
	return strings.HasPrefix(i.mnemonic, "b") || strings.HasPrefix(i.mnemonic, "j")
}
