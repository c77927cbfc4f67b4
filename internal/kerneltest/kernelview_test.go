//go:build kernels

package kerneltest

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// kernelView reads the bytes of a kernel's memory as the kernel itself does, and makes no checks: it walks the tables
// as do_initcalls does (init/main.c), and names functions as kernel/kallsyms.c does. Where things lie is what nm and
// readelf say of the vmlinux of the same build, for the kernel's code knows that, too.
type kernelView struct {
	bytes    []byte
	at       map[string]uint64 // addresses of symbols
	segments []segment
	word     int
	order    binary.ByteOrder
	prel32   bool
	thumb    bool
	percpu   bool // kallsyms_offsets has the addresses of per-CPU symbols among distances
	all      bool // CONFIG_KALLSYMS_ALL
	rela     map[uint64]int
}

// segment says where an address range lies in the bytes.
type segment struct {
	addr, size uint64
	off        int
}

const relaSize = 24

// newKernelView looks up what it needs in the vmlinux of a build, of which kernel are the unpacked bytes.
func newKernelView(k kernel, dir string, kernel []byte, config string) (*kernelView, error) {
	vmlinux := filepath.Join(dir, "vmlinux")
	f, err := elf.Open(vmlinux)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := exec.Command("nm", vmlinux).Output()
	if err != nil {
		return nil, err
	}
	v := &kernelView{
		bytes: kernel, at: map[string]uint64{}, word: 8, order: f.ByteOrder, rela: map[uint64]int{},
		prel32: slices.Contains(prel32, k.arch), thumb: k.arch == "armhf" || k.arch == "armel",
		percpu: strings.Contains(config, "\nCONFIG_KALLSYMS_ABSOLUTE_PERCPU=y\n"),
		all:    strings.Contains(config, "\nCONFIG_KALLSYMS_ALL=y\n"),
	}
	if f.Class == elf.ELFCLASS32 {
		v.word = 4
	}
	for line := range strings.Lines(string(out)) {
		if word := strings.Fields(line); len(word) == 3 {
			address, err := strconv.ParseUint(word[0], 16, 64)
			if err != nil {
				return nil, err
			}
			v.at[word[2]] = address & mask(v.word)
		}
	}
	if inner, err := elf.NewFile(strings.NewReader(string(kernel))); err == nil {
		for _, p := range inner.Progs {
			if p.Type == elf.PT_LOAD {
				v.segments = append(v.segments, segment{p.Vaddr & mask(v.word), p.Filesz, int(p.Off)})
			}
		}
	} else {
		v.segments = []segment{{v.at["_text"], uint64(len(kernel)), 0}}
	}
	if s := f.Section(".rela.dyn"); s != nil && s.Flags&elf.SHF_ALLOC != 0 {
		for n := uint64(0); n < s.Size; n += relaSize {
			if record, ok := v.peek(s.Addr+n, 8); ok {
				v.rela[record] = v.offset(s.Addr + n)
			}
		}
	}
	return v, nil
}

// of is the view of other bytes, which differ but in a few places.
func (v *kernelView) of(kernel []byte) *kernelView {
	spoilt := *v
	spoilt.bytes = kernel
	return &spoilt
}

func (v *kernelView) offset(a uint64) int {
	for _, s := range v.segments {
		if a-s.addr < s.size {
			return s.off + int(a-s.addr)
		}
	}
	return -1
}

// peek reads a number as it lies in the file.
func (v *kernelView) peek(a uint64, size int) (uint64, bool) {
	off := v.offset(a)
	if off < 0 || off+size > len(v.bytes) {
		return 0, false
	}
	switch b := v.bytes[off:]; size {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(v.order.Uint16(b)), true
	case 4:
		return uint64(v.order.Uint32(b)), true
	default:
		return v.order.Uint64(b), true
	}
}

var errGone = errors.New("the kernel would read what is not there")

// number is peek for those who give up where nothing is.
func (v *kernelView) number(a uint64, size int) uint64 {
	n, ok := v.peek(a, size)
	if !ok {
		panic(errGone)
	}
	return n
}

// pointer reads a pointer as it is after relocation: all that tables and kallsyms have are relative ones.
func (v *kernelView) pointer(a uint64) uint64 {
	if record, ok := v.rela[a]; ok && record+relaSize <= len(v.bytes) && v.order.Uint64(v.bytes[record:]) == a {
		addend := v.order.Uint64(v.bytes[record+16:])
		if symbolic := v.order.Uint64(v.bytes[record+8:])>>32 != 0; symbolic {
			addend += v.at["_text"] // of s390, whose only such symbol it is
		}
		return addend
	}
	return v.number(a, v.word)
}

// rows lists what the kernel would call, each as list has it but for the number.
func (v *kernelView) rows() (rows []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errGone) {
				panic(r)
			}
			rows, err = nil, errGone
		}
	}()
	size := uint64(v.word)
	if v.prel32 {
		size = 4
	}
	walk := func(table, level string, from, to uint64) {
		for slot := from; slot < to && len(rows) < 10000; slot += size {
			rows = append(rows, v.row(table, level, slot))
		}
	}
	walk("console", "console", v.at["__con_initcall_start"], v.at["__con_initcall_end"])
	walk("initcall", "early", v.at["__initcall_start"], v.at["__initcall0_start"])
	for level := range 8 {
		array := v.at["initcall_levels"] + uint64(level*v.word)
		walk("initcall", strconv.Itoa(level), v.pointer(array), v.pointer(array+uint64(v.word)))
	}
	return rows, nil
}

func (v *kernelView) row(table, level string, slot uint64) string {
	var target uint64
	if v.prel32 {
		target = slot + uint64(int64(int32(v.number(slot, 4))))
	} else {
		target = v.pointer(slot)
	}
	target &= mask(v.word)
	if v.thumb {
		target &^= 1
	}
	module, line, entry := "-", "-", "-"
	if level == "5" && v.all && slot >= v.at["__initcallrootfs_start"] {
		level = "rootfs"
	}
	for _, name := range v.namesAt(slot) {
		if m := initcallName.FindStringSubmatch(name); m != nil {
			entry, module, line = name, m[1], m[3]
			if m[5] == level+"s" {
				level = m[5]
			}
		}
	}
	symbol := v.printed(target)
	return fmt.Sprintf("%s\t%s\t%x\t%x\t%s\t%s\t%s\t%s", table, level, slot, target, symbol, module, line, entry)
}

// printed is what %pS prints of a function, less its size (kallsyms_lookup). Outside of code that is an address, or
// data that happens to be there: list has no name for it.
func (v *kernelView) printed(a uint64) string {
	inText := a >= v.at["_stext"] && a < v.at["_etext"] || a >= v.at["_sinittext"] && a < v.at["_einittext"]
	i, ok := v.find(a)
	if !ok || !inText {
		return "-"
	}
	if off := a - v.symbolAddr(i); off != 0 {
		return fmt.Sprintf("%s+0x%x", v.name(i), off)
	}
	return v.name(i)
}

// namesAt returns all names at an address.
func (v *kernelView) namesAt(a uint64) (names []string) {
	i, ok := v.find(a)
	if !ok {
		return nil
	}
	for ; i < v.count() && v.symbolAddr(i) == a; i++ {
		names = append(names, v.name(i))
	}
	return names
}

func (v *kernelView) count() int { return int(v.number(v.at["kallsyms_num_syms"], 4)) }

// find is get_symbol_pos: the first of the symbols at the highest address that is not above a.
func (v *kernelView) find(a uint64) (int, bool) {
	low, high := 0, v.count()
	for high-low > 1 {
		if mid := low + (high-low)/2; v.symbolAddr(mid) <= a {
			low = mid
		} else {
			high = mid
		}
	}
	for low > 0 && v.symbolAddr(low-1) == v.symbolAddr(low) {
		low--
	}
	return low, v.symbolAddr(low) <= a
}

// symbolAddr is kallsyms_sym_address.
func (v *kernelView) symbolAddr(i int) uint64 {
	offset := uint32(v.number(v.at["kallsyms_offsets"]+uint64(4*i), 4))
	base := v.pointer(v.at["kallsyms_relative_base"])
	switch {
	case !v.percpu:
		return (base + uint64(offset)) & mask(v.word)
	case int32(offset) >= 0:
		return uint64(offset)
	}
	return (base - 1 - uint64(int64(int32(offset)))) & mask(v.word)
}

// name is kallsyms_expand_symbol behind get_symbol_offset.
func (v *kernelView) name(i int) string {
	names := v.at["kallsyms_names"]
	at := names + v.number(v.at["kallsyms_markers"]+uint64(i>>8*4), 4)
	length := func() uint64 {
		n := v.number(at, 1)
		at++
		if n&0x80 != 0 {
			n = n&0x7f | v.number(at, 1)<<7
			at++
		}
		return n
	}
	for range i & 0xff {
		n := length()
		at += n
	}
	var name []byte
	for range length() {
		token := v.at["kallsyms_token_table"] + v.number(v.at["kallsyms_token_index"]+2*v.number(at, 1), 2)
		for ; v.number(token, 1) != 0 && len(name) < 1000; token++ {
			name = append(name, byte(v.number(token, 1)))
		}
		at++
	}
	return string(name[min(1, len(name)):])
}
