package elfscan_test

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oracle lists a kernel in the plainest way there is, with the reader of the
// standard library, and is told the encoding. It makes no checks: it says what
// a sound file would say with these bytes. It knows what the three fixtures
// need that TestMutations spoils.
type oracle struct {
	file    *elf.File
	symbols []elf.Symbol
	word    int
	mask    uint64
	bytes   map[*elf.Section][]byte // what is in memory
}

func newOracle(data []byte) (o *oracle, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("debug/elf panics")
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	o = &oracle{file: f, word: 4, mask: 1<<32 - 1, bytes: map[*elf.Section][]byte{}}
	if f.Class == elf.ELFCLASS64 {
		o.word, o.mask = 8, 1<<64-1
	}
	if o.symbols, err = f.Symbols(); err != nil {
		return nil, err
	}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS {
			if o.bytes[s], err = s.Data(); err != nil {
				return nil, err
			}
		}
	}
	for s, raw := range o.bytes {
		for ; s.Type == elf.SHT_RELA && len(raw) >= 24; raw = raw[24:] {
			place := o.memory(f.ByteOrder.Uint64(raw), 8)
			if place != nil && f.ByteOrder.Uint32(raw[8:]) == rAArch64Relative {
				f.ByteOrder.PutUint64(place, f.ByteOrder.Uint64(raw[16:]))
			}
		}
	}
	return o, nil
}

// memory returns the n bytes at an address, nil if no section has them all.
func (o *oracle) memory(addr uint64, n int) []byte {
	for _, s := range o.file.Sections {
		if b := o.bytes[s]; addr >= s.Addr && addr-s.Addr < uint64(len(b)) && uint64(len(b))-(addr-s.Addr) >= uint64(n) {
			return b[addr-s.Addr:][:n]
		}
	}
	return nil
}

// lines are those of linesOf.
func (o *oracle) lines(encoding string) []string {
	var lines []string
	for _, t := range [][3]string{
		{"console", "__con_initcall_start", "__con_initcall_end"},
		{"security", "__security_initcall_start", "__security_initcall_end"},
		{"initcall", "__initcall_start", "__initcall_end"},
		{"deferred", "__def_initcall_start", "__def_initcall_end"},
		{"deferred", "__deferred_initcall_start", "__deferred_initcall_end"},
	} {
		start, ok := o.value(t[1])
		end, ok2 := o.value(t[2])
		size := uint64(o.word)
		if encoding == "prel32" {
			size = 4
		}
		for slot := start; ok && ok2 && slot < end; slot += size {
			lines = append(lines, o.line(t[0], slot, encoding))
		}
	}
	return lines
}

func (o *oracle) value(name string) (uint64, bool) {
	i := slices.IndexFunc(o.symbols, func(s elf.Symbol) bool { return s.Name == name && o.usable(s) })
	if i < 0 {
		return 0, false
	}
	return o.symbols[i].Value, true
}

func (o *oracle) usable(s elf.Symbol) bool {
	typ := elf.ST_TYPE(s.Info)
	return s.Section != elf.SHN_UNDEF && typ != elf.STT_SECTION && typ != elf.STT_FILE && s.Name != ""
}

// Names with a line in them: of 5.12 on, and of Android's trees before.
var kmodName = regexp.MustCompile(`^__initcall_(?:_kmod_(.+?)__)?\d+_(\d+)_.+?(early|rootfss?|con|deferred|[0-9]s?)$`)

func (o *oracle) line(table string, slot uint64, encoding string) string {
	target := o.read(slot, o.word)
	value := target
	switch encoding {
	case "prel32":
		value = (slot + uint64(int64(int32(o.read(slot, 4))))) & o.mask
		target = value
	case "descriptor":
		target = o.read(value, o.word)
	}
	entry := o.entry(slot, target, value)
	level, module, number := table, "", 0
	m := kmodName.FindStringSubmatch(entry)
	if m != nil {
		module = m[1]
		number, _ = strconv.Atoi(m[2])
	}
	if table == "initcall" {
		level = o.level(slot, target, entry)
	}
	at := strconv.FormatUint(target, 16)
	if encoding == "descriptor" && value != 0 && !o.inOPD(value) {
		at, target = "-", 0 // it points at no descriptor
	}
	return line(table, level, strconv.FormatUint(slot, 16), at, o.function(value, target, encoding), module, number, entry)
}

// entry is the entry symbol at a slot: of several the one that names a function
// at the target.
func (o *oracle) entry(slot, target, value uint64) string {
	entry := ""
	for _, s := range o.symbols {
		if s.Value != slot || !strings.HasPrefix(s.Name, "__initcall_") || isEdge(s.Name) || !o.usable(s) {
			continue
		}
		names := func(f elf.Symbol) bool {
			return (f.Value == target && o.isText(f) || f.Value == value) && strings.Contains(s.Name, f.Name)
		}
		if entry = s.Name; slices.ContainsFunc(o.symbols, names) {
			break
		}
	}
	return entry
}

func (o *oracle) inOPD(addr uint64) bool {
	s := o.file.Section(".opd")
	return s != nil && s.Type != elf.SHT_NOBITS && s.Flags&elf.SHF_ALLOC != 0 && addr >= s.Addr && addr+24 <= s.Addr+s.Size
}

func isEdge(name string) bool { return name == "__initcall_start" || name == "__initcall_end" }

// level is by the boundaries, and for the sync ones by the entry symbol.
func (o *oracle) level(slot, target uint64, entry string) string {
	level, orAnother := "early", false
	for _, id := range []string{"0", "1", "2", "3", "4", "5", "rootfs", "6", "7"} {
		at, ok := o.value("__initcall" + id + "_start")
		if ok && at > slot {
			break
		}
		if orAnother = !ok; ok {
			level = id
		}
	}
	if orAnother {
		return "unknown"
	}
	// Without the mark of kmod names, the s may be the function's.
	fn, sync := strings.CutSuffix(strings.TrimPrefix(entry, "__initcall_"), level+"s")
	isTarget := func(s elf.Symbol) bool { return s.Name == fn && o.isText(s) }
	if sync && level != "rootfs" && (kmodName.MatchString(entry) || o.named(target, isTarget) != "") {
		level += "s"
	}
	return level
}

func (o *oracle) read(addr uint64, n int) uint64 {
	switch b := o.memory(addr, n); {
	case b == nil:
		return 0
	case n == 8:
		return o.file.ByteOrder.Uint64(b)
	default:
		return uint64(o.file.ByteOrder.Uint32(b))
	}
}

// stbUnique is STB_GNU_UNIQUE, nm's u: kallsyms leaves those symbols out.
const stbUnique = 10

// named returns the name that a kernel prefers of those at an address.
func (o *oracle) named(addr uint64, want func(elf.Symbol) bool) string {
	var names []elf.Symbol
	for _, s := range o.symbols {
		if s.Value == addr && o.usable(s) && s.Name[0] != '$' && elf.ST_BIND(s.Info) != stbUnique && want(s) {
			names = append(names, s)
		}
	}
	if len(names) == 0 {
		return ""
	}
	rank := func(s elf.Symbol) int {
		rank := len(s.Name) - len(strings.TrimLeft(s.Name, "_"))
		if linkerScriptName.MatchString(s.Name) {
			rank += 1 << 20
		}
		if elf.ST_BIND(s.Info) == elf.STB_WEAK {
			rank += 1 << 21
		}
		return rank
	}
	return slices.MinFunc(names, func(a, b elf.Symbol) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Name, b.Name))
	}).Name
}

var linkerScriptName = regexp.MustCompile(`^__((start|stop|end)_|.*_(start|end)$)`)

func (o *oracle) isText(s elf.Symbol) bool {
	return int(s.Section) < len(o.file.Sections) && o.file.Sections[s.Section].Flags&elf.SHF_EXECINSTR != 0 || elf.ST_BIND(s.Info) == elf.STB_WEAK
}

func (o *oracle) function(value, target uint64, encoding string) string {
	if encoding == "descriptor" {
		if name := o.named(value, func(s elf.Symbol) bool { return !linkerScriptName.MatchString(s.Name) }); name != "" {
			return name
		}
	}
	for _, s := range o.file.Sections { // in which code does it lie, and behind what?
		if s.Flags&elf.SHF_EXECINSTR == 0 || s.Flags&elf.SHF_ALLOC == 0 || target < s.Addr || target >= s.Addr+s.Size {
			continue
		}
		if name := o.named(target, o.isText); name != "" {
			return name
		}
		at := s.Addr
		for _, s := range o.symbols {
			if s.Value > at && s.Value < target && o.isText(s) && o.named(s.Value, o.isText) != "" {
				at = s.Value
			}
		}
		if name := o.named(at, o.isText); name != "" {
			return name + "+0x" + strconv.FormatUint(target-at, 16)
		}
	}
	return ""
}
