// Package report holds the documents that the commands produce: what
// --format json prints, and what every other format is a view of. Keys do not
// change within a schema version; docs/schema has the JSON Schemas.
//
// Addresses are strings in hex with 0x, because a JSON number does not hold 64
// bits. A value that is not known is null, never zero or empty.
package report

import (
	"strconv"

	"github.com/initsect/initsect/elfscan"
)

// Schema names the form of a document.
type Schema struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// Schemas of the documents.
var (
	ListSchema     = Schema{"initsect.list", 1}
	SectionsSchema = Schema{"initsect.sections", 1}
	ShowSchema     = Schema{"initsect.show", 1}
	UnpackSchema   = Schema{"initsect.unpack", 1}
)

// Image says what was read.
type Image struct {
	Path      string  `json:"path"`
	Container string  `json:"container"` // elf, object, module, archive
	Machine   string  `json:"machine"`
	Bits      int     `json:"bits"`
	ByteOrder string  `json:"byte_order"` // little, big
	ELFType   *string `json:"elf_type"`   // null for an archive
	Release   *string `json:"release"`
	Banner    *string `json:"banner"`
	BuildID   *string `json:"build_id"`
	Encoding  *string `json:"encoding"` // of the initcall table; null without one
	Symbols   string  `json:"symbols"`  // symtab, System.map
	Map       *string `json:"map"`      // the System.map that was used or compared
	MapShift  *string `json:"map_shift"`
}

// Boundary is an edge of a table.
type Boundary struct {
	Symbol  *string `json:"symbol"`
	Address *string `json:"address"`
}

// Level is a part of a table.
type Level struct {
	Level string   `json:"level"`
	Start Boundary `json:"start"`
	Count int      `json:"count"`
}

// Table is one table of initcalls.
type Table struct {
	Table      string   `json:"table"`
	Start      Boundary `json:"start"`
	End        Boundary `json:"end"`
	Section    *string  `json:"section"`
	InitMemory *bool    `json:"init_memory"`
	Encoding   *string  `json:"encoding"`
	Layout     string   `json:"layout"`
	EntrySize  int      `json:"entry_size"`
	Count      int      `json:"count"`
	Bytes      uint64   `json:"bytes"`
	Levels     []Level  `json:"levels"`
	Trigger    *string  `json:"trigger"`
	Inferred   []string `json:"inferred"`
}

// Entry is what an entry symbol says.
type Entry struct {
	Symbol    string  `json:"symbol"`
	Function  string  `json:"function"`
	ID        *string `json:"id"`
	Ambiguous bool    `json:"ambiguous"`
}

// Initcall is one entry of a table.
type Initcall struct {
	Order         int      `json:"order"`
	Table         string   `json:"table"`
	Level         string   `json:"level"`
	Slot          *string  `json:"slot"`
	SlotSection   *string  `json:"slot_section"`
	Target        *string  `json:"target"`
	TargetSection *string  `json:"target_section"`
	Symbol        *string  `json:"symbol"`     // the function, for people
	RawSymbol     *string  `json:"raw_symbol"` // as the linker wrote it
	Offset        uint64   `json:"offset"`     // of the target behind the symbol
	Size          *uint64  `json:"size"`
	Aliases       []string `json:"aliases"`
	Module        *string  `json:"module"`
	Line          *int     `json:"line"`
	Entry         *Entry   `json:"entry"`
	InitMemory    *bool    `json:"init_memory"`
	Group         *string  `json:"group"`
	Member        *string  `json:"member"`
}

// List is the document of the list command.
type List struct {
	Schema    Schema     `json:"schema"`
	Image     Image      `json:"image"`
	SyncKnown bool       `json:"sync_known"`
	Tables    []Table    `json:"tables"`
	Initcalls []Initcall `json:"initcalls"`
}

// NewList makes the document of a listing.
func NewList(im *elfscan.Image, l *elfscan.Listing) *List {
	doc := &List{
		Schema:    ListSchema,
		Image:     newImage(im, l),
		SyncKnown: l.SyncKnown,
		Tables:    newTables(l),
		Initcalls: make([]Initcall, 0, len(l.Initcalls)),
	}
	for i := range l.Initcalls {
		doc.Initcalls = append(doc.Initcalls, newInitcall(&l.Initcalls[i]))
	}
	return doc
}

func newImage(im *elfscan.Image, l *elfscan.Listing) Image {
	id := im.Identity
	doc := Image{
		Path:      im.Path,
		Container: string(im.Container),
		Machine:   id.Machine,
		Bits:      id.Bits,
		ByteOrder: "little",
		ELFType:   known(id.ELFType),
		Release:   known(id.Release),
		Banner:    known(id.Banner),
		BuildID:   known(id.BuildID),
		Symbols:   string(im.SymbolSource()),
		Map:       known(im.MapFile()),
	}
	if id.BigEndian {
		doc.ByteOrder = "big"
	}
	if shift := im.MapShift(); shift != 0 {
		doc.MapShift = address(elfscan.Addr(shift))
	}
	for _, t := range l.Tables {
		if t.Kind == elfscan.TableInitcall {
			doc.Encoding = known(string(t.Encoding))
		}
	}
	return doc
}

func newTables(l *elfscan.Listing) []Table {
	tables := make([]Table, 0, len(l.Tables))
	for _, t := range l.Tables {
		doc := Table{
			Table:      string(t.Kind),
			Start:      newBoundary(t.Start),
			End:        newBoundary(t.End),
			Section:    known(t.Section),
			InitMemory: t.InitMem,
			Encoding:   known(string(t.Encoding)),
			Layout:     string(t.Layout),
			EntrySize:  t.EntrySize,
			Count:      t.Count,
			Bytes:      t.Bytes(),
			Levels:     []Level{},
			Trigger:    known(t.Trigger),
			Inferred:   append([]string{}, t.Inferred...),
		}
		for _, s := range t.Levels {
			doc.Levels = append(doc.Levels, Level{s.Level.String(), newBoundary(s.Start), s.Count})
		}
		tables = append(tables, doc)
	}
	return tables
}

func newBoundary(b elfscan.Boundary) Boundary {
	if b == (elfscan.Boundary{}) {
		return Boundary{}
	}
	return Boundary{known(b.Symbol), address(b.Addr)}
}

func newInitcall(c *elfscan.Initcall) Initcall {
	doc := Initcall{
		Order:         c.Order,
		Table:         string(c.Table.Kind),
		Level:         c.Level.String(),
		Slot:          place(c.Slot),
		SlotSection:   known(c.Slot.Section),
		Target:        place(c.Target),
		TargetSection: known(c.Target.Section),
		Symbol:        known(c.Display()),
		RawSymbol:     known(c.Symbol),
		Offset:        c.Offset,
		Size:          known(c.Size),
		Aliases:       []string{},
		Module:        known(c.Module),
		Line:          known(c.Line),
		InitMemory:    c.InitMem,
		Group:         known(c.Group),
		Member:        known(c.Member),
	}
	for _, a := range c.Aliases {
		doc.Aliases = append(doc.Aliases, a.Name)
	}
	if c.Entry != "" {
		doc.Entry = &Entry{c.Entry, c.Parsed.Function, known(c.Parsed.ID), c.Parsed.Ambiguous}
	}
	return doc
}

// known returns nil for the zero value, which stands for "not known".
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func address(a elfscan.Addr) *string {
	s := "0x" + strconv.FormatUint(uint64(a), 16)
	return &s
}

func place(p elfscan.Place) *string {
	if !p.Known {
		return nil
	}
	return address(p.Addr)
}
