package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/initsect/initsect/internal/nearest"
)

// Limits of a policy's text. A policy of a thousand lines has some 50 KiB; of
// many keys in one mapping the YAML reader compares each with each.
const (
	maxPolicy = 1 << 18
	maxText   = 2048 // characters in one name or reason
)

// whiteSpace is what a regular expression of JSON Schema calls \s.
const whiteSpace = " \t\n\f\r"

// place is where in a policy's text something stands, counted from 1.
type place struct{ line, column int }

func nodePlace(n *yaml.Node) place { return place{n.Line, n.Column} }

func (p place) String() string { return fmt.Sprintf("policy line %d", p.line) }

// errorf makes an error about what stands there.
func (p place) errorf(format string, args ...any) *PolicyError {
	return &PolicyError{p.line, p.column, fmt.Sprintf(format, args...)}
}

// PolicyError tells what is wrong with a policy, by itself or for an image.
type PolicyError struct {
	Line, Column int // counted from 1
	Msg          string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// parseYAML returns the root of the one document that a text holds.
func parseYAML(text []byte) (*yaml.Node, error) {
	start := place{1, 1}
	if len(text) > maxPolicy {
		return nil, start.errorf("the policy is larger than %d bytes", maxPolicy)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, start.errorf("the policy is empty: it begins with version: 1")
	case err != nil:
		return nil, syntaxError(err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, nodePlace(&second).errorf("a second document begins: a policy is one")
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(err)
	}
	return doc.Content[0], nil
}

// syntaxError is an error of the library, which does not know the place of
// characters that no text can hold.
func syntaxError(err error) *PolicyError {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return place{1, 1}.errorf("not YAML: %v", err)
	}
	return place{max(load.Mark.Line, 1), max(load.Mark.Column, 1)}.errorf("not YAML: %s", load.Message)
}

// nodeReader reads the nodes of a policy. It keeps the first error, and reads
// nothing after it.
type nodeReader struct{ err error }

func (r *nodeReader) fail(n *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = nodePlace(n).errorf(format, args...)
	}
}

// isA reports whether a node is of a kind, and fails if not.
func (r *nodeReader) isA(n *yaml.Node, kind yaml.Kind, want string) bool {
	switch {
	case r.err != nil:
	case n.Kind == yaml.AliasNode:
		r.fail(n, "a policy has no aliases: write out what *%s stands for", clip(n.Value))
	case n.Kind != kind:
		r.fail(n, "want %s, not %s", want, describe(n))
	}
	return r.err == nil
}

// describe names a node for an error.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return strconv.Quote(clip(n.Value))
}

// clip shortens a text for an error.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// list hands each item of a list to read.
func (r *nodeReader) list(n *yaml.Node, want string, read func(*yaml.Node)) {
	if !r.isA(n, yaml.SequenceNode, want) {
		return
	}
	for _, item := range n.Content {
		if r.err == nil {
			read(item)
		}
	}
}

// mapping hands each key of a mapping, which may not come twice, and its value
// to read.
func (r *nodeReader) mapping(n *yaml.Node, want string, read func(key, value *yaml.Node)) {
	if !r.isA(n, yaml.MappingNode, want) {
		return
	}
	lines := map[string]int{}
	for pair := range slices.Chunk(n.Content, 2) {
		key := pair[0]
		if !r.isA(key, yaml.ScalarNode, "a key") {
			return
		}
		if line := lines[key.Value]; line > 0 {
			r.fail(key, "%q is there already, in line %d", clip(key.Value), line)
		}
		lines[key.Value] = key.Line
		if r.err == nil {
			read(key, pair[1])
		}
	}
}

// field is a key that a mapping may have.
type field struct {
	name     string
	required bool
	read     func(*yaml.Node)
}

// fields reads a mapping whose keys are known.
func (r *nodeReader) fields(n *yaml.Node, want string, known ...field) {
	var names []string
	for _, f := range known {
		names = append(names, f.name)
	}
	found := map[string]bool{}
	r.mapping(n, want, func(key, value *yaml.Node) {
		i := slices.Index(names, key.Value)
		if i < 0 {
			r.fail(key, "unknown key %q: the nearest is %q", clip(key.Value), nearest.Names(clip(key.Value), names, 1)[0])
			return
		}
		found[key.Value] = true
		known[i].read(value)
	})
	for _, f := range known {
		if f.required && !found[f.name] {
			r.fail(n, "%s is missing: want %s", f.name, want)
		}
	}
}

// text reads a string that is not empty.
func (r *nodeReader) text(n *yaml.Node, want string) string {
	if !r.isA(n, yaml.ScalarNode, want) {
		return ""
	}
	switch {
	case n.ShortTag() != "!!str" || strings.Trim(n.Value, whiteSpace) == "":
		r.fail(n, "want %s, not %s", want, describe(n))
	case utf8.RuneCountInString(n.Value) > maxText:
		r.fail(n, "%q is longer than %d characters", clip(n.Value), maxText)
	}
	return n.Value
}

// sentence reads a text that goes into messages of one line.
func (r *nodeReader) sentence(n *yaml.Node, want string) string {
	return strings.Join(strings.Fields(r.text(n, want)), " ")
}

// onlyTrue reads a switch that is off unless it is there.
func (r *nodeReader) onlyTrue(n *yaml.Node) bool {
	if r.isA(n, yaml.ScalarNode, "true") && (n.ShortTag() != "!!bool" || !isTrue(n)) {
		r.fail(n, "want true, not %s: without the key it is false", describe(n))
	}
	return r.err == nil
}

func isTrue(n *yaml.Node) bool {
	var v bool
	return n.Decode(&v) == nil && v
}

// number reads a whole number.
func (r *nodeReader) number(n *yaml.Node, want string) int {
	var v int
	if r.isA(n, yaml.ScalarNode, want) && (n.ShortTag() != "!!int" || n.Decode(&v) != nil) {
		r.fail(n, "want %s, not %s", want, describe(n))
	}
	return v
}
