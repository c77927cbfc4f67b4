package elfscan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/safeelf"
)

// member is one object of an archive: a part of its file, or of a thin one a
// file beside it, which is opened only while it is read.
type member struct {
	name string
	part *filemap.File
	path string
	size int64
}

func (m member) open() (*filemap.File, error) {
	if m.part != nil {
		return m.part, nil
	}
	file, err := filemap.Open(m.path)
	if err != nil {
		return nil, named(m.path, err)
	}
	if file.Size() != m.size {
		file.Close()
		return nil, fmt.Errorf("%s has %d bytes, the archive says %d: rebuild the archive", m.path, file.Size(), m.size)
	}
	return file, nil
}

const (
	archiveMagic     = "!<arch>\n"
	thinMagic        = "!<thin>\n"
	memberHeaderSize = 60
	memberMagic      = "`\n"
	maxMemberName    = 4096 // PATH_MAX
)

func isArchive(f *filemap.File) bool {
	magic := make([]byte, len(archiveMagic))
	if _, err := f.ReadAt(magic, 0); err != nil {
		return false
	}
	return string(magic) == archiveMagic || string(magic) == thinMagic
}

// openArchive reads the members of an archive, but not yet their contents.
func openArchive(path string, file *filemap.File) (*Image, error) {
	im := &Image{Path: path, Container: ContainerArchive, file: file}
	a := archiveReader{path: path, file: file}
	members, err := a.read()
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	im.members = members
	for _, m := range members {
		object, err := openMember(m)
		if err != nil {
			return im, fmt.Errorf("archive: member %s: %w", m.name, err)
		}
		id := object.Identity
		object.Close()
		if im.Identity == (Identity{}) {
			im.Identity = Identity{Machine: id.Machine, Bits: id.Bits, BigEndian: id.BigEndian}
		}
		if id.Machine != im.Identity.Machine || id.Bits != im.Identity.Bits || id.BigEndian != im.Identity.BigEndian {
			return im, fmt.Errorf("archive: member %s is for %d-bit %s, the ones before it for %d-bit %s",
				m.name, id.Bits, id.Machine, im.Identity.Bits, im.Identity.Machine)
		}
	}
	return im, nil
}

// openMember opens a member as an image; the caller closes it.
func openMember(m member) (*Image, error) {
	file, err := m.open()
	if err != nil {
		return nil, err
	}
	object := &Image{Path: m.name, file: file}
	if object.elf, err = safeelf.New(file); err == nil && object.elf.Type != safeelf.TypeRel {
		err = fmt.Errorf("no object file (%v)", object.elf.Type)
	}
	if err == nil {
		err = object.openObject()
	}
	if err != nil {
		object.Close()
		return nil, err
	}
	return object, nil
}

// listArchive lists the members' entries in the order in which a kernel that
// is linked of them runs them: level by level, in each the members in order.
func (im *Image) listArchive(opt ListOptions) (*Listing, error) {
	all := &Listing{}
	for _, m := range im.members {
		object, err := openMember(m)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", m.name, err)
		}
		l, err := object.listObject(opt)
		if changed := object.checkUnchanged(); changed != nil {
			err = changed
		}
		object.Close()
		if errors.Is(err, ErrNoTable) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", m.name, err)
		}
		if err := all.merge(l, m.name); err != nil {
			return nil, fmt.Errorf("member %s: %w", m.name, err)
		}
	}
	if len(all.Initcalls) == 0 {
		return nil, fmt.Errorf("%w in any of the archive's %d members", ErrNoTable, len(im.members))
	}
	slices.SortStableFunc(all.Initcalls, func(a, b Initcall) int {
		return cmp.Or(compareKinds(a.Table.Kind, b.Table.Kind), cmp.Compare(a.Level, b.Level))
	})
	slices.SortFunc(all.Tables, func(a, b *Table) int { return compareKinds(a.Kind, b.Kind) })
	for i := range all.Initcalls {
		all.Initcalls[i].Order = i + 1
	}
	return all, nil
}

// merge adds a member's listing.
func (l *Listing) merge(other *Listing, name string) error {
	tables := map[*Table]*Table{}
	for _, t := range other.Tables {
		into, err := l.tableFor(input{kind: t.Kind, Section: safeelf.Section{Name: t.Section}},
			format{encoding: t.Encoding, layout: t.Layout, size: t.EntrySize})
		if err != nil {
			return err
		}
		into.Count += t.Count
		into.addLevels(t.Levels)
		tables[t] = into
	}
	for _, c := range other.Initcalls {
		c.Table, c.Member = tables[c.Table], name
		l.Initcalls = append(l.Initcalls, c)
	}
	l.SyncKnown = l.SyncKnown || other.SyncKnown
	return nil
}

func (t *Table) addLevels(spans []LevelSpan) {
	for _, s := range spans {
		i, ok := slices.BinarySearchFunc(t.Levels, s.Level, func(have LevelSpan, want Level) int { return cmp.Compare(have.Level, want) })
		if ok {
			t.Levels[i].Count += s.Count
		} else {
			t.Levels = slices.Insert(t.Levels, i, s)
		}
	}
}

// archiveReader reads the archive format of System V as GNU ar writes it: long
// names in a member "//", a symbol index in "/" or "/SYM64/", and in a thin
// archive members that are files beside it; and BSD's #1/<length> names.
type archiveReader struct {
	path  string
	file  *filemap.File
	thin  bool
	names []byte
	index []uint64 // offsets of members, from the symbol index
}

func (a *archiveReader) read() ([]member, error) {
	magic := make([]byte, len(archiveMagic))
	if _, err := a.file.ReadAt(magic, 0); err != nil {
		return nil, err
	}
	a.thin = string(magic) == thinMagic
	var members []member
	starts := map[uint64]bool{}
	for off := int64(len(archiveMagic)); off < a.file.Size(); {
		m, next, err := a.member(off)
		starts[uint64(off)] = true
		if err != nil {
			return nil, fmt.Errorf("member at offset %#x: %w", off, err)
		}
		if m != nil {
			members = append(members, *m)
		}
		off = next + next&1 // members begin at even offsets
	}
	for _, off := range a.index {
		if !starts[off] {
			return nil, fmt.Errorf("its index names a member at offset %#x, where there is none: is it truncated?", off)
		}
	}
	return members, nil
}

// readIndex reads the symbol index: how many symbols there are, then for each
// the offset of its member, all in big endian.
func (a *archiveReader) readIndex(body, size int64, word int) error {
	raw, err := a.file.Bytes(body, size)
	if err != nil {
		return err
	}
	number := func(i uint64) uint64 {
		if word == 8 {
			return binary.BigEndian.Uint64(raw[8*i:])
		}
		return uint64(binary.BigEndian.Uint32(raw[4*i:]))
	}
	words := uint64(len(raw) / word)
	if words == 0 || number(0) > words-1 {
		return errors.New("the index is malformed")
	}
	for i := range number(0) {
		a.index = append(a.index, number(i+1))
	}
	return nil
}

// member reads the member whose header is at off; it is nil for the archive's
// own tables.
func (a *archiveReader) member(off int64) (m *member, next int64, err error) {
	header := make([]byte, memberHeaderSize)
	if _, err := a.file.ReadAt(header, off); err != nil {
		return nil, 0, fmt.Errorf("its header is cut off: %w", err)
	}
	if string(header[58:60]) != memberMagic {
		return nil, 0, errors.New("its header is malformed")
	}
	name := strings.TrimRight(string(header[:16]), " ")
	size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
	if err != nil || size < 0 {
		return nil, 0, fmt.Errorf("its size is %q", header[48:58])
	}
	body := off + memberHeaderSize
	switch {
	case name == "/":
		return nil, body + size, a.readIndex(body, size, 4)
	case name == "/SYM64/":
		return nil, body + size, a.readIndex(body, size, 8)
	case strings.HasPrefix(name, "__.SYMDEF"): // BSD's
		_, err := a.file.Part(body, size)
		return nil, body + size, err
	case name == "//":
		a.names, err = a.file.Bytes(body, size)
		return nil, body + size, err
	}
	if name, body, size, err = a.memberName(name, body, size); err != nil {
		return nil, 0, err
	}
	if a.thin {
		m, err = a.thinMember(name, size)
		return m, body, err
	}
	part, err := a.file.Part(body, size)
	if err != nil {
		return nil, 0, err
	}
	return &member{name: name, part: part}, body + size, nil
}

// memberName resolves the ways of writing a long name.
func (a *archiveReader) memberName(name string, body, size int64) (string, int64, int64, error) {
	if digits, ok := strings.CutPrefix(name, "#1/"); ok {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > size || n > maxMemberName {
			return "", 0, 0, fmt.Errorf("its name is %q", name)
		}
		long := make([]byte, n)
		if _, err := a.file.ReadAt(long, body); err != nil {
			return "", 0, 0, err
		}
		return string(bytes.TrimRight(long, "\x00")), body + n, size - n, nil
	}
	if digits, ok := strings.CutPrefix(name, "/"); ok {
		// GNU ar leaves the / of a short name of 15 bytes in the last place.
		at, err := strconv.Atoi(strings.TrimRight(digits, " /"))
		if err != nil || at < 0 || at >= len(a.names) {
			return "", 0, 0, fmt.Errorf("its name is %q, beyond the table of names", name)
		}
		long, _, ended := bytes.Cut(a.names[at:min(at+maxMemberName, len(a.names))], []byte("\n"))
		if !ended {
			return "", 0, 0, fmt.Errorf("its name is %q, which does not end", name)
		}
		return strings.TrimSuffix(string(long), "/"), body, size, nil
	}
	return strings.TrimSuffix(name, "/"), body, size, nil
}

// thinMember names the file that a thin archive refers to, relative to the
// archive.
func (a *archiveReader) thinMember(name string, size int64) (*member, error) {
	if a.path == "-" {
		return nil, errors.New("a thin archive only names its members: give it as a file")
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(a.path), path)
	}
	return &member{name: name, path: path, size: size}, nil
}
