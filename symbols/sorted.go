package symbols

import (
	"cmp"
	"slices"
	"strings"
)

// Sorted returns the defined symbols as `nm -n` lists them in the C locale: by
// address, and those of one address by the bytes of their names. What no
// System.map has is left out: mapping symbols ($d) and compilers' local labels
// (.L1).
func (t *Table) Sorted() ([]Symbol, error) {
	all, err := t.All()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s Symbol) bool {
		return s.Name[0] == '$' || strings.HasPrefix(s.Name, ".L")
	})
	slices.SortStableFunc(all, func(a, b Symbol) int {
		return cmp.Or(cmp.Compare(a.Addr, b.Addr), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}
