package check

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how bad a finding is.
type Severity string

// The severities, the worst first: a table is not as it must be; it is as it
// may have been meant; worth knowing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Severities lists all of them, the worst first.
var Severities = []Severity{Error, Warning, Note}

// AtLeast reports whether s is as bad as other, or worse.
func (s Severity) AtLeast(other Severity) bool {
	return slices.Index(Severities, s) <= slices.Index(Severities, other)
}

// ParseSeverity returns the severity of this name.
func ParseSeverity(name string) (Severity, error) {
	if s := Severity(name); slices.Contains(Severities, s) {
		return s, nil
	}
	return "", fmt.Errorf("unknown severity %q: want one of %v", name, Severities)
}

// Rule is one thing that can be wrong. IDs and names do not change; docs/rules
// has a page for each.
type Rule struct {
	ID       string
	Name     string
	Severity Severity // unless a policy changes it
	Title    string   // what it finds
}

// Page is the rule's page, as a path in the project.
func (r *Rule) Page() string { return "docs/rules/" + r.ID + ".md" }

// OfPolicy reports whether it takes a policy to break the rule.
func (r *Rule) OfPolicy() bool { return strings.HasPrefix(r.ID, "IS3") }

// The rules about tables.
var (
	ruleHalf         = &Rule{"IS001", "half-table", Error, "a table has only one of its two boundary symbols"}
	ruleReversed     = &Rule{"IS002", "reversed-table", Error, "a table ends before it starts"}
	ruleEmpty        = &Rule{"IS003", "empty-table", Error, "the table of the ordinary initcalls is empty"}
	ruleOutside      = &Rule{"IS004", "table-outside", Error, "a table runs out of its section, or lies in none"}
	ruleMisaligned   = &Rule{"IS005", "misaligned-table", Error, "a table does not start where its first entry is"}
	ruleSize         = &Rule{"IS006", "odd-size", Error, "a table or level is no whole number of entries"}
	ruleLevelOrder   = &Rule{"IS007", "level-order", Error, "a level begins behind the one that follows it"}
	ruleLevelMissing = &Rule{"IS008", "level-missing", Error, "a level has no boundary symbol, though others have"}
	ruleOverlap      = &Rule{"IS009", "overlap", Error, "two tables share memory, so that entries run twice"}
)

// The rules about entries.
var (
	ruleNull       = &Rule{"IS101", "null-entry", Error, "an entry holds no function"}
	ruleNotCode    = &Rule{"IS102", "not-executable", Error, "an entry points at what is no code"}
	ruleInside     = &Rule{"IS103", "inside-function", Error, "an entry points into a function, not at its start"}
	ruleNotText    = &Rule{"IS104", "not-text", Error, "an entry's function lies in another section than text"}
	ruleOtherName  = &Rule{"IS105", "other-function", Error, "an entry holds another function than its symbol names"}
	ruleWrongLevel = &Rule{"IS106", "wrong-level", Error, "an entry lies in another level than its symbol says"}
	ruleLost       = &Rule{"IS107", "lost", Error, "a registered initcall lies in no table, and never runs"}
	ruleTwice      = &Rule{"IS108", "registered-twice", Warning, "a function is in the ordinary tables more than once"}
)

// The rules about deferred initcalls.
var (
	ruleOrphan      = &Rule{"IS201", "orphan", Error, "a section of deferred entries is not enclosed by its boundary symbols, and they never run"}
	ruleNoSection   = &Rule{"IS202", "no-own-section", Error, "the deferred table has no output section of its own"}
	ruleForeign     = &Rule{"IS203", "foreign", Error, "the deferred table's section holds something else, too"}
	ruleDouble      = &Rule{"IS204", "runs-twice", Error, "a function is both deferred and an ordinary initcall"}
	ruleUnreachable = &Rule{"IS205", "unreachable", Error, "nothing in the kernel refers to the deferred table"}
	ruleEarlyFree   = &Rule{"IS206", "early-free", Error, "init memory is gone before the deferred initcalls can run"}
	ruleUnjudged    = &Rule{"IS207", "unjudged", Note, "who runs the deferred table, and when, cannot be told"}
)

// The rules of a policy.
var (
	ruleMustDefer    = &Rule{"IS301", "must-be-deferred", Error, "the policy wants a function deferred, and it is not"}
	ruleMustNotDefer = &Rule{"IS302", "must-not-be-deferred", Error, "the policy forbids to defer a function, and it is"}
	ruleLevel        = &Rule{"IS303", "policy-level", Error, "a function is not in the level that the policy wants"}
	ruleOrder        = &Rule{"IS304", "policy-order", Error, "two functions do not run in the order that the policy wants"}
	ruleNew          = &Rule{"IS305", "new-in-level", Error, "a level has an initcall that its baseline has not and the policy does not allow"}
	ruleUseless      = &Rule{"IS306", "useless-suppression", Warning, "a suppression of the policy matches nothing"}
)

// Rules lists all rules, by their id.
var Rules = []*Rule{
	ruleHalf, ruleReversed, ruleEmpty, ruleOutside, ruleMisaligned, ruleSize, ruleLevelOrder, ruleLevelMissing, ruleOverlap,
	ruleNull, ruleNotCode, ruleInside, ruleNotText, ruleOtherName, ruleWrongLevel, ruleLost, ruleTwice,
	ruleOrphan, ruleNoSection, ruleForeign, ruleDouble, ruleUnreachable, ruleEarlyFree, ruleUnjudged,
	ruleMustDefer, ruleMustNotDefer, ruleLevel, ruleOrder, ruleNew, ruleUseless,
}
