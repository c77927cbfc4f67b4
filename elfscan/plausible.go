package elfscan

import (
	"fmt"

	"github.com/initsect/initsect/symbols"
)

// A listing can be consistent in itself and yet not be what this kernel does:
// the symbols may be another build's. The image says some things twice, and
// here they are held against each other.

// symLevels is the array by which the kernel walks the levels, from 3.4 on
// (init/main.c): the starts of levels 0 to 7 and __initcall_end.
const symLevels = "initcall_levels"

// levelsExtent is where that array lies; ok is false if there is none.
func (im *Image) levelsExtent(addrs map[string]Addr) (e extent, ok bool) {
	start, ok := addrs[symLevels]
	if !ok || !hasLevelBoundary(addrs) {
		return e, false
	}
	numbered := len(levelBoundaries) - 1 // rootfs is not in it
	return extent{start, start + Addr((numbered+1)*im.elf.WordSize())}, true
}

// checkLevels makes sure that the levels begin where the kernel will look for
// them.
func (im *Image) checkLevels(array patched, addrs map[string]Addr) error {
	if array.unfilled() && im.elf.IsRaw {
		return tableErrorf(TableInitcall, "%s at %#x is zero, and no relocation in the image fills it: this kernel would call nothing", symLevels, array.start)
	}
	if array.unfilled() {
		return nil // left to the boot code, and its relocations stripped
	}
	words := array.bytes
	check := func(symbol string) error {
		kernel := Addr(im.elf.Word(words))
		words = words[im.elf.WordSize():]
		if a, ok := addrs[symbol]; !ok || a == kernel {
			return nil
		}
		if im.fromMap() {
			return im.mismatchf("it has %s at %#x, but the kernel has it at %#x in %s", symbol, addrs[symbol], kernel, symLevels)
		}
		return tableErrorf(TableInitcall, "%s is at %#x, but the kernel will use %#x, which %s has", symbol, addrs[symbol], kernel, symLevels)
	}
	for _, b := range levelBoundaries {
		if b.level == LevelRootfs {
			continue
		}
		if err := check(b.symbol); err != nil {
			return err
		}
	}
	return check(symInitcallEnd)
}

func (im *Image) fromMap() bool { return im.syms != nil && im.syms.Source() == symbols.SourceMap }

// checkEntries holds the entry symbols against what the entries hold. In a
// kernel's own symbol table a single one that disagrees is a bad entry; if
// most do, the symbols are not this image's. Of a System.map not one may, for
// a map has nothing else to show that it is the image's.
func (im *Image) checkEntries(l *Listing, f *faults) error {
	var judged, wrong int
	var first *Initcall
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		if im.fromMap() {
			if err := im.checkMapEntry(c, f); err != nil {
				return err
			}
		}
		if c.Entry == "" || c.Parsed.Rust || c.Parsed.Ambiguous && c.Symbol == "" {
			continue
		}
		judged++
		if !c.agrees() {
			wrong++
			if first == nil {
				first = c
			}
		}
	}
	if 2*wrong > judged {
		return fmt.Errorf("the symbol table does not belong to this image: %d of %d entry symbols name another function than their entry holds, "+
			"such as %s at %#x, which holds %#x (%q)", wrong, judged, first.Entry, first.Slot.Addr, first.Target.Addr, first.Display())
	}
	if im.fromMap() && !f.all {
		return im.checkLost(l)
	}
	return nil
}

// Mislabelled reports whether the entry's symbol names another function than the
// entry holds. An entry that does not hold the start of a function is not.
func (c *Initcall) Mislabelled() bool {
	return c.Entry != "" && c.Sound() && !c.Parsed.Rust && !c.agrees()
}

// Registered returns the table and level for which an initcall was registered,
// as its entry symbol names them; ok is false if it names none.
func (c *Initcall) Registered() (table TableKind, level Level, ok bool) {
	switch id := c.Parsed.ID; {
	case c.Table.Kind == TableDeferred && (id == Level0.String() || id == Level0s.String()):
		return TableDeferred, LevelDeferred, true // Samsung's ids within the deferred table
	case c.Level == Level0 && id == Level1.String() && c.Module == "":
		return TableInitcall, Level0, true // of pure_initcall before 2.6.28
	}
	return Registered(c.Parsed)
}

// Registered returns the table and level that an entry symbol names; ok is
// false if it names none.
func Registered(entry symbols.EntryName) (table TableKind, level Level, ok bool) {
	if entry.ID == "" || entry.Ambiguous || entry.Rust { // Rust's names have no id in them
		return "", LevelUnknown, false
	}
	switch level = levelOfID(entry.ID); level {
	case LevelUnknown:
		return "", LevelUnknown, false
	case LevelConsole:
		return TableConsole, level, true
	case LevelSecurity:
		return TableSecurity, level, true
	case LevelDeferred:
		return TableDeferred, level, true
	}
	return TableInitcall, level, true
}

// agrees reports whether the entry holds the function that its symbol names.
func (c *Initcall) agrees() bool {
	functions := []string{c.Symbol, c.Name, symbols.DisplayName(c.Symbol, false)}
	for _, a := range c.Aliases {
		functions = append(functions, a.Name, symbols.DisplayName(a.Name, false))
	}
	return c.Offset == 0 && c.entryNames(functions)
}

func (im *Image) checkMapEntry(c *Initcall, f *faults) error {
	id := levelOfID(c.Parsed.ID)
	switch {
	case c.Entry == "" && c.Table.Kind != TableDeferred: // vendors name those as they like
		return im.mismatchf("it has no entry symbol at %#x, where the image has an entry of the %s table, and every map has one for each",
			c.Slot.Addr, c.Table.Kind)
	case c.Entry == "" || c.Parsed.Rust:
		return nil
	case !c.agrees():
		return im.mismatchf("it has %s at %#x, but there the image calls %#x, which it names %q",
			c.Entry, c.Slot.Addr, c.Target.Addr, c.Display())
	case !f.all && c.Table.Kind == TableInitcall && id != LevelUnknown && c.Level != LevelUnknown && id.Base() != c.Level.Base():
		return im.mismatchf("it has %s at %#x, in level %s", c.Entry, c.Slot.Addr, c.Level)
	}
	return nil
}

// maxEntrySymbols bounds how many entry symbols are looked at.
const maxEntrySymbols = 1 << 16

// Lost returns the entry symbols that lie in none of the listed tables: their
// initcalls are never called. Rust's are not looked for, as other symbols have
// names of their form.
func (im *Image) Lost(l *Listing) (lost []symbols.Symbol, err error) {
	if !im.Linked() {
		return nil, nil
	}
	all, err := im.syms.Prefixed(symbols.EntryPrefix, maxEntrySymbols)
	if err != nil {
		return nil, err
	}
	listed := make(map[Addr]bool, len(l.Initcalls))
	for i := range l.Initcalls {
		listed[l.Initcalls[i].Slot.Addr] = true
	}
	for _, s := range all {
		if symbols.IsEntryName(s.Name) && !listed[s.Addr] && !s.Kind.Text() {
			lost = append(lost, s)
		}
	}
	return lost, nil
}

// checkLost makes sure that a map's tables hold all of its entry symbols that
// lie among them: a map that lost a boundary, or has it elsewhere, would hide
// initcalls.
func (im *Image) checkLost(l *Listing) error {
	lost, err := im.Lost(l)
	if err != nil {
		return err
	}
	for _, s := range lost {
		for _, t := range l.Tables {
			if t.Kind == TableInitcall && im.sectionAt(s.Addr) == t.Section {
				return im.mismatchf("it has %s at %#x, which lies in no table that the map bounds", s.Name, s.Addr)
			}
		}
	}
	return nil
}
