package elfscan

import (
	"strconv"

	"github.com/initsect/initsect/symbols"
)

// Table is one linker-built table of initcalls. In an object file it stands
// for all input sections that will go into that table; Start and End are
// zero then.
type Table struct {
	Kind      TableKind
	Start     Boundary
	End       Boundary
	Levels    []LevelSpan // in address order; at least one
	Section   string      // output section that holds the table
	InitMem   *bool       // the table lies in memory that is freed after boot; nil if unknown
	Encoding  Encoding
	Layout    Layout
	EntrySize int // in bytes
	Count     int // entries

	// Trigger says what makes a deferred table run, in words, if the image
	// shows it.
	Trigger string

	// Inferred lists what about the table was not read from the image but
	// concluded, with the reason.
	Inferred []string

	first Boundary // the first entry symbol, if it lies a little behind the start
}

// Bytes is the size of the table in bytes.
func (t *Table) Bytes() uint64 {
	if t.End == (Boundary{}) { // not linked yet
		return uint64(t.Count) * uint64(t.EntrySize)
	}
	return uint64(t.End.Addr - t.Start.Addr)
}

// Initcall is one entry of a table.
type Initcall struct {
	Order int // position in run order over the whole image, from 1
	Table *Table
	Level Level // where the entry runs; see also Entry.ID

	Slot   Place // of the entry
	Target Place // of the function

	// Symbol is the name that the kernel prints for the target, as the linker
	// wrote it, and Name the function that it stands for. Both are "" if no
	// symbol is at or before the target. Offset is how far behind the symbol
	// the target lies: 0 but for a bad entry.
	Symbol  string
	Name    string
	Offset  uint64
	Size    uint64            // of the function in bytes, 0 if unknown
	Aliases []symbols.Symbol  // the other names of the target
	Entry   string            // the entry symbol, "" if the table has none
	Parsed  symbols.EntryName // what the entry symbol says
	Module  string            // "" if unknown
	Line    int               // of the macro in the source, 0 if unknown
	InitMem *bool             // the function lies in memory that is freed after boot; nil if unknown
	Group   string            // of a vendor's deferred table: what is written to run it
	Member  string            // of an archive: the object that the entry is in
}

// Sound reports whether the entry holds the start of a function, as far as the
// file tells.
func (c *Initcall) Sound() bool { return c.Symbol != "" && c.Offset == 0 }

// Place is an address, or in an object file an offset in a section.
type Place struct {
	Addr    Addr
	Section string
	Known   bool // false if the file does not define it
}

// String is the place in hex, without 0x, and "-" if it is not known.
func (p Place) String() string {
	if !p.Known {
		return "-"
	}
	return strconv.FormatUint(uint64(p.Addr), 16)
}

// Display is the name of the initcall for people: the function, with the
// distance if the entry does not point at its start, and "" if it points at
// nothing with a name.
func (c *Initcall) Display() string {
	if c.Name == "" || c.Offset == 0 {
		return c.Name
	}
	return c.Name + "+0x" + strconv.FormatUint(c.Offset, 16)
}

// Listing is what an image registers: its tables and their entries.
type Listing struct {
	Tables    []*Table
	Initcalls []Initcall // in run order

	// SyncKnown is false if entry symbols are missing that would tell the sync
	// levels from their base levels.
	SyncKnown bool
}

func decimal(n int) string { return strconv.Itoa(n) }
