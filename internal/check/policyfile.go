package check

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/nearest"
)

// policyVersion is the version of the policy's format.
const policyVersion = 1

// ParsePolicy reads the text of a policy. Its errors are *PolicyError.
func ParsePolicy(text []byte) (*Policy, error) {
	root, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	var (
		r policyReader
		p Policy
	)
	r.fields(
		root, "a policy, a mapping that begins with version: 1",
		field{"version", true, r.version},
		field{"deferred", false, func(n *yaml.Node) { p.deferred = r.wishes(n) }},
		field{"not-deferred", false, func(n *yaml.Node) { p.notDeferred = r.wishes(n) }},
		field{"levels", false, func(n *yaml.Node) { p.levels = r.levels(n) }},
		field{"order", false, func(n *yaml.Node) { p.orders = r.orders(n) }},
		field{"frozen", false, func(n *yaml.Node) { p.frozen = r.frozen(n) }},
		field{"rules", false, func(n *yaml.Node) { p.changes = r.changes(n) }},
		field{"suppress", false, func(n *yaml.Node) { p.suppressions = r.suppressions(n) }},
	)
	if r.err == nil {
		r.err = p.contradiction()
	}
	if r.err != nil {
		return nil, r.err
	}
	return &p, nil
}

// contradiction finds a function that is to be deferred and is not to be.
func (p *Policy) contradiction() error {
	lines := map[string]int{}
	for _, w := range p.deferred {
		lines[w.text] = w.line
	}
	for _, not := range p.notDeferred {
		if line := lines[not.text]; line > 0 {
			return not.errorf("%s must be deferred, says line %d", clip(not.text), line)
		}
	}
	return nil
}

// policyReader knows what the nodes of a policy mean.
type policyReader struct{ nodeReader }

func (r *policyReader) version(n *yaml.Node) {
	if v := r.number(n, "version: 1"); r.err == nil && v != policyVersion {
		r.fail(n, "version %d is not known: want version: %d", v, policyVersion)
	}
}

// function is how a policy names a function of an image.
type function struct {
	place
	text     string // as written
	module   string // "" for those of all modules
	name     string
	optional bool // not every image has it
}

// functionForm takes module:function apart. Rust's names have :: in them.
var functionForm = regexp.MustCompile(`^(?:([\w.-]+(?::[\w.-]+)*):)?([^\s:](?:.*[^\s:])?)$`)

func (r *policyReader) function(n *yaml.Node) function {
	f := function{place: nodePlace(n), text: r.text(n, "a function")}
	parts := functionForm.FindStringSubmatch(f.text)
	if parts == nil {
		r.fail(n, "want function or module:function, not %q", clip(f.text))
		return f
	}
	f.module, f.name = parts[1], parts[2]
	return f
}

// wish reads a function, alone or with keys of its own. A policy that makes a
// check weaker must say why.
func (r *policyReader) wish(n *yaml.Node, mustSayWhy bool) (w wish) {
	if n.Kind == yaml.ScalarNode && !mustSayWhy {
		w.function = r.function(n)
		return w
	}
	want := "a function, or a mapping with the keys function, reason and optional"
	if mustSayWhy {
		want = "a mapping with the keys function, reason and optional"
	}
	var optional bool
	r.fields(
		n, want,
		field{"function", true, func(n *yaml.Node) { w.function = r.function(n) }},
		field{"reason", mustSayWhy, func(n *yaml.Node) { w.reason = r.reason(n) }},
		field{"optional", false, func(n *yaml.Node) { optional = r.onlyTrue(n) }},
	)
	w.optional = optional
	return w
}

func (r *policyReader) reason(n *yaml.Node) string { return r.sentence(n, "a reason") }

func (r *policyReader) wishes(n *yaml.Node) []wish {
	return r.uniqueWishes(n, false)
}

func (r *policyReader) uniqueWishes(n *yaml.Node, mustSayWhy bool) (wishes []wish) {
	lines := map[string]int{}
	r.list(n, "a list of functions", func(item *yaml.Node) {
		w := r.wish(item, mustSayWhy)
		if line := lines[w.text]; line > 0 {
			r.fail(item, "%s is there already, in line %d", clip(w.text), line)
		}
		lines[w.text] = w.line
		wishes = append(wishes, w)
	})
	return wishes
}

func (r *policyReader) levels(n *yaml.Node) (wishes []levelWish) {
	r.mapping(n, "a mapping of functions to levels", func(key, value *yaml.Node) {
		w := levelWish{wish: wish{function: r.function(key)}}
		if value.Kind == yaml.MappingNode {
			r.fields(
				value, "a level, or a mapping with the keys level, reason and optional",
				field{"level", true, func(n *yaml.Node) { w.level = r.level(n) }},
				field{"reason", false, func(n *yaml.Node) { w.reason = r.reason(n) }},
				field{"optional", false, func(n *yaml.Node) { w.optional = r.onlyTrue(n) }},
			)
		} else {
			w.level = r.level(value)
		}
		wishes = append(wishes, w)
	})
	return wishes
}

// level reads a level's id, which may look like a number, or the kernel's word.
func (r *policyReader) level(n *yaml.Node) elfscan.Level {
	if !r.isA(n, yaml.ScalarNode, "a level") {
		return elfscan.LevelUnknown
	}
	if tag := n.ShortTag(); tag != "!!int" && tag != "!!str" {
		r.fail(n, "want a level, not %s", describe(n))
	}
	l, err := elfscan.ParseLevel(n.Value)
	if err != nil || l < elfscan.LevelConsole || l > elfscan.LevelDeferred {
		r.fail(n, "no level %q: the nearest is %q", clip(n.Value), nearest.Names(clip(n.Value), levelNames(), 1)[0])
	}
	return l
}

// levelNames are the levels of a kernel, by id and by the kernel's word.
func levelNames() (names []string) {
	for l := elfscan.LevelConsole; l <= elfscan.LevelDeferred; l++ {
		names = append(names, l.String())
		if _, word, ok := strings.Cut(l.Title(), " "); ok {
			names = append(names, word)
		}
	}
	return names
}

func (r *policyReader) orders(n *yaml.Node) (wishes []orderWish) {
	r.list(n, "a list of mappings with the keys first and then", func(item *yaml.Node) {
		var w orderWish
		var optional bool
		r.fields(
			item, "a mapping with the keys first, then, reason and optional",
			field{"first", true, func(n *yaml.Node) { w.first.function = r.function(n) }},
			field{"then", true, func(n *yaml.Node) { w.then = r.function(n) }},
			field{"reason", false, func(n *yaml.Node) { w.first.reason = r.reason(n) }},
			field{"optional", false, func(n *yaml.Node) { optional = r.onlyTrue(n) }},
		)
		if w.first.text == w.then.text {
			r.fail(item, "%s cannot run before itself", clip(w.first.text))
		}
		w.first.optional, w.then.optional = optional, optional
		wishes = append(wishes, w)
	})
	return wishes
}

func (r *policyReader) frozen(n *yaml.Node) *frozen {
	var f frozen
	r.fields(
		n, "a mapping with the keys levels, baseline and allow",
		field{"levels", true, func(n *yaml.Node) { f.levels = r.frozenLevels(n) }},
		field{"baseline", true, func(n *yaml.Node) {
			f.place, f.document = nodePlace(n), r.text(n, "the path of a document saved by list --format json")
		}},
		field{"allow", false, func(n *yaml.Node) { f.allow = r.uniqueWishes(n, true) }},
	)
	return &f
}

func (r *policyReader) frozenLevels(n *yaml.Node) (levels []elfscan.Level) {
	r.list(n, "a list of levels", func(item *yaml.Node) {
		l := r.level(item)
		if slices.Contains(levels, l) {
			r.fail(item, "level %s is there already", l)
		}
		levels = append(levels, l)
	})
	if len(levels) == 0 {
		r.fail(n, "want at least one level")
	}
	return levels
}

func (r *policyReader) changes(n *yaml.Node) (changes []ruleChange) {
	r.mapping(n, "a mapping of rules to what becomes of them", func(key, value *yaml.Node) {
		c := ruleChange{nodePlace(key), RuleChange{Rule: r.rule(key)}}
		r.fields(
			value, "a mapping with the key reason and one of severity and off",
			field{"severity", false, func(n *yaml.Node) { c.Severity = r.severity(n) }},
			field{"off", false, func(n *yaml.Node) { c.Off = r.onlyTrue(n) }},
			field{"reason", true, func(n *yaml.Node) { c.Reason = r.reason(n) }},
		)
		if c.Off == (c.Severity != "") {
			r.fail(value, "want one of severity and off")
		}
		for _, other := range changes {
			if other.Rule == c.Rule {
				r.fail(key, "%s is there already, in line %d", c.Rule.ID, other.line)
			}
		}
		changes = append(changes, c)
	})
	return changes
}

// rule reads a rule's id or name.
func (r *policyReader) rule(n *yaml.Node) *Rule {
	text := r.text(n, "a rule")
	var names []string
	for _, rule := range Rules {
		if text == rule.ID || text == rule.Name {
			return rule
		}
		names = append(names, rule.ID, rule.Name)
	}
	r.fail(n, "no rule %q: the nearest is %q", clip(text), nearest.Names(clip(text), names, 1)[0])
	return nil
}

func (r *policyReader) severity(n *yaml.Node) Severity {
	s, err := ParseSeverity(r.text(n, "a severity"))
	if err != nil {
		r.fail(n, "%v", err)
	}
	return s
}

func (r *policyReader) suppressions(n *yaml.Node) (all []suppression) {
	type same struct {
		rule     *Rule
		function string
		table    elfscan.TableKind
	}
	lines := map[same]int{}
	r.list(n, "a list of suppressions", func(item *yaml.Node) {
		s := r.suppression(item)
		if r.err != nil {
			return
		}
		key := same{rule: s.rule, table: s.table}
		if s.function != nil {
			key.function = s.function.text
		}
		if line := lines[key]; line > 0 {
			r.fail(item, "this suppression is there already, in line %d", line)
		}
		lines[key] = s.line
		all = append(all, s)
	})
	return all
}

func (r *policyReader) suppression(n *yaml.Node) suppression {
	s := suppression{place: nodePlace(n)}
	var optional bool
	r.fields(
		n, "a mapping with the keys rule, reason and one of function and table",
		field{"rule", true, func(n *yaml.Node) { s.rule = r.suppressible(n) }},
		field{"function", false, func(n *yaml.Node) { f := r.function(n); s.function = &f }},
		field{"table", false, func(n *yaml.Node) { s.table = r.table(n) }},
		field{"reason", true, func(n *yaml.Node) { s.reason = r.reason(n) }},
		field{"optional", false, func(n *yaml.Node) { optional = r.onlyTrue(n) }},
	)
	switch {
	case (s.function != nil) == (s.table != ""):
		r.fail(n, "want one of function and table")
	case s.function != nil:
		s.function.optional = optional
	case optional:
		r.fail(n, "optional is said of functions: every image may have every table")
	}
	return s
}

func (r *policyReader) suppressible(n *yaml.Node) *Rule {
	rule := r.rule(n)
	if rule == ruleUseless {
		r.fail(n, "%s cannot be suppressed, only set off under rules", rule.ID)
	}
	return rule
}

func (r *policyReader) table(n *yaml.Node) elfscan.TableKind {
	t := elfscan.TableKind(r.text(n, "a table"))
	if !slices.Contains(elfscan.TableKinds, t) {
		r.fail(n, "no table %q: want one of %v", clip(string(t)), elfscan.TableKinds)
	}
	return t
}
