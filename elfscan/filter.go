package elfscan

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Filter selects initcalls. The zero Filter selects all.
type Filter struct {
	Levels []Level
	Table  TableKind
	Module string
	Match  *regexp.Regexp // of the function's name
}

// Select returns the listing with those initcalls only that the filter
// selects, in the order and with the numbers that they have in the whole
// image. A question that this image cannot answer is an error rather than an
// empty answer.
func (l *Listing) Select(f Filter) (*Listing, error) {
	if err := f.answerable(l); err != nil {
		return nil, err
	}
	selected := *l
	selected.Initcalls = slices.DeleteFunc(slices.Clone(l.Initcalls), func(c Initcall) bool { return !f.selects(&c) })
	return &selected, nil
}

func (f Filter) selects(c *Initcall) bool {
	return (len(f.Levels) == 0 || slices.Contains(f.Levels, c.Level)) &&
		(f.Table == "" || f.Table == c.Table.Kind) &&
		(f.Module == "" || f.Module == c.Module) &&
		(f.Match == nil || f.Match.MatchString(c.Display()))
}

func (f Filter) answerable(l *Listing) error {
	for _, level := range f.Levels {
		// Early ones are known wherever there are any.
		isInitcallLevel := level >= Level0 && level <= Level7s
		for i := range l.Initcalls {
			if isInitcallLevel && l.Initcalls[i].Level == LevelUnknown {
				return fmt.Errorf("cannot select level %s: this kernel has no boundary symbols that tell the level of every initcall", level)
			}
		}
		if level != level.Base() && !l.SyncKnown {
			return fmt.Errorf("cannot select level %s: without entry symbols it cannot be told from level %s", level, level.Base())
		}
	}
	hasModule := func(c Initcall) bool { return c.Module != "" }
	if f.Module != "" && len(l.Initcalls) > 0 && !slices.ContainsFunc(l.Initcalls, hasModule) {
		return errors.New("cannot select a module: this kernel's symbols do not name any")
	}
	return nil
}
