package elfscan

import (
	"slices"

	"github.com/initsect/initsect/internal/nearest"
	"github.com/initsect/initsect/symbols"
)

// Detail is everything about one initcall.
type Detail struct {
	*Initcall
	Position int       // in its level, from 1
	Of       int       // entries in its level
	Before   *Initcall // what runs just before it, nil if nothing does
	After    *Initcall
}

// Show returns the initcalls of a function, by its name, its name as the
// linker wrote it, or an alias.
func (l *Listing) Show(name string) []Detail {
	var found []Detail
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		if !c.isCalled(name) {
			continue
		}
		d := Detail{Initcall: c}
		d.Position, d.Of = l.position(c)
		if i > 0 {
			d.Before = &l.Initcalls[i-1]
		}
		if i+1 < len(l.Initcalls) {
			d.After = &l.Initcalls[i+1]
		}
		found = append(found, d)
	}
	return found
}

func (c *Initcall) isCalled(name string) bool {
	return name != "" && (name == c.Name || name == c.Symbol || name == c.Display() || name == c.Entry) ||
		slices.ContainsFunc(c.Aliases, func(a symbols.Symbol) bool { return a.Name == name })
}

func (l *Listing) position(c *Initcall) (position, of int) {
	for i := range l.Initcalls {
		other := &l.Initcalls[i]
		if other.Table == c.Table && other.Level == c.Level {
			of++
			if other.Order <= c.Order {
				position++
			}
		}
	}
	return position, of
}

// Nearest returns the names of initcalls that are most like name, best first.
func (l *Listing) Nearest(name string, n int) []string {
	var names []string
	for i := range l.Initcalls {
		if own := l.Initcalls[i].Name; own != "" {
			names = append(names, own)
		}
	}
	return nearest.Names(name, names, n)
}
