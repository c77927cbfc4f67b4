package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/check"
)

// Rule is one thing that can be wrong.
type Rule struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Severity string `json:"severity"` // error, warning, note; a policy may change a finding's
	Title    string `json:"title"`
	Help     string `json:"help"` // URL of its page
}

// Rules is the document of the rules that there are.
type Rules struct {
	Schema Schema `json:"schema"`
	Rules  []Rule `json:"rules"`
}

// CheckedRule is a rule, and whether the image was judged by it.
type CheckedRule struct {
	Rule
	Judged bool        `json:"judged"`
	Change *RuleChange `json:"change"` // null if the policy says nothing of the rule
}

// RuleChange is what a policy did to a rule.
type RuleChange struct {
	Severity string  `json:"severity"` // off, or that of its findings
	Reason   *string `json:"reason"`
	Findings int     `json:"findings"` // that it dropped or changed
}

// Finding is one thing that is wrong.
type Finding struct {
	Rule        string  `json:"rule"`
	Name        string  `json:"name"`
	Severity    string  `json:"severity"`
	Status      string  `json:"status"` // new, known, suppressed
	Fails       bool    `json:"fails"`  // is one for which the check fails
	Message     string  `json:"message"`
	Function    *string `json:"function"`
	Module      *string `json:"module"`
	Line        *int    `json:"line"`
	Table       *string `json:"table"`
	Level       *string `json:"level"`
	Section     *string `json:"section"`
	Symbol      *string `json:"symbol"`
	Address     *string `json:"address"`
	Other       *string `json:"other"`       // the other function, of a finding about two
	Reason      *string `json:"reason"`      // of a suppression
	Fingerprint string  `json:"fingerprint"` // the same in another build
}

// FixedFinding is what a baseline had and the image has not.
type FixedFinding struct {
	Rule     string  `json:"rule"`
	Function *string `json:"function"`
	Module   *string `json:"module"`
	Table    *string `json:"table"`
	Section  *string `json:"section"`
	Symbol   *string `json:"symbol"`
	Other    *string `json:"other"`
}

// Judged says how much was judged.
type Judged struct {
	Entries int `json:"entries"`
	Tables  int `json:"tables"`
	Rules   int `json:"rules"`
}

// StatusCounts are numbers of findings.
type StatusCounts struct {
	New        int `json:"new"`
	Known      int `json:"known"`
	Suppressed int `json:"suppressed"`
}

// SeverityCounts are numbers of findings.
type SeverityCounts struct {
	Error   StatusCounts `json:"error"`
	Warning StatusCounts `json:"warning"`
	Note    StatusCounts `json:"note"`
}

// Verdict says whether the check failed. Exit status and every format follow
// it.
type Verdict struct {
	FailOn string `json:"fail_on"` // the least severity that fails; never
	Failed bool   `json:"failed"`
}

// Check is the document of the check command.
type Check struct {
	Schema   Schema         `json:"schema"`
	Image    Image          `json:"image"`
	Policy   *string        `json:"policy"`   // path of the file
	Baseline *string        `json:"baseline"` // path of the file
	Judged   Judged         `json:"judged"`
	Verdict  Verdict        `json:"verdict"`
	Counts   SeverityCounts `json:"counts"`
	Rules    []CheckedRule  `json:"rules"`
	Findings []Finding      `json:"findings"`
	Fixed    []FixedFinding `json:"fixed"`
}

// CheckOptions say how a result is to be taken.
type CheckOptions struct {
	FailOn   check.Severity // "" for never
	Policy   string         // path; "" without one
	Baseline string         // path; "" without one
}

// never is the threshold that no severity reaches.
const never = "never"

// NewCheck makes the document of a check.
func NewCheck(im *elfscan.Image, l *elfscan.Listing, r *check.Result, opt CheckOptions) *Check {
	doc := &Check{
		Schema:   CheckSchema,
		Image:    newImage(im, l),
		Policy:   known(opt.Policy),
		Baseline: known(opt.Baseline),
		Judged:   Judged{Entries: r.Entries, Tables: r.Tables},
		Verdict:  Verdict{FailOn: never},
		Findings: []Finding{},
		Fixed:    []FixedFinding{},
	}
	if opt.FailOn != "" {
		doc.Verdict = Verdict{string(opt.FailOn), r.Worst(opt.FailOn) > 0}
	}
	for _, rule := range check.Rules {
		checked := newCheckedRule(rule, r.Changes)
		if checked.Judged && rule.OfPolicy() {
			checked.Judged = opt.Policy != ""
		}
		if checked.Judged {
			doc.Judged.Rules++
		}
		doc.Rules = append(doc.Rules, checked)
	}
	same := map[check.Key]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		same[f.Key()]++
		doc.Findings = append(doc.Findings, newFinding(f, opt.FailOn, same[f.Key()]))
		doc.Counts.add(f)
	}
	for _, k := range r.Fixed {
		doc.Fixed = append(doc.Fixed, newFixed(k))
	}
	return doc
}

// NewRules makes the document of all rules.
func NewRules() *Rules {
	doc := &Rules{Schema: RulesSchema}
	for _, rule := range check.Rules {
		doc.Rules = append(doc.Rules, newRule(rule))
	}
	return doc
}

// project is where the rules' pages can be read.
const project = "https://github.com/initsect/initsect/blob/main/"

func newRule(r *check.Rule) Rule {
	return Rule{r.ID, r.Name, string(r.Severity), r.Title, project + r.Page()}
}

// off is what a policy gives for the severity of a rule that it turns off.
const off = "off"

func newCheckedRule(rule *check.Rule, changes []check.RuleChange) CheckedRule {
	doc := CheckedRule{Rule: newRule(rule), Judged: true}
	for _, c := range changes {
		if c.Rule == rule {
			doc.Judged = !c.Off
			doc.Change = &RuleChange{string(c.Severity), known(c.Reason), c.Findings}
			if c.Off {
				doc.Change.Severity = off
			}
		}
	}
	return doc
}

func newFixed(k check.Key) FixedFinding {
	return FixedFinding{k.Rule, known(k.Function), known(k.Module), known(k.Table), known(k.Section), known(k.Symbol), known(k.Other)}
}

// newFinding makes the document of a finding, the n-th with its key.
func newFinding(f *check.Finding, failOn check.Severity, n int) Finding {
	doc := Finding{
		Rule:        f.Rule.ID,
		Name:        f.Rule.Name,
		Severity:    string(f.Severity),
		Status:      string(f.Status),
		Fails:       f.Status == check.New && failOn != "" && f.Severity.AtLeast(failOn),
		Message:     f.Message,
		Function:    known(f.Function),
		Module:      known(f.Module),
		Line:        known(f.Line),
		Table:       known(string(f.Table)),
		Level:       known(f.Level),
		Section:     known(f.Section),
		Symbol:      known(f.Symbol),
		Other:       known(f.Other),
		Reason:      known(f.Reason),
		Fingerprint: fingerprint(f.Key(), n),
	}
	if f.Address != nil {
		doc.Address = address(*f.Address)
	}
	return doc
}

// fingerprint is a key in a form that the services that compare reports take,
// with a number that tells equal keys apart.
func fingerprint(k check.Key, n int) string {
	fields := []string{k.Rule, k.Function, k.Module, k.Table, k.Symbol, k.Section, k.Other}
	sum := sha256.Sum256([]byte(strings.Join(fields, "\x00")))
	return fmt.Sprintf("%s:%d", hex.EncodeToString(sum[:8]), n)
}

func (c *SeverityCounts) add(f *check.Finding) {
	bySeverity := []*StatusCounts{&c.Error, &c.Warning, &c.Note}
	counts := bySeverity[slices.Index(check.Severities, f.Severity)]
	switch f.Status {
	case check.New:
		counts.New++
	case check.Known:
		counts.Known++
	case check.Suppressed:
		counts.Suppressed++
	}
}
