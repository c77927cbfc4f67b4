package elfscan

import "errors"

// Survey is what an image registers, with what is wrong with its tables.
type Survey struct {
	*Listing
	Faults []*TableError
}

// Survey reads an image as List does, but goes on where List refuses a table
// whose boundaries are wrong: it records the fault and lists what of the table
// can be read, each level from its own boundary symbol, as the kernel reads it.
// A table that cannot be read at all is not among the tables.
//
// What is not a fault of a table is an error here too: symbols of another
// build, relocations that were stripped, bytes that the file does not hold. So
// is a table that makes no sense and shows no reason.
//
// With a System.map in place of a symbol table List takes an entry symbol
// outside the tables, or in another level than its own, for a sign that the map
// is of another build; Survey takes it for a fault of the image, if all else
// that the map says of the image is right, its own symbol table included.
func (im *Image) Survey(opt ListOptions) (*Survey, error) {
	f := &faults{all: true}
	if im.Linked() && im.fromMap() {
		if err := im.checkMapAgainstKallsyms(); err != nil {
			return nil, err
		}
	}
	l, err := im.list(opt, f)
	if err != nil {
		return nil, err
	}
	return &Survey{l, f.found}, nil
}

// Section is a piece of the address space of a linked kernel.
type Section struct {
	Name string
	Addr Addr
	Size uint64 // in bytes
	Exec bool
}

// End is the address behind the section.
func (s Section) End() Addr { return s.Addr + Addr(s.Size) }

// Sections returns the sections of a linked kernel that are in its memory, or
// the segments of a file without sections, in the order of the file.
func (im *Image) Sections() []Section {
	if im.mem == nil {
		return nil
	}
	var sections []Section
	for _, r := range im.mem.regions {
		sections = append(sections, Section{r.name, r.addr, r.size, r.exec})
	}
	return sections
}

// Bytes returns what a linked kernel has in a range of its memory, relocations
// applied. It is an error if the file does not say.
func (im *Image) Bytes(r Range) ([]byte, error) {
	if im.mem == nil {
		return nil, errors.New("not a linked kernel")
	}
	p, err := im.mem.read(extent{r.From, r.To + 1})
	if err != nil {
		return nil, err
	}
	return p[0].bytes, nil
}
