package check

import (
	"github.com/initsect/initsect/symbols"
)

// lostEntry is an entry symbol that lies in no table.
type lostEntry struct {
	symbols.Symbol
	parsed  symbols.EntryName
	section string
}

// findLost reads the entry symbols that lie in no table.
func (e *examiner) findLost() error {
	lost, err := e.im.Lost(e.survey.Listing)
	if err != nil {
		return err
	}
	for _, s := range lost {
		parsed, ok := symbols.ParseEntry(s.Name, nil)
		if !ok {
			continue
		}
		e.lostAt = append(e.lostAt, lostEntry{s, parsed, ""})
	}
	return nil
}
