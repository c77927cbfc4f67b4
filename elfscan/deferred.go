package elfscan

import "regexp"

// trigger is a file of /proc that makes a deferred table run, with the string
// by which the kernel creates it.
type trigger struct {
	file  string
	words string
}

// triggers are the known ones, by the layout of the table that they run: Tim
// Bird's and its ports', LG's, and Sony's (init/snsc_deferred_initcalls.c).
var triggers = map[Layout]trigger{
	LayoutPlain: {"deferred_initcalls", "when user space first reads /proc/deferred_initcalls"},
	LayoutGroup: {"usercalls", `when user space writes a group, or "1" for all, to /proc/usercalls`},
	LayoutList:  {"snsc_deferred_initcalls", `when user space writes a group number or "all" to /proc/snsc_deferred_initcalls`},
}

// findTrigger says what runs a deferred table of this layout, "" if the image
// does not show it.
func (im *Image) findTrigger(layout Layout) (string, error) {
	t := triggers[layout]
	_, found, err := im.mem.find(append([]byte(t.file), 0), im.startsString)
	if err != nil || !found {
		return "", err
	}
	return t.words, nil
}

// startsString reports whether a word begins at an address: do_deferred_initcalls
// names a function, not a file.
func (im *Image) startsString(a Addr) bool {
	before, err := im.mem.readRaw(extent{a - 1, a})
	if err != nil {
		return true // the section's first byte
	}
	c := before[0]
	return c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9')
}

// sectionTable makes a deferred table of an output section that no boundary
// symbol encloses.
func (im *Image) sectionTable(name string) (*Table, error) {
	for _, r := range im.mem.regions {
		if r.name == name {
			t := &Table{
				Kind:     TableDeferred,
				Start:    Boundary{Addr: r.addr},
				End:      Boundary{Addr: r.addr + Addr(r.size)},
				Levels:   []LevelSpan{{Level: LevelDeferred, Start: Boundary{Addr: r.addr}}},
				Inferred: []string{"boundaries: those of the output section " + name + ", for want of symbols"},
			}
			if t.Bytes() > maxTable {
				return nil, tableErrorf(TableDeferred, "section %s is far too large for a table of initcalls", name)
			}
			return t, nil
		}
	}
	return nil, noDeferredf("the image has no section %s", name)
}

// deferredSection matches the sections that macros put deferred entries into:
// .deferred_initcall.init, Samsung's .deferred_initcall0s.init, LG's
// .user_initcall.init.
var deferredSection = regexp.MustCompile(`^\.(deferred_initcall([0-9]s?)?|user_initcall)\.init$`)

// IsDeferredSection reports whether a section is made for deferred entries, by
// its name in object files, which linker scripts keep.
func IsDeferredSection(name string) bool { return deferredSection.MatchString(name) }
