package elfscan

import (
	"fmt"

	"github.com/initsect/initsect/symbols"
)

// checkNames holds the entry symbols against what the entries hold. In a
// kernel's own symbol table a single one that disagrees is a bad entry; if
// most do, the symbols are not this image's. Of a System.map not one may.
func (im *Image) checkNames(l *Listing) error {
	var named, wrong int
	var first *Initcall
	fromMap := im.syms != nil && im.syms.Source() == symbols.SourceMap
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		if c.Entry == "" && fromMap && c.Table.Kind != TableDeferred { // vendors name theirs as they like
			return mapMismatchf(im.mapFile, "it has no entry symbol at %#x, where the image has an entry of the %s table, and every map has one for each",
				c.Slot.Addr, c.Table.Kind)
		}
		if c.Entry == "" || !fromMap && c.Parsed.Ambiguous && c.Symbol == "" {
			continue
		}
		named++
		functions := []string{c.Symbol, c.Name, symbols.DisplayName(c.Symbol, false)}
		for _, a := range c.Aliases {
			functions = append(functions, a.Name, symbols.DisplayName(a.Name, false))
		}
		if c.Offset != 0 || !c.entryNames(functions) {
			wrong++
			if first == nil {
				first = c
			}
		}
	}
	switch {
	case wrong == 0:
		return nil
	case fromMap:
		return mapMismatchf(im.mapFile, "it has %s at %#x, but there the image calls %#x, which it names %q",
			first.Entry, first.Slot.Addr, first.Target.Addr, first.Display())
	case 2*wrong > named:
		return fmt.Errorf("the symbol table does not belong to this image: %d of %d entry symbols name another function than their entry holds, "+
			"such as %s at %#x, which holds %#x (%q)", wrong, named, first.Entry, first.Slot.Addr, first.Target.Addr, first.Display())
	}
	return nil
}
