package report

import "github.com/initsect/initsect/internal/check"

// Saved is what a policy that freezes levels needs of a saved document.
func (doc *List) Saved() *check.Saved {
	saved := &check.Saved{SyncKnown: doc.SyncKnown}
	for i := range doc.Initcalls {
		c := &doc.Initcalls[i]
		saved.Initcalls = append(saved.Initcalls, check.Registered{Level: c.Level, Function: text(c.Symbol), Module: text(c.Module)})
	}
	return saved
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
