package bootlog

import (
	"fmt"
	"slices"
	"strings"
)

// Blacklist returns the functions that a kernel's command line forbids.
func Blacklist(commandLine string) []string {
	var names []string
	for _, word := range strings.Fields(commandLine) {
		if list, ok := strings.CutPrefix(word, "initcall_blacklist="); ok {
			names = append(names, strings.Split(list, ",")...)
		}
	}
	return names
}

// CheckBlacklist returns the names that initcall_blacklist= needs to forbid
// functions: those that the linker gave, which are other ones where a stub
// calls the function. A name of no entry is an error, and so is one of console
// calls, on which the argument has no effect (do_one_initcall, init/main.c,
// v6.12).
func (k *Kernel) CheckBlacklist(functions []string) (names, warnings []string, err error) {
	for _, function := range functions {
		var entries []int
		for i := range k.Entries {
			if slices.Contains(k.Entries[i].Names, function) {
				entries = append(entries, i)
			}
		}
		if len(entries) == 0 {
			return nil, nil, fmt.Errorf("no initcall %q to blacklist", function)
		}
		for _, i := range entries {
			e := &k.Entries[i]
			if e.Table == "console" || e.Table == "security" || e.Direct {
				return nil, nil, fmt.Errorf("%s is in the %s table, whose calls initcall_blacklist= does not keep away", function, e.Table)
			}
			if e.Raw == "" {
				return nil, nil, fmt.Errorf("how the linker named %s is not known, and that name is what initcall_blacklist= needs", function)
			}
			if !slices.Contains(names, e.Raw) {
				names = append(names, e.Raw)
			}
		}
		if len(entries) > 1 {
			warnings = append(warnings, fmt.Sprintf("%s is the name of %d entries: none of them is called", function, len(entries)))
		}
	}
	return names, warnings, nil
}
