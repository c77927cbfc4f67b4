package check

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// goodPolicies use every key in every form.
var goodPolicies = []string{
	"version: 1\n",
	"{version: 1}",
	"---\nversion: 1\n...\n",
	"# said first\nversion: 1\ndeferred: []\nnot-deferred: []\nlevels: {}\norder: []\nrules: {}\nsuppress: []\n",
	"version: 1\r\ndeferred:\r\n  - a\r\n  - \"m:a\"\r\n  - {function: b, reason: r, optional: true}\r\n  - {function: c}\r\n",
	"version: 1\ndeferred: [a]\nnot-deferred: [b, {function: 'm:a'}]\n",
	"version: 1\ndeferred: ['foobar::init', 'm:foobar::init', '<a as b::C>::init', a.llvm.12, 8250_dw:a, 'm:n:a']\n",
	"version: 1\nlevels: {a: 6, b: '6', c: 6s, d: early, e: console, f: deferred, g: device sync, 'm:h': rootfs, i: 0, j: pure}\n",
	"version: 1\nlevels:\n  a: {level: 7}\n  b: {level: late, reason: r, optional: true}\n",
	"version: 1\norder:\n  - {first: a, then: b}\n  - {first: 'm:a', then: a, reason: r, optional: true}\n",
	"version: 1\nfrozen: {levels: [6, 7s, late], baseline: list.json}\n",
	"version: 1\nfrozen: {levels: [early], baseline: ../b.json, allow: [{function: a, reason: r}, {function: b, reason: r, optional: true}]}\n",
	"version: 1\nrules: {IS106: {severity: note, reason: r}, lost: {off: true, reason: r}, IS306: {off: true, reason: r}}\n",
	"version: 1\nsuppress:\n  - {rule: IS106, function: a, reason: r}\n  - {rule: IS106, function: 'm:a', reason: r, optional: true}\n  - {rule: foreign, table: deferred, reason: r}\n",
	"version: 1\nsuppress:\n  - rule: IS106\n    function: a\n    reason: >\n      it is so,\n      and not otherwise\n",
	"version: 1\ndeferred: [" + strings.Repeat("a", 2048) + "]\n",
}

// badPolicies are wrong in one thing, each at a place counted by hand.
// beyondSchema are those in which the values alone are good.
var badPolicies = []struct {
	what, text, want string
	beyondSchema     bool
}{
	// The text.
	{"nothing", "", "line 1, column 1: the policy is empty: it begins with version: 1", true},
	{"only a comment", "# version: 1\n", "line 1, column 1: the policy is empty: it begins with version: 1", true},
	{"no YAML", "version: 1\ndeferred: [a\nlevels: {}\n", "line 3, column 7: not YAML: did not find expected ',' or ']'", true},
	{"bad indentation", "version: 1\ndeferred:\n  - a\n - b\n", "line 4, column 2: not YAML: did not find expected key", true},
	{"on the first line", "version: 1: 2\n", "line 1, column 11: not YAML: mapping values are not allowed in this context", true},
	{"a tab", "version: 1\n\tlevels: {}\n", "line 2, column 1: not YAML: found a tab character that violates indentation", true},
	{"two documents", "version: 1\n---\nversion: 1\n", "line 2, column 1: a second document begins: a policy is one", true},
	{"an unreadable second", "version: 1\n---\ndeferred: [\n", "line 4, column 1: not YAML: did not find expected node content", true},
	{"an alias", "version: 1\ndeferred: &d [a]\nnot-deferred: *d\n", "line 3, column 15: a policy has no aliases: write out what *d stands for", true},
	{"an alias as an item", "version: 1\ndeferred: [&d a, *d]\n", "line 2, column 18: a policy has no aliases: write out what *d stands for", true},
	{"an alias as a key", "version: 1\nlevels: {&d a: 6, *d : 6}\n", "line 2, column 19: a policy has no aliases: write out what *d stands for", true},
	{"a merge", "version: 1\nrules: {IS106: &r {off: true, reason: r}, IS107: {<<: *r}}\n", `line 2, column 51: unknown key "<<": the nearest is "off"`, true},
	{"a long text", "version: 1\n#" + strings.Repeat("x", 1<<18), "line 1, column 1: the policy is larger than 262144 bytes", true},

	// What is in all of it.
	{"a list", "- version: 1\n", "line 1, column 1: want a policy, a mapping that begins with version: 1, not a list", false},
	{"a word", "hello\n", `line 1, column 1: want a policy, a mapping that begins with version: 1, not "hello"`, false},
	{"null", "~\n", "line 1, column 1: want a policy, a mapping that begins with version: 1, not nothing", false},
	{"no version", "deferred: [a]\n", "line 1, column 1: version is missing: want a policy, a mapping that begins with version: 1", false},
	{"another version", "version: 2\n", "line 1, column 10: version 2 is not known: want version: 1", false},
	{"a version in quotes", "version: '1'\n", `line 1, column 10: want version: 1, not "1"`, false},
	{"a version as a list", "version: [1]\n", `line 1, column 10: want version: 1, not a list`, false},
	{"an unknown key", "version: 1\ndefered: [a]\n", `line 2, column 1: unknown key "defered": the nearest is "deferred"`, false},
	{"a key twice", "version: 1\ndeferred: [a]\ndeferred: [b]\n", `line 3, column 1: "deferred" is there already, in line 2`, true},
	{"a key that is a list", "version: 1\n? [a]\n: b\n", "line 2, column 3: want a key, not a list", true},

	// Functions.
	{"no list", "version: 1\ndeferred: a\n", `line 2, column 11: want a list of functions, not "a"`, false},
	{"an empty key", "version: 1\ndeferred:\n", "line 2, column 10: want a list of functions, not nothing", false},
	{"a number", "version: 1\ndeferred: [12]\n", `line 2, column 12: want a function, not "12"`, false},
	{"a truth", "version: 1\ndeferred: [true]\n", `line 2, column 12: want a function, not "true"`, false},
	{"a list of lists", "version: 1\ndeferred: [[a]]\n", `line 2, column 12: want a function, or a mapping with the keys function, reason and optional, not a list`, false},
	{"an empty name", "version: 1\ndeferred: ['']\n", `line 2, column 12: want a function, not ""`, false},
	{"white space", "version: 1\ndeferred: [' a']\n", `line 2, column 12: want function or module:function, not " a"`, false},
	{"a module alone", "version: 1\ndeferred: ['m:']\n", `line 2, column 12: want function or module:function, not "m:"`, false},
	{"no module", "version: 1\ndeferred: [':a']\n", `line 2, column 12: want function or module:function, not ":a"`, false},
	{"a long name", "version: 1\ndeferred: [" + strings.Repeat("a", 2049) + "]\n", `line 2, column 12: "` + strings.Repeat("a", 80) + `…" is longer than 2048 characters`, false},
	{"an item without a function", "version: 1\ndeferred:\n  - {reason: r}\n", "line 3, column 5: function is missing: want a function, or a mapping with the keys function, reason and optional", false},
	{"an unknown key of an item", "version: 1\ndeferred:\n  - {function: a, reasons: r}\n", `line 3, column 19: unknown key "reasons": the nearest is "reason"`, false},
	{"an empty reason", "version: 1\ndeferred:\n  - {function: a, reason: ' '}\n", `line 3, column 27: want a reason, not " "`, false},
	{"optional: false", "version: 1\ndeferred:\n  - {function: a, optional: false}\n", `line 3, column 29: want true, not "false": without the key it is false`, false},
	{"optional: yes", "version: 1\ndeferred:\n  - {function: a, optional: yes}\n", `line 3, column 29: want true, not "yes": without the key it is false`, false},
	{"a function twice", "version: 1\ndeferred:\n  - a\n  - {function: a}\n", "line 4, column 5: a is there already, in line 3", true},
	{"deferred and not", "version: 1\ndeferred: [a, b]\nnot-deferred: [c, b]\n", "line 3, column 19: b must be deferred, says line 2", true},

	// Levels.
	{"a list of levels", "version: 1\nlevels: [a]\n", "line 2, column 9: want a mapping of functions to levels, not a list", false},
	{"an unknown level", "version: 1\nlevels: {a: devise}\n", `line 2, column 13: no level "devise": the nearest is "device"`, false},
	{"a number that is no level", "version: 1\nlevels: {a: 8}\n", `line 2, column 13: no level "8": the nearest is "0"`, false},
	{"a level that is no kernel's", "version: 1\nlevels: {a: exit}\n", `line 2, column 13: no level "exit": the nearest is "0"`, false},
	{"the unknown level", "version: 1\nlevels: {a: unknown}\n", `line 2, column 13: no level "unknown": the nearest is "console"`, false},
	{"a fraction", "version: 1\nlevels: {a: 6.5}\n", `line 2, column 13: want a level, not "6.5"`, false},
	{"no level", "version: 1\nlevels: {a: }\n", "line 2, column 13: want a level, not nothing", false},
	{"a mapping without a level", "version: 1\nlevels: {a: {reason: r}}\n", "line 2, column 13: level is missing: want a level, or a mapping with the keys level, reason and optional", false},
	{"levels of a level", "version: 1\nlevels: {a: [6]}\n", "line 2, column 13: want a level, not a list", false},
	{"a bad function", "version: 1\nlevels: {'a:': 6}\n", `line 2, column 10: want function or module:function, not "a:"`, false},
	{"a level twice", "version: 1\nlevels:\n  a: 6\n  'a': 7\n", `line 4, column 3: "a" is there already, in line 3`, true},

	// Order.
	{"an order of one", "version: 1\norder: [{first: a}]\n", "line 2, column 9: then is missing: want a mapping with the keys first, then, reason and optional", false},
	{"an order of names", "version: 1\norder: [a, b]\n", `line 2, column 9: want a mapping with the keys first, then, reason and optional, not "a"`, false},
	{"an order of itself", "version: 1\norder: [{first: a, then: a}]\n", "line 2, column 9: a cannot run before itself", true},
	{"an unknown key of an order", "version: 1\norder: [{first: a, second: b}]\n", `line 2, column 20: unknown key "second": the nearest is "reason"`, false},

	// Frozen levels.
	{"no document", "version: 1\nfrozen: {levels: [6]}\n", "line 2, column 9: baseline is missing: want a mapping with the keys levels, baseline and allow", false},
	{"no levels", "version: 1\nfrozen: {levels: [], baseline: l.json}\n", "line 2, column 18: want at least one level", false},
	{"the same level", "version: 1\nfrozen: {levels: [6, device], baseline: l.json}\n", "line 2, column 22: level 6 is there already", true},
	{"allowed without a reason", "version: 1\nfrozen: {levels: [6], baseline: l.json, allow: [a]}\n", `line 2, column 49: want a mapping with the keys function, reason and optional, not "a"`, false},
	{"allowed with no reason", "version: 1\nfrozen: {levels: [6], baseline: l.json, allow: [{function: a}]}\n", "line 2, column 49: reason is missing: want a mapping with the keys function, reason and optional", false},

	// Rules.
	{"an unknown rule", "version: 1\nrules: {IS110: {off: true, reason: r}}\n", `line 2, column 9: no rule "IS110": the nearest is "IS101"`, false},
	{"a misspelt rule", "version: 1\nrules: {wrong-levl: {off: true, reason: r}}\n", `line 2, column 9: no rule "wrong-levl": the nearest is "wrong-level"`, false},
	{"a rule off without a reason", "version: 1\nrules: {IS106: {off: true}}\n", "line 2, column 16: reason is missing: want a mapping with the key reason and one of severity and off", false},
	{"off and a severity", "version: 1\nrules: {IS106: {off: true, severity: note, reason: r}}\n", "line 2, column 16: want one of severity and off", false},
	{"a rule and nothing of it", "version: 1\nrules: {IS106: {reason: r}}\n", "line 2, column 16: want one of severity and off", false},
	{"off: false", "version: 1\nrules: {IS106: {off: false, reason: r}}\n", `line 2, column 22: want true, not "false": without the key it is false`, false},
	{"a rule's severity alone", "version: 1\nrules: {IS106: note}\n", `line 2, column 16: want a mapping with the key reason and one of severity and off, not "note"`, false},
	{"an unknown severity", "version: 1\nrules: {IS106: {severity: fatal, reason: r}}\n", `line 2, column 27: unknown severity "fatal": want one of [error warning note]`, false},
	{"a rule by both names", "version: 1\nrules:\n  IS106: {off: true, reason: r}\n  wrong-level: {off: true, reason: r}\n", "line 4, column 3: IS106 is there already, in line 3", true},

	// Suppressions.
	{"a suppression without a reason", "version: 1\nsuppress:\n  - {rule: IS106, function: a}\n", "line 3, column 5: reason is missing: want a mapping with the keys rule, reason and one of function and table", false},
	{"of nothing", "version: 1\nsuppress:\n  - {rule: IS106, reason: r}\n", "line 3, column 5: want one of function and table", false},
	{"of both", "version: 1\nsuppress:\n  - {rule: IS106, function: a, table: initcall, reason: r}\n", "line 3, column 5: want one of function and table", false},
	{"of an unknown table", "version: 1\nsuppress:\n  - {rule: IS106, table: init, reason: r}\n", `line 3, column 26: no table "init": want one of [console security initcall deferred module]`, false},
	{"an optional table", "version: 1\nsuppress:\n  - {rule: IS106, table: initcall, reason: r, optional: true}\n", "line 3, column 5: optional is said of functions: every image may have every table", false},
	{"of useless suppressions", "version: 1\nsuppress:\n  - {rule: IS306, function: a, reason: r}\n", "line 3, column 12: IS306 cannot be suppressed, only set off under rules", false},
	{"the same suppression", "version: 1\nsuppress:\n  - {rule: IS106, function: a, reason: r}\n  - {rule: wrong-level, function: a, reason: s}\n", "line 4, column 5: this suppression is there already, in line 3", true},
	{"the same of a table", "version: 1\nsuppress:\n  - {rule: IS203, table: deferred, reason: r}\n  - {rule: IS203, table: deferred, reason: s}\n", "line 4, column 5: this suppression is there already, in line 3", true},
}

func TestParsePolicyErrors(t *testing.T) {
	for _, tt := range badPolicies {
		t.Run(tt.what, func(t *testing.T) {
			p, err := ParsePolicy([]byte(tt.text))
			require.EqualError(t, err, tt.want)
			require.IsType(t, &PolicyError{}, err)
			require.Nil(t, p)
		})
	}
}

// The schema that editors check a policy by and the parser agree, but where a
// schema cannot look.
func TestPolicySchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect.policy.v1.json")
	require.NoError(t, err)
	for _, text := range goodPolicies {
		_, err := ParsePolicy([]byte(text))
		require.NoError(t, err, text)
		require.NoError(t, schema.Validate(asJSON(t, text)), text)
	}
	for _, tt := range badPolicies {
		if !tt.beyondSchema {
			require.Error(t, schema.Validate(asJSON(t, tt.text)), tt.what)
		}
	}
}

// asJSON is the value of a YAML text as a reader of JSON would have it.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value), text)
	raw, err := json.Marshal(value)
	require.NoError(t, err, text)
	value, err = jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	require.NoError(t, err)
	return value
}

// The schema knows the rules and the levels that the parser knows.
func TestPolicySchemaNames(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/initsect.policy.v1.json")
	require.NoError(t, err)
	require.Len(t, schema.Properties["rules"].PropertyNames.Ref.Enum.Values, 2*len(Rules))
	for _, rule := range Rules {
		for _, name := range []string{rule.ID, rule.Name} {
			require.NoError(t, schema.Validate(asJSON(t, "{version: 1, rules: {"+name+": {off: true, reason: r}}}")))
		}
	}
	for _, name := range levelNames() {
		require.NoError(t, schema.Validate(asJSON(t, "{version: 1, levels: {a: '"+name+"'}}")))
	}
	require.Len(t, levelNames(), 21+16) // include/linux/init.h, initcall_level_names
}
