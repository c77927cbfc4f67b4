//go:build kernels

package kerneltest

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The decode of a vmlinux by other programs than ours: nm for the symbols, readelf for the sections,
// objdump for the bytes. It shares nothing with initsect, so that the two can judge each other.

// entry is one line of the table that initsect lists, less its number.
type entry struct {
	table, level           string
	slot, target           uint64
	symbol, module, lineNo string
	name                   string // the entry symbol
}

func (e entry) tsv(order int) string {
	return fmt.Sprintf("%d\t%s\t%s\t%x\t%x\t%s\t%s\t%s\t%s", order, e.table, e.level,
		e.slot, e.target, e.symbol, e.module, e.lineNo, e.name)
}

// Only these have HAVE_ARCH_PREL32_RELOCATIONS: an entry is a 32-bit offset from its own slot.
// On all others it is a pointer.
var prel32 = []string{"amd64", "i386", "arm64"}

// initcallName is an entry symbol: __initcall__kmod_core__376_2214_init_hw_perf_eventsearly has the
// module, a counter, the line, the function and the id of the level (include/linux/init.h, v6.1).
var initcallName = regexp.MustCompile(
	`^__initcall__kmod_(.+?)__(\d+)_(\d+)_(.+?)(early|rootfs|con|[0-7]s?)$`)

// decode lists the initcalls of an image with a symbol table, in run order: the consoles' first.
func decode(image, arch string) ([]entry, error) {
	layout, err := readLayout(image)
	if err != nil {
		return nil, err
	}
	symbols, err := readSymbols(image, layout.wordSize)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, table := range []struct{ name, start, end string }{
		{"console", "__con_initcall_start", "__con_initcall_end"},
		{"initcall", "__initcall_start", "__initcall_end"},
	} {
		start, end := symbols.address[table.start], symbols.address[table.end]
		if start == 0 || end <= start {
			return nil, fmt.Errorf("%s: %s is %#x and %s is %#x",
				image, table.start, start, table.end, end)
		}
		data, err := layout.bytes(image, start, end)
		if err != nil {
			return nil, err
		}
		size := layout.wordSize
		if slices.Contains(prel32, arch) {
			size = 4
		}
		for at := 0; at < len(data); at += size {
			e := entry{table: table.name, slot: start + uint64(at)}
			e.target = layout.word(data[at : at+size])
			if slices.Contains(prel32, arch) {
				e.target = e.slot + uint64(int64(int32(e.target)))
			}
			e.target &= mask(layout.wordSize)
			if arch == "armhf" || arch == "armel" {
				e.target &^= 1 // Thumb
			}
			if err := symbols.describe(&e); err != nil {
				return nil, fmt.Errorf("%s: %w", image, err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// symbolTable is what nm prints.
type symbolTable struct {
	address map[string]uint64
	at      map[uint64][]symbol
	levels  []level // in order of address
}

type symbol struct {
	name string
	weak bool
}

type level struct {
	start uint64
	id    string
}

func readSymbols(image string, wordSize int) (*symbolTable, error) {
	out, err := exec.Command("nm", image).Output()
	if err != nil {
		return nil, fmt.Errorf("nm %s: %w", image, err)
	}
	t := &symbolTable{address: map[string]uint64{}, at: map[uint64][]symbol{}}
	for line := range strings.Lines(string(out)) {
		word := strings.Fields(line)
		if len(word) != 3 || strings.ContainsAny(word[1], "aN") {
			continue // undefined, absolute or debugging
		}
		address, err := strconv.ParseUint(word[0], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("nm %s: %w", image, err)
		}
		address &= mask(wordSize) // nm extends the sign of 32-bit MIPS
		t.address[word[2]] = address
		t.at[address] = append(t.at[address],
			symbol{word[2], strings.EqualFold(word[1], "w")})
	}
	t.levels = []level{{t.address["__initcall_start"], "early"}}
	for _, id := range []string{"0", "1", "2", "3", "4", "5", "rootfs", "6", "7"} {
		t.levels = append(t.levels, level{t.address["__initcall"+id+"_start"], id})
	}
	if !slices.IsSortedFunc(t.levels, func(a, b level) int { return cmp.Compare(a.start, b.start) }) {
		return nil, fmt.Errorf("%s: the levels do not follow each other: %x", image, t.levels)
	}
	return t, nil
}

// describe finds out all of an entry that does not lie in its bytes. Three sources tell of the
// level and of the function; where they disagree this decode is no judge, so that is an error.
func (t *symbolTable) describe(e *entry) error {
	e.symbol = t.functionAt(e.target)
	var match []string
	for _, s := range t.at[e.slot] {
		if m := initcallName.FindStringSubmatch(s.name); m != nil {
			if match != nil {
				return fmt.Errorf("slot %x has two entry symbols: %s, %s", e.slot, match[0], m[0])
			}
			match = m
		}
	}
	if match == nil || e.symbol == "" {
		return fmt.Errorf("slot %x: entry symbol %q, target %x is %q", e.slot, match, e.target, e.symbol)
	}
	e.name, e.module, e.lineNo, e.level = match[0], match[1], match[3], match[5]
	// Link-time optimisation lets the entry point to a stub that calls the function.
	stub := strings.Replace(e.name, "__initcall", "__initstub", 1)
	switch {
	case slices.ContainsFunc(t.at[e.target], func(s symbol) bool { return s.name == match[4] }):
	case e.symbol == stub:
		e.symbol = match[4]
	default:
		return fmt.Errorf("slot %x: %s, but the target is %s at %x", e.slot, e.name, e.symbol, e.target)
	}
	base := "con"
	if e.table != "console" {
		for _, l := range t.levels {
			if e.slot >= l.start {
				base = l.id
			}
		}
	}
	if strings.TrimSuffix(e.level, "s") != strings.TrimSuffix(base, "s") {
		return fmt.Errorf("slot %x: %s, but it lies in level %s", e.slot, e.name, base)
	}
	if e.level == "con" {
		e.level = "console"
	}
	return nil
}

// functionAt chooses among the names of an address as kallsyms does, for that is what the kernel
// prints: compare_symbols() of scripts/kallsyms.c, v6.1.
func (t *symbolTable) functionAt(address uint64) string {
	names := slices.DeleteFunc(slices.Clone(t.at[address]), func(s symbol) bool {
		return strings.HasPrefix(s.name, "$") || strings.HasPrefix(s.name, ".L")
	})
	if len(names) == 0 {
		return ""
	}
	rank := func(s symbol) []int {
		return []int{
			one(s.weak), one(mayBeFromLinkerScript(s.name)),
			len(s.name) - len(strings.TrimLeft(s.name, "_")),
		}
	}
	return slices.MinFunc(names, func(a, b symbol) int {
		return cmp.Or(slices.Compare(rank(a), rank(b)), strings.Compare(a.name, b.name))
	}).name
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func mayBeFromLinkerScript(name string) bool {
	rest, ok := strings.CutPrefix(name, "__")
	return ok && (strings.HasPrefix(rest, "start_") || strings.HasPrefix(rest, "stop_") ||
		strings.HasPrefix(rest, "end_") || strings.HasSuffix(name, "_start") ||
		strings.HasSuffix(name, "_end"))
}

// layout is what readelf tells of a file.
type layout struct {
	wordSize int
	order    binary.ByteOrder
	sections []section
}

type section struct {
	name       string
	start, end uint64
}

// A line of readelf -S for a section with bytes that is loaded (flag A):
//
//	[25] .init.data        PROGBITS        ffffffff82f2b000 212b000 11c8c8 00  WA  0   0 8192
var sectionLine = regexp.MustCompile(
	`^ *\[ *\d+\] (\S+) +PROGBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +[A-Z]*A[A-Z]* `)

func readLayout(image string) (*layout, error) {
	out, err := exec.Command("readelf", "-hSW", image).Output()
	if err != nil {
		return nil, fmt.Errorf("readelf %s: %w", image, err)
	}
	l := &layout{wordSize: 4, order: binary.LittleEndian}
	for line := range strings.Lines(string(out)) {
		switch m := sectionLine.FindStringSubmatch(line); {
		case m != nil:
			start, _ := strconv.ParseUint(m[2], 16, 64)
			size, _ := strconv.ParseUint(m[3], 16, 64)
			l.sections = append(l.sections, section{m[1], start, start + size})
		case strings.Contains(line, "ELF64"):
			l.wordSize = 8
		case strings.Contains(line, "big endian"):
			l.order = binary.BigEndian
		}
	}
	return l, nil
}

func mask(wordSize int) uint64 { return 1<<(8*wordSize) - 1 }

func (l *layout) word(b []byte) uint64 {
	if len(b) == 8 {
		return l.order.Uint64(b)
	}
	return uint64(l.order.Uint32(b))
}

// bytes returns the contents of an address range. The section must be named to objdump: debugging
// sections have address 0 and would overlap the low addresses of some architectures.
func (l *layout) bytes(image string, start, end uint64) ([]byte, error) {
	i := slices.IndexFunc(l.sections, func(s section) bool { return s.start <= start && end <= s.end })
	if i < 0 {
		return nil, fmt.Errorf("%s: no section holds %x to %x", image, start, end)
	}
	s := l.sections[i]
	out, err := exec.Command("objdump", "-s", "-j", s.name, image).Output()
	if err != nil {
		return nil, fmt.Errorf("objdump %s: %w", image, err)
	}
	data := make([]byte, 0, s.end-s.start)
	for line := range strings.Lines(string(out)) {
		// " c0d661e8 98d0d1c0 24d2d1c0 54d2d1c0 e4d2d1c0  ....$...T......."
		address, row, ok := strings.Cut(strings.TrimPrefix(line, " "), " ")
		if !ok || line[0] != ' ' || len(row) < 35 {
			continue
		}
		row = strings.ReplaceAll(row[:35], " ", "")
		if data, err = hex.AppendDecode(data, []byte(row)); err != nil {
			return nil, fmt.Errorf("objdump %s: row %s: %w", image, address, err)
		}
	}
	if uint64(len(data)) != s.end-s.start {
		return nil, fmt.Errorf("objdump %s: %d bytes of %s", image, len(data), s.name)
	}
	return data[start-s.start : end-s.start], nil
}
