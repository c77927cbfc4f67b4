package elfscan

import (
	"fmt"
	"strings"
)

// Level is when an initcall runs. Levels compare in run order.
type Level uint8

// The levels, in run order (include/linux/init.h and
// include/asm-generic/vmlinux.lds.h). The sync levels are the tails of their
// base levels and have no boundary symbol: only an entry symbol tells them.
const (
	LevelUnknown  Level = iota // the kernel has no boundary symbols that tell
	LevelConsole               // console_init, long before the others
	LevelSecurity              // security_init, kernels before 4.20
	LevelEarly                 // before the other processors are started
	Level0
	Level0s
	Level1
	Level1s
	Level2
	Level2s
	Level3
	Level3s
	Level4
	Level4s
	Level5
	Level5s
	LevelRootfs
	Level6
	Level6s
	Level7
	Level7s
	LevelDeferred // when user space asks for it
	LevelInit     // a module's init function, at load
	LevelExit     // a module's exit function, at unload
	levelCount
)

// levels gives the id of each level, as in symbols and in our output, and the
// kernel's word for it (initcall_level_names in init/main.c, v6.12).
var levels = [levelCount]struct{ id, name string }{
	LevelUnknown:  {"unknown", ""},
	LevelConsole:  {"console", ""},
	LevelSecurity: {"security", ""},
	LevelEarly:    {"early", ""},
	Level0:        {"0", "pure"},
	Level0s:       {"0s", "pure sync"},
	Level1:        {"1", "core"},
	Level1s:       {"1s", "core sync"},
	Level2:        {"2", "postcore"},
	Level2s:       {"2s", "postcore sync"},
	Level3:        {"3", "arch"},
	Level3s:       {"3s", "arch sync"},
	Level4:        {"4", "subsys"},
	Level4s:       {"4s", "subsys sync"},
	Level5:        {"5", "fs"},
	Level5s:       {"5s", "fs sync"},
	LevelRootfs:   {"rootfs", ""},
	Level6:        {"6", "device"},
	Level6s:       {"6s", "device sync"},
	Level7:        {"7", "late"},
	Level7s:       {"7s", "late sync"},
	LevelDeferred: {"deferred", ""},
	LevelInit:     {"init", ""},
	LevelExit:     {"exit", ""},
}

// String returns the level's id, such as "6s".
func (l Level) String() string {
	if l < levelCount {
		return levels[l].id
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// Title is the id with the kernel's word for it, such as "6s device sync".
func (l Level) Title() string {
	if l < levelCount && levels[l].name != "" {
		return levels[l].id + " " + levels[l].name
	}
	return l.String()
}

// ParseLevel returns the level with this id, or with the kernel's word for it.
func ParseLevel(s string) (Level, error) {
	for l := range levelCount {
		if s == levels[l].id || s != "" && s == levels[l].name {
			return l, nil
		}
	}
	return LevelUnknown, fmt.Errorf("unknown level %q: want one of %s", s, levelIDs())
}

// levelIDs names the levels for people.
func levelIDs() string {
	var ids []string
	for l := LevelConsole; l < levelCount; l++ {
		ids = append(ids, levels[l].id)
	}
	return strings.Join(ids, ", ")
}

// Base returns the level whose boundary symbol an entry of level l lies behind.
func (l Level) Base() Level {
	switch l {
	case Level0s, Level1s, Level2s, Level3s, Level4s, Level5s, Level6s, Level7s:
		return l - 1
	}
	return l
}

// levelOfID returns the level that an entry symbol's id names. "rootfss" is
// matched by the linker script as the tail of rootfs.
func levelOfID(id string) Level {
	switch id {
	case "con":
		return LevelConsole
	case "rootfss":
		return LevelRootfs
	}
	l, err := ParseLevel(id)
	if err != nil {
		return LevelUnknown
	}
	return l
}

// TableKind is which of the kernel's tables of initcalls a table is.
type TableKind string

// The tables. TableModule stands for the two functions of a loadable module.
const (
	TableConsole  TableKind = "console"
	TableSecurity TableKind = "security"
	TableInitcall TableKind = "initcall"
	TableDeferred TableKind = "deferred"
	TableModule   TableKind = "module"
)

// TableKinds lists all kinds in run order.
var TableKinds = []TableKind{TableConsole, TableSecurity, TableInitcall, TableDeferred, TableModule}
