package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// Status is whether a finding counts.
type Status string

// The states of a finding. Only new ones count.
const (
	New        Status = "new"
	Known      Status = "known"      // in the baseline
	Suppressed Status = "suppressed" // by the policy
)

// Finding is one thing that is wrong.
type Finding struct {
	Rule     *Rule
	Severity Severity
	Message  string // one sentence: what is wrong where, and what will happen

	// What it is about, as far as it is about that: the function of an
	// initcall with its module and line, the table, level and section that it
	// is in, the address of the entry or the boundary, the boundary's symbol.
	Function string
	Module   string // "" if unknown
	Line     int    // 0 if unknown
	Table    elfscan.TableKind
	Level    string
	Section  string
	Symbol   string
	Address  *elfscan.Addr
	Other    string // the other function, if it is about two

	Status Status
	Reason string // of a suppression
}

// Key identifies a finding across builds of a kernel: it has no addresses, nor
// the numbers and lines in entry symbols. Findings with the same key are told
// apart by their order.
func (f *Finding) Key() Key {
	// Of a Rust function the key has the name without the hash, however it is
	// printed, and of all names only what JSON can hold.
	valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	return Key{
		f.Rule.ID, valid(symbols.DisplayName(f.Function, true)), valid(f.Module), string(f.Table),
		valid(f.Symbol), valid(f.Section), valid(f.Other),
	}
}

// Key is what makes a finding the same one in another build.
type Key struct {
	Rule, Function, Module, Table, Symbol, Section, Other string
}

// Result is what a check found.
type Result struct {
	Findings []Finding // the worst first, then by rule and address
	Entries  int       // that were judged
	Tables   int
	Fixed    []Key // of the baseline, that were not found any more

	Changes []RuleChange // that the policy made, by the rule's id
}

// Worst returns how many new findings are at least as bad as a severity.
func (r *Result) Worst(least Severity) int {
	n := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Status == New && f.Severity.AtLeast(least) {
			n++
		}
	}
	return n
}

// sortFindings puts the worst first.
func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Severities, a.Severity), slices.Index(Severities, b.Severity)),
			strings.Compare(a.Rule.ID, b.Rule.ID),
			cmp.Compare(a.address(), b.address()),
			strings.Compare(a.Function, b.Function),
		)
	})
}

func (f *Finding) address() elfscan.Addr {
	if f.Address == nil {
		return 0
	}
	return *f.Address
}
