package elfscan

import (
	"errors"
	"fmt"
)

// FaultKind is one way in which a table can be wrong as a whole.
type FaultKind string

// The faults. The zero FaultKind stands for a table of which more cannot be
// said than that it makes no sense.
const (
	FaultHalf         FaultKind = "half"          // one of its two boundary symbols is missing
	FaultReversed     FaultKind = "reversed"      // it ends before it starts
	FaultEmpty        FaultKind = "empty"         // the table of the ordinary initcalls has no entry
	FaultOutside      FaultKind = "outside"       // it runs out of its section, or lies in none
	FaultMisaligned   FaultKind = "misaligned"    // its start is not where its first entry is
	FaultSize         FaultKind = "size"          // a boundary lies inside an entry
	FaultLevelOrder   FaultKind = "level-order"   // a level begins behind the one that follows it
	FaultLevelMissing FaultKind = "level-missing" // a level has no boundary symbol; others have
)

// TableError tells what is wrong with a table.
type TableError struct {
	Table TableKind
	Kind  FaultKind
	At    Boundary // that is wrong, if it is one
	Msg   string
	Err   error // ErrNoDeferred or nil
}

// ErrNoDeferred is what a [TableError] wraps if a linked kernel has nothing of
// the deferred table that the caller named.
var ErrNoDeferred = errors.New("no such deferred table")

func (e *TableError) Error() string { return fmt.Sprintf("%s table: %s", e.Table, e.Msg) }

func (e *TableError) Unwrap() error { return e.Err }

func noDeferredf(format string, args ...any) error {
	return &TableError{Table: TableDeferred, Msg: fmt.Sprintf(format, args...), Err: ErrNoDeferred}
}

func tableErrorf(kind TableKind, format string, args ...any) error {
	return &TableError{Table: kind, Msg: fmt.Sprintf(format, args...)}
}

// faults is where the reading of an image puts the faults of its tables. List
// wants none and stops at the first; Survey wants all of them.
type faults struct {
	all   bool
	found []*TableError
}

// addf records a fault. It returns an error if that is the end of it.
func (f *faults) addf(table TableKind, kind FaultKind, at Boundary, format string, args ...any) error {
	e := &TableError{Table: table, Kind: kind, At: at, Msg: fmt.Sprintf(format, args...)}
	if !f.all {
		return e
	}
	f.found = append(f.found, e)
	return nil
}

// notef records a fault that does not keep a table from being listed.
func (f *faults) notef(table TableKind, kind FaultKind, at Boundary, format string, args ...any) {
	if f.all {
		f.found = append(f.found, &TableError{Table: table, Kind: kind, At: at, Msg: fmt.Sprintf(format, args...)})
	}
}
