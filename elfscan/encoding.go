package elfscan

import (
	"github.com/initsect/initsect/internal/safeelf"
)

// Encoding is how an entry of a table holds its target.
type Encoding string

// The encodings.
const (
	// EncodingAbsolute is a pointer to the function.
	EncodingAbsolute Encoding = "absolute"
	// EncodingPrel32 is the function's distance from the entry, as a signed
	// 32-bit number (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS, v4.19).
	EncodingPrel32 Encoding = "prel32"
	// EncodingDescriptor is a pointer to a function descriptor, which holds
	// the function's address (ppc64 ELFv1, parisc64, ia64).
	EncodingDescriptor Encoding = "descriptor"
)

// Layout is what an entry is besides its function.
type Layout string

// The layouts.
const (
	// LayoutPlain is nothing but the function: initcall_t, initcall_entry_t.
	LayoutPlain Layout = "plain"
	// LayoutGroup is LG's struct user_initcall_param {char *group; fn}.
	LayoutGroup Layout = "lg-user-initcall"
	// LayoutList is Sony's struct deferred_initcall {list; char *name; fn;
	// int group}.
	LayoutList Layout = "sony-deferred-initcall"
)

// format is one way to read a table: how large an entry is and where in it
// things lie, in bytes.
type format struct {
	encoding Encoding
	layout   Layout
	size     int
	target   int
	text     int // of the pointer to a string, if the layout has one
	group    int // of the group number, if the layout has one
}

// plainFormats are the ways to read a table of functions in this image.
func (im *Image) plainFormats() []format {
	w := im.elf.WordSize()
	formats := []format{
		{encoding: EncodingAbsolute, layout: LayoutPlain, size: w},
		{encoding: EncodingPrel32, layout: LayoutPlain, size: 4},
	}
	if im.descriptors != nil {
		formats = append(formats, format{encoding: EncodingDescriptor, layout: LayoutPlain, size: w})
	}
	return formats
}

// deferredFormats adds the structures that vendors keep in deferred tables.
// Both come from kernels of 32-bit ARM; for 64 bits the compiler's layout of
// the same structure is taken.
func (im *Image) deferredFormats() []format {
	w := im.elf.WordSize()
	return append(
		im.plainFormats(),
		format{encoding: EncodingAbsolute, layout: LayoutGroup, size: 2 * w, target: w},
		format{encoding: EncodingAbsolute, layout: LayoutList, size: 5 * w, text: 2 * w, target: 3 * w, group: 4 * w},
	)
}

// raw is one entry as its bytes say.
type rawEntry struct {
	slot   Addr
	value  Addr // the address that the entry names: of the function or of its descriptor
	target Addr // the address of the code
	text   Addr // of the string that the layout wants, 0 if it wants none
	group  string
	order  int  // among the groups of a table that runs by group
	sound  bool // the parts besides the target are what the layout wants
}

// decode reads a table in one format. Bytes after the last whole entry are
// left alone: whether there may be any is the caller's to say.
func (im *Image) decode(p patched, f format) []rawEntry {
	entries := make([]rawEntry, 0, len(p.bytes)/f.size)
	for off := 0; off+f.size <= len(p.bytes); off += f.size {
		b := p.bytes[off : off+f.size]
		e := rawEntry{slot: p.start + Addr(off), sound: true}
		if f.encoding == EncodingPrel32 {
			e.value = e.slot + Addr(int64(int32(im.elf.Order().Uint32(b[f.target:]))))
			if !im.elf.Class64 {
				e.value &= 0xffffffff
			}
		} else {
			e.value = Addr(im.elf.Word(b[f.target:]))
		}
		e.target = im.codeAddr(e.value, f.encoding)
		im.decodeStruct(&e, b, f)
		entries = append(entries, e)
	}
	return entries
}

// maxGroups bounds the group numbers of Sony's table (DEFD_NUM_GROUPS).
const maxGroups = 32

// maxGroupName bounds the strings that vendors' structures point at.
const maxGroupName = 128

func (im *Image) decodeStruct(e *rawEntry, b []byte, f format) {
	switch f.layout {
	case LayoutGroup:
		e.text = Addr(im.elf.Word(b[f.text:]))
		e.group, e.sound = im.identifier(e.text)
	case LayoutList:
		e.text = Addr(im.elf.Word(b[f.text:]))
		_, named := im.identifier(e.text)
		e.order = int(int32(im.elf.Order().Uint32(b[f.group:])))
		e.group = decimal(e.order)
		e.sound = named && e.order >= 0 && e.order < maxGroups
	}
}

// identifier reads a string that a vendor's macro may have put there.
func (im *Image) identifier(a Addr) (string, bool) {
	s, ok := im.mem.cString(a, maxGroupName)
	if !ok || s == "" {
		return "", false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return "", false
		}
	}
	return s, true
}

// codeAddr turns what an entry holds into the address of code.
func (im *Image) codeAddr(value Addr, enc Encoding) Addr {
	if enc == EncodingDescriptor {
		return im.descriptors.code(value)
	}
	if im.elf.Machine == safeelf.MachineARM {
		return value &^ 1 // Thumb
	}
	return value
}

// descriptors is the table of function descriptors, .opd.
type descriptors struct {
	patched
	size int // of one descriptor
	addr int // where in it the code address lies
	elf  *safeelf.File
}

// descriptorShapes: ppc64 ELFv1 {entry, TOC, environment}; parisc64 {2
// reserved words, entry, gp}; ia64 {entry, gp}.
var descriptorShapes = map[safeelf.Machine]struct{ size, addr int }{
	safeelf.MachinePPC64:  {24, 0},
	safeelf.MachinePARISC: {32, 16},
	safeelf.MachineIA64:   {16, 0},
}

// readDescriptors returns the image's descriptors, nil if it has none.
func readDescriptors(m *memory) (*descriptors, error) {
	shape, ok := descriptorShapes[m.elf.Machine]
	if !ok || !m.elf.Class64 {
		return nil, nil
	}
	for _, r := range m.regions {
		if r.name != ".opd" || r.filed == 0 {
			continue
		}
		p, err := m.read(extent{r.addr, r.addr + Addr(r.size)})
		if err != nil {
			return nil, err
		}
		return &descriptors{patched: p[0], size: shape.size, addr: shape.addr, elf: m.elf}, nil
	}
	return nil, nil
}

// code returns the code address in the descriptor at a, 0 if there is none.
func (d *descriptors) code(a Addr) Addr {
	if !d.holds(a) {
		return 0
	}
	return Addr(d.elf.Word(d.bytes[uint64(a-d.start)+uint64(d.addr):]))
}

// holds reports whether there is a descriptor at a.
func (d *descriptors) holds(a Addr) bool {
	return a >= d.start && a < d.end && uint64(d.end-a) >= uint64(d.size)
}
