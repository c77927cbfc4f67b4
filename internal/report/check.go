package report

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/initsect/initsect/elfscan"
)

// check makes sure that a document that was read back is one that a list can
// be: the rows are those that the tables count.
func (doc *List) check() error {
	if err := doc.Image.check(); err != nil {
		return err
	}
	total := 0
	for i := range doc.Tables {
		t := &doc.Tables[i]
		if err := t.check(); err != nil {
			return fmt.Errorf("table %q: %w", t.Table, err)
		}
		if i > 0 && kindIndex(t.Table) <= kindIndex(doc.Tables[i-1].Table) {
			return fmt.Errorf("table %q comes after table %q", t.Table, doc.Tables[i-1].Table)
		}
		total += t.Count
	}
	if err := doc.checkOrders(total); err != nil {
		return err
	}
	for i := range doc.Initcalls {
		if err := doc.Initcalls[i].check(); err != nil {
			return fmt.Errorf("initcall %d: %w", i+1, err)
		}
	}
	return doc.checkCounts()
}

// checkOrders tells a document with a part of the rows, whose numbers still
// rise but leave gaps or end early, from one that is wrong.
func (doc *List) checkOrders(total int) error {
	rising := true
	for i, c := range doc.Initcalls {
		rising = rising && c.Order > 0 && c.Order <= total && (i == 0 || c.Order > doc.Initcalls[i-1].Order)
	}
	if rising && len(doc.Initcalls) < total {
		return fmt.Errorf("it has %d of the %d initcalls that its tables count: if it was written with --level, --table, --module or --match, write it without",
			len(doc.Initcalls), total)
	}
	if len(doc.Initcalls) != total {
		return fmt.Errorf("it has %d initcalls, but its tables count %d", len(doc.Initcalls), total)
	}
	if total == 0 {
		return errors.New("it has no initcall, which list does not write")
	}
	if !rising {
		return fmt.Errorf("the orders are not 1 to %d", total)
	}
	return nil
}

// checkCounts holds the rows against what each level of each table counts: as
// many follow each other, level by level. An image counts a sync level with its
// base level, for it has no boundary of its own.
func (doc *List) checkCounts() error {
	rows := doc.Initcalls
	for _, t := range doc.Tables {
		for _, l := range t.Levels {
			for range l.Count { // there are enough: checkOrders has counted them
				if c := rows[0]; c.Table != t.Table || baseLevel(c.Level) != baseLevel(l.Level) {
					return fmt.Errorf("initcall %d is of table %q at level %s, where one of table %q at level %s is counted",
						c.Order, c.Table, c.Level, t.Table, l.Level)
				}
				rows = rows[1:]
			}
		}
	}
	return nil
}

var containers = []elfscan.Container{
	elfscan.ContainerELF, elfscan.ContainerRaw, elfscan.ContainerObject, elfscan.ContainerModule, elfscan.ContainerArchive,
}

func (im *Image) check() error {
	switch {
	case !slices.Contains(containers, elfscan.Container(im.Container)):
		return fmt.Errorf("unknown container %q", im.Container)
	case im.Bits != 32 && im.Bits != 64:
		return fmt.Errorf("a machine of %d bits", im.Bits)
	case im.ByteOrder != "little" && im.ByteOrder != "big":
		return fmt.Errorf("unknown byte order %q", im.ByteOrder)
	}
	return checkEncoding(im.Encoding)
}

func checkEncoding(encoding *string) error {
	known := []elfscan.Encoding{elfscan.EncodingAbsolute, elfscan.EncodingPrel32, elfscan.EncodingDescriptor}
	if encoding != nil && !slices.Contains(known, elfscan.Encoding(*encoding)) {
		return fmt.Errorf("unknown encoding %q", *encoding)
	}
	return nil
}

func (t *Table) check() error {
	if kindIndex(t.Table) < 0 {
		return errors.New("there is no such table")
	}
	if t.EntrySize < 1 || t.EntrySize > maxEntrySize || t.Count < 0 || t.Count > MaxDocument {
		return fmt.Errorf("%d entries of %d bytes", t.Count, t.EntrySize)
	}
	if t.Bytes != uint64(t.Count)*uint64(t.EntrySize) {
		return fmt.Errorf("%d entries of %d bytes are not %d bytes", t.Count, t.EntrySize, t.Bytes)
	}
	layouts := []elfscan.Layout{elfscan.LayoutPlain, elfscan.LayoutGroup, elfscan.LayoutList}
	if !slices.Contains(layouts, elfscan.Layout(t.Layout)) {
		return fmt.Errorf("unknown layout %q", t.Layout)
	}
	if err := checkEncoding(t.Encoding); err != nil {
		return err
	}
	if err := checkAddresses(t.Start.Address, t.End.Address); err != nil {
		return err
	}
	sum := 0
	for _, l := range t.Levels {
		if !isLevel(l.Level) {
			return fmt.Errorf("unknown level %q", l.Level)
		}
		if l.Count < 0 || l.Count > t.Count {
			return fmt.Errorf("level %s has %d of %d entries", l.Level, l.Count, t.Count)
		}
		if err := checkAddresses(l.Start.Address); err != nil {
			return err
		}
		sum += l.Count
	}
	if sum != t.Count {
		return fmt.Errorf("its levels have %d entries, itself %d", sum, t.Count)
	}
	return nil
}

// maxEntrySize is far above that of any known entry, 20 bytes.
const maxEntrySize = 4096

func (c *Initcall) check() error {
	switch {
	case kindIndex(c.Table) < 0:
		return fmt.Errorf("unknown table %q", c.Table)
	case !isLevel(c.Level):
		return fmt.Errorf("unknown level %q", c.Level)
	case c.Line != nil && *c.Line < 1:
		return fmt.Errorf("line %d", *c.Line)
	}
	return checkAddresses(c.Slot, c.Target)
}

// kindIndex is the place of a table in run order, -1 if there is no such table.
func kindIndex(table string) int {
	return slices.Index(elfscan.TableKinds, elfscan.TableKind(table))
}

func isLevel(id string) bool {
	l, err := elfscan.ParseLevel(id)
	return err == nil && l.String() == id
}

func baseLevel(id string) string {
	l, err := elfscan.ParseLevel(id)
	if err != nil {
		return id
	}
	return l.Base().String()
}

var addressForm = regexp.MustCompile(`^0x[0-9a-f]+$`)

func checkAddresses(addresses ...*string) error {
	for _, a := range addresses {
		if a != nil && !addressForm.MatchString(*a) {
			return fmt.Errorf("%q is no address", *a)
		}
	}
	return nil
}
