package bootlog

import "strings"

// levelIDs are the ids of the levels that logs call by name
// (initcall_level_names, init/main.c, v4.19 on).
var levelIDs = map[string]string{
	"console": "console", "security": "security", "early": "early", "pure": "0", "core": "1", "postcore": "2",
	"arch": "3", "subsys": "4", "fs": "5", "device": "6", "late": "7",
}

// ModuleLevel stands for the level of what is called when a module is loaded.
const ModuleLevel = "module"

// UnknownLevel is the level of a call that neither image nor log tell it of.
const UnknownLevel = "unknown"

// Level returns the level of a call.
func (j *Join) Level(c *Joined) string {
	switch {
	case c.Entry >= 0:
		return j.Kernel.Entries[c.Entry].Level
	case c.Kind == KindModule:
		return ModuleLevel
	case levelIDs[c.Level] != "" && c.PID <= 1:
		return levelIDs[c.Level]
	}
	return UnknownLevel
}

// deferrable reports whether the calls of a level run so late that nothing in
// the kernel's own order follows but their like. Sync levels wait for others.
func deferrable(level string) bool {
	return !strings.HasSuffix(level, "s") && (level[0] == '6' || level[0] == '7')
}
