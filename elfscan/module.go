package elfscan

import (
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/symbols"
)

// modinfo returns the value of a key in .modinfo, which holds NUL-ended
// key=value strings.
func (im *Image) modinfo(key string) string {
	section, ok := im.elf.SectionByName(sectionModinfo)
	if !ok {
		return ""
	}
	info, err := im.elf.Bytes(section)
	if err != nil {
		return ""
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if value, ok := strings.CutPrefix(field, key+"="); ok {
			return value
		}
	}
	return ""
}

// addModuleFunctions adds a loadable module's init and exit functions. The
// struct module of a .ko points at them; an object that will become part of a
// .ko only defines them.
func (im *Image) addModuleFunctions(l *Listing) error {
	if im.Container == ContainerObject && len(l.Initcalls) > 0 {
		return nil // built in: a function that happens to be called so is no module's
	}
	defined, err := im.syms.Named(symInitModule, symCleanupModule)
	if err != nil {
		return err
	}
	t := &Table{Kind: TableModule, Layout: LayoutPlain, Encoding: EncodingAbsolute, EntrySize: im.elf.WordSize()}
	slots := map[string]Place{}
	if s, ok := im.elf.SectionByName(sectionThisModule); ok {
		t.Section = s.Name
		if slots, err = im.moduleSlots(s, defined); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		symbol string
		level  Level
	}{{symInitModule, LevelInit}, {symCleanupModule, LevelExit}} {
		if len(defined[f.symbol]) == 0 || !defined[f.symbol][0].Kind.Global() {
			continue
		}
		slot, ok := slots[f.symbol]
		if !ok && im.Container == ContainerModule {
			return tableErrorf(TableModule, "%s is defined, but %s does not point at it", f.symbol, sectionThisModule)
		}
		c, err := im.moduleCall(t, f.level, defined[f.symbol][0])
		if err != nil {
			return err
		}
		c.Slot = slot
		l.Initcalls = append(l.Initcalls, c)
		t.Levels = append(t.Levels, LevelSpan{Level: f.level, Count: 1})
		t.Count++
	}
	if t.Count > 0 {
		l.Tables = append(l.Tables, t)
	}
	return nil
}

// moduleSlots finds where in struct module the pointers to the functions are.
// Their offsets depend on the kernel's configuration; the relocations tell.
func (im *Image) moduleSlots(s safeelf.Section, defined map[string][]symbols.Symbol) (map[string]Place, error) {
	refs, err := im.refs(s)
	if err != nil {
		return nil, err
	}
	slots := map[string]Place{}
	for off, r := range refs {
		for name, syms := range defined {
			if r.place.Known && r.index == syms[0].Section && r.place.Addr == syms[0].Addr {
				slots[name] = Place{Addr: Addr(off), Section: s.Name, Known: true}
			}
		}
	}
	return slots, nil
}

func (im *Image) moduleCall(t *Table, level Level, f symbols.Symbol) (Initcall, error) {
	c := Initcall{Table: t, Level: level, Target: Place{Addr: f.Addr, Known: true}, Module: im.modinfo("name")}
	if f.Section < len(im.elf.Sections) {
		c.Target.Section = im.elf.Sections[f.Section].Name
		c.InitMem = new(strings.HasPrefix(c.Target.Section, ".init."))
	}
	at, err := im.syms.At([]Addr{f.Addr})
	if err != nil {
		return c, err
	}
	names := inSection(at[f.Addr], f.Section)
	isAlias := func(s symbols.Symbol) bool { return s.Name == symInitModule || s.Name == symCleanupModule }
	if own := slices.DeleteFunc(slices.Clone(names), isAlias); symbols.Preferred(own) >= 0 {
		c.setSymbols(own)
		c.Aliases = append(c.Aliases, f)
	} else {
		c.setSymbols(names)
	}
	return c, nil
}
