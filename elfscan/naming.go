package elfscan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/initsect/initsect/symbols"
)

// targetNames returns the symbols that name an entry's function. Compilers for
// ppc64 give the function's name to its descriptor, those for parisc64 to its
// code, where on ppc64 only the linker script's names of the text section are.
func targetNames(enc Encoding, e rawEntry, at hits) []symbols.Symbol {
	if enc == EncodingDescriptor {
		names := slices.DeleteFunc(slices.Clone(at[e.value]), func(s symbols.Symbol) bool { return symbols.IsLinkerScriptName(s.Name) })
		if len(names) > 0 {
			return names
		}
	}
	return textOnly(at[e.target])
}

func textOnly(syms []symbols.Symbol) []symbols.Symbol {
	return slices.DeleteFunc(slices.Clone(syms), func(s symbols.Symbol) bool { return !s.Kind.Text() })
}

// setSymbols chooses the target's name among the symbols there.
func (c *Initcall) setSymbols(syms []symbols.Symbol) {
	best := symbols.Preferred(syms)
	if best < 0 {
		return
	}
	c.Symbol, c.Size = syms[best].Name, syms[best].Size
	for i, s := range syms {
		if i != best && s.Name != c.Symbol {
			c.Aliases = append(c.Aliases, s)
		}
	}
	slices.SortFunc(c.Aliases, func(a, b symbols.Symbol) int { return cmp.Compare(a.Name, b.Name) })
	c.Aliases = slices.CompactFunc(c.Aliases, func(a, b symbols.Symbol) bool { return a.Name == b.Name })
}

// setEntry takes in what the entry symbol says: module, line, and whether the
// entry is among the sync ones of its level.
func (c *Initcall) setEntry(atSlot, target []symbols.Symbol) {
	var functions []string
	for _, s := range target {
		functions = append(functions, s.Name, symbols.DisplayName(s.Name, false))
	}
	for _, s := range atSlot {
		parsed, ok := symbols.ParseEntry(s.Name, functions)
		if !ok || c.Entry != "" && c.entryNames(functions) {
			continue
		}
		c.Entry, c.Parsed = s.Name, parsed
	}
	c.Module, c.Line = c.Parsed.Module, c.Parsed.Line
	if l := levelOfID(c.Parsed.ID); l != c.Level && l.Base() == c.Level.Base() && !c.Parsed.Ambiguous {
		c.Level = l
	}
}

// wrapperPrefix begins the name of the function that Sony's kernels register
// in place of each (CONFIG_SNSC_BOOT_TIME in include/linux/init.h).
const wrapperPrefix = "__boottime_"

// entryNames reports whether the entry symbol names one of the functions.
func (c *Initcall) entryNames(functions []string) bool {
	return slices.ContainsFunc(functions, func(f string) bool {
		return strings.TrimPrefix(f, wrapperPrefix) == c.Parsed.Function
	})
}

// nameOffsets names the targets at which no symbol lies by the nearest symbol
// before them.
func (im *Image) nameOffsets(calls []Initcall) error {
	var inside []Addr
	for _, c := range calls {
		if c.Symbol == "" && c.Target.Known && im.mem.executable(c.Target.Addr) {
			inside = append(inside, c.Target.Addr)
		}
	}
	if len(inside) == 0 {
		return nil
	}
	before, err := im.syms.Before(inside)
	if err != nil {
		return err
	}
	var starts []Addr
	for _, a := range before {
		starts = append(starts, a)
	}
	at, err := im.syms.At(starts)
	if err != nil {
		return err
	}
	for i := range calls {
		c := &calls[i]
		start, ok := before[c.Target.Addr]
		if c.Symbol != "" || !ok || !im.sameRegion(start, c.Target.Addr) {
			continue
		}
		c.setSymbols(textOnly(at[start]))
		c.Aliases, c.Offset = nil, uint64(c.Target.Addr-start)
	}
	return nil
}

func (im *Image) sameRegion(a, b Addr) bool {
	r, ok := im.mem.regionAt(b)
	return ok && r.contains(a)
}
