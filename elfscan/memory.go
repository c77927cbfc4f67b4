package elfscan

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/symbols"
)

// Addr is a virtual address as linked; see [symbols.Addr].
type Addr = symbols.Addr

// region is a piece of the kernel's address space: a section, or a segment of
// a file without section headers.
type region struct {
	name        string
	addr        Addr
	size        uint64
	off         uint64 // in the file
	filed       uint64 // how many of the bytes the file holds; the rest is zero or unknown
	exec, write bool
}

func (r *region) contains(a Addr) bool { return a >= r.addr && uint64(a-r.addr) < r.size }

// memory is the kernel's address space as its file describes it.
type memory struct {
	elf     *safeelf.File
	regions []region
	code    []extent // of the executable regions
}

// maxRegions bounds how many pieces an address space has. A linked kernel has
// some 40 sections.
const maxRegions = 4096

// newMemory maps the address space. Sections go before segments: a separate
// debug file keeps the program headers of bytes that it no longer holds, and
// only its section headers say so.
func newMemory(elf *safeelf.File) (*memory, error) {
	m := &memory{elf: elf}
	for _, s := range elf.Sections {
		if !s.Alloc() || s.Size == 0 || elf.IsRaw {
			continue
		}
		r := region{name: s.Name, addr: Addr(s.Addr), size: s.Size, off: s.Off, exec: s.Exec(), write: s.Write()}
		if s.HasBytes() {
			r.filed = s.Size
		}
		m.regions = append(m.regions, r)
	}
	if len(m.regions) == 0 {
		m.mapSegments()
	}
	if n := len(m.regions); n > maxRegions {
		return nil, fmt.Errorf("%d sections or segments in memory: more than any kernel has", n)
	}
	for _, r := range m.regions {
		if r.exec {
			m.code = append(m.code, extent{r.addr, r.addr + Addr(r.size)})
		}
	}
	return m, nil
}

func (m *memory) mapSegments() {
	for i, p := range m.elf.Segments {
		if p.Loaded() && p.MemSize > 0 {
			name := fmt.Sprintf("segment %d", i)
			if m.elf.IsRaw {
				name = ""
			}
			m.regions = append(m.regions, region{
				name: name, addr: Addr(p.Addr), size: p.MemSize,
				off: p.Off, filed: min(p.FileSize, p.MemSize), exec: p.Exec(), write: p.Write(),
			})
		}
	}
}

// regionAt returns the region that holds an address. Where two do (an x86
// kernel links its per-CPU data at 0, a file may lie) the one with bytes wins.
func (m *memory) regionAt(a Addr) (region, bool) {
	var found *region
	for i := range m.regions {
		if r := &m.regions[i]; r.contains(a) && (found == nil || found.filed == 0) {
			found = r
		}
	}
	if found == nil {
		return region{}, false
	}
	return *found, true
}

// executable reports whether an address holds instructions.
func (m *memory) executable(a Addr) bool {
	return slices.ContainsFunc(m.code, func(e extent) bool { return a >= e.start && a < e.end })
}

// end is the address behind the last region.
func (m *memory) end() Addr {
	var end Addr
	for _, r := range m.regions {
		end = max(end, r.addr+Addr(r.size))
	}
	return end
}

// extent is a range of addresses [start, end).
type extent struct{ start, end Addr }

func (e extent) size() uint64 { return uint64(e.end - e.start) }

// outsideError tells that the image says nothing of some addresses, by its
// own account.
type outsideError struct{ msg string }

func (e *outsideError) Error() string { return e.msg }

// locate returns the region that holds all of an extent, with its bytes in
// the file, or an error that says why it does not.
func (m *memory) locate(e extent) (region, error) {
	r, ok := m.regionAt(e.start)
	if !ok {
		return region{}, &outsideError{fmt.Sprintf("%#x to %#x lies in no section of the image", e.start, e.end)}
	}
	off := uint64(e.start - r.addr)
	switch {
	case e.size() > r.size-off:
		return region{}, &outsideError{fmt.Sprintf("%#x to %#x runs beyond the end of %s at %#x", e.start, e.end, r.name, r.addr+Addr(r.size))}
	case r.filed == 0:
		return region{}, fmt.Errorf("%#x to %#x lies in %s, of which the file holds no bytes: is this a separate debug file?", e.start, e.end, r.name)
	case e.size() > r.filed-off || off > r.filed:
		return region{}, fmt.Errorf("%#x to %#x lies in the part of %s of which the file holds no bytes", e.start, e.end, r.name)
	}
	for _, other := range m.regions {
		if other != r && other.filed > 0 && other.addr < e.end && e.start < other.addr+Addr(other.size) {
			return region{}, fmt.Errorf("%#x to %#x lies in %s and in %s: whose bytes the kernel has there cannot be told", e.start, e.end, r.name, other.name)
		}
	}
	return r, nil
}

// patched is a range of memory as the kernel sees it after its own boot code
// has applied the relocations.
type patched struct {
	extent
	bytes  []byte
	relocs int // how many relocations lie in the range
}

// sub is the part of p that the extent, which lies in it, covers.
func (p patched) sub(e extent) patched {
	return patched{extent: e, bytes: p.bytes[e.start-p.start : e.end-p.start]}
}

// unfilled reports whether the range is all zero and nothing in the file
// would change that: its relocations were stripped.
func (p patched) unfilled() bool {
	return p.relocs == 0 && len(bytes.Trim(p.bytes, "\x00")) == 0
}

// read returns the bytes of the extents with relocations applied, in one pass
// over the relocations.
func (m *memory) read(extents ...extent) (out []patched, err error) {
	return m.readWith(applyAll, extents)
}

// readKnown is read but for the relocations that cannot be computed, such as
// those for a symbol of a table that was stripped: what they would fill in is
// left as it is. It is for those who look for values that they know.
func (m *memory) readKnown(extents ...extent) ([]patched, error) {
	return m.readWith(applyKnown, extents)
}

func (m *memory) readWith(which relocations, extents []extent) (out []patched, err error) {
	defer filemap.Guard(&err)()
	window := extent{math.MaxUint64, 0}
	for _, e := range extents {
		b, err := m.readRaw(e)
		if err != nil {
			return nil, err
		}
		out = append(out, patched{extent: e, bytes: b})
		if e.size() > 0 {
			window.start, window.end = min(window.start, e.start), max(window.end, e.end)
		}
	}
	return out, m.relocate(window, out, which)
}

// readData returns the memory in which tables and pointers may lie, relocations
// applied. It is read once.
func (im *Image) readData() (data []patched, err error) {
	if im.data != nil {
		return im.data, nil
	}
	var extents []extent
	for _, r := range im.mem.regions {
		e := extent{r.addr, r.addr + Addr(r.filed)}
		_, err := im.mem.locate(e)
		if err == nil && r.filed > 0 && (!r.exec || r.write) && !strings.HasPrefix(r.name, ".rel") {
			extents = append(extents, e)
		}
	}
	if slices.ContainsFunc(im.elf.Sections, func(s safeelf.Section) bool { return s.IsReloc() && s.Alloc() && s.Size > 0 }) {
		im.data, err = im.mem.readKnown(extents...)
		return im.data, err
	}
	for _, e := range extents { // nothing changes them: no copy is needed
		r, err := im.mem.locate(e)
		if err != nil {
			return nil, err
		}
		b, err := im.elf.Range(r.off, r.filed)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", r.name, err)
		}
		data = append(data, patched{extent: e, bytes: b})
	}
	im.data = data
	return data, nil
}

// readRaw returns a copy of the bytes of an extent as they lie in the file.
func (m *memory) readRaw(e extent) ([]byte, error) {
	if e.size() == 0 {
		return nil, nil
	}
	r, err := m.locate(e)
	if err != nil {
		return nil, err
	}
	b := make([]byte, e.size())
	if _, err := m.elf.ReadAt(b, int64(r.off+uint64(e.start-r.addr))); err != nil {
		return nil, fmt.Errorf("reading %#x to %#x from %s: %w", e.start, e.end, r.name, err)
	}
	return b, nil
}

// cString returns the NUL-ended string at an address, at most limit bytes of
// it. ok is false if there is none.
func (m *memory) cString(a Addr, limit int) (s string, ok bool) {
	r, found := m.regionAt(a)
	if !found || uint64(a-r.addr) >= r.filed {
		return "", false
	}
	b := make([]byte, min(uint64(limit), r.filed-uint64(a-r.addr)))
	if _, err := m.elf.ReadAt(b, int64(r.off+uint64(a-r.addr))); err != nil {
		return "", false
	}
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return "", false
	}
	return string(b[:end]), true
}

// searchChunk is how much is searched at a time.
const searchChunk = 256 << 10

// find returns the first address at which the bytes stand, of those that are
// accepted. Code is searched too: kernels for ARM before 3.4 keep read-only
// data in .text.
func (m *memory) find(want []byte, accept func(Addr) bool) (Addr, bool, error) {
	var buf []byte
	for _, r := range m.regions {
		if r.filed == 0 {
			continue
		}
		if n := min(searchChunk, r.filed); uint64(len(buf)) < n {
			buf = make([]byte, n)
		}
		for off := uint64(0); ; {
			chunk := buf[:min(uint64(len(buf)), r.filed-off)]
			if _, err := m.elf.ReadAt(chunk, int64(r.off+off)); err != nil {
				return 0, false, fmt.Errorf("reading %s: %w", r.name, err)
			}
			for i := bytes.Index(chunk, want); i >= 0; {
				if a := r.addr + Addr(off) + Addr(i); accept(a) {
					return a, true, nil
				}
				next := bytes.Index(chunk[i+1:], want)
				if next < 0 {
					break
				}
				i += 1 + next
			}
			if off+uint64(len(chunk)) == r.filed {
				break
			}
			off += uint64(len(chunk) - len(want) + 1) // what straddles is seen next time
		}
	}
	return 0, false, nil
}
