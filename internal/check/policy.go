package check

import (
	"github.com/initsect/initsect/elfscan"
)

// Policy says what is meant of an image. docs/policy.md describes its file.
type Policy struct {
	deferred     []wish
	notDeferred  []wish
	levels       []levelWish
	orders       []orderWish
	frozen       *frozen
	changes      []ruleChange
	suppressions []suppression
}

// wish is what a policy wants of a function.
type wish struct {
	function
	reason string // may be ""
}

// why is where the wish stands, and its reason, for a message.
func (w *wish) why() string {
	if w.reason == "" {
		return w.String()
	}
	return w.String() + ": " + w.reason
}

type levelWish struct {
	wish
	level elfscan.Level
}

// orderWish wants each call of a function before any call of another.
type orderWish struct {
	first wish
	then  function
}

// frozen are levels in which nothing may be that was not there when a document
// was saved.
type frozen struct {
	levels   []elfscan.Level
	place    // of the document's path
	document string
	allow    []wish
	saved    *Saved
}

// suppression takes the findings of a rule about a function out of the count,
// or those about a table as a whole.
type suppression struct {
	place
	rule     *Rule
	function *function
	table    elfscan.TableKind
	reason   string
}

// ruleChange is what a policy says of a rule.
type ruleChange struct {
	place
	RuleChange
}

// RuleChange is a rule that a policy turned off, or gave another severity.
type RuleChange struct {
	Rule     *Rule
	Off      bool
	Severity Severity // unless off
	Reason   string
	Findings int // that it dropped or changed
}

// Document is the path of the document, saved by list --format json, against
// which the policy freezes levels: as written there, so relative to the
// policy's file. It is "" if no level is frozen. SetDocument must be called
// with what is in it before the policy is used.
func (p *Policy) Document() string {
	if p.frozen == nil {
		return ""
	}
	return p.frozen.document
}

// SetDocument gives a policy what is in its Document.
func (p *Policy) SetDocument(s *Saved) { p.frozen.saved = s }

// apply adds what the policy finds to the findings so far, then does to all of
// them what it says of rules and of single findings.
func (p *Policy) apply(e *examiner, r *Result) error {
	known, err := newRoster(e, p)
	if err != nil {
		return err
	}
	for _, examine := range []func(*examiner, *roster) error{p.findDeferred, p.findLevels, p.findOrders, p.findNew, p.suppress} {
		if err := examine(e, known); err != nil {
			return err
		}
	}
	r.Findings, r.Changes = p.change(e.findings)
	return nil
}
