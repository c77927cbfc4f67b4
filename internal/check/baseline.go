package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The form of a baseline's document; docs/schema has its JSON Schema.
const (
	baselineName    = "initsect.baseline"
	baselineVersion = 1

	// maxKnown bounds the findings of one baseline. A kernel has some 1,000
	// initcalls.
	maxKnown = 100_000
)

// Baseline is a set of findings that are known. Only others count.
type Baseline struct{ count map[Key]int }

// NewBaseline takes in all findings of a result but the suppressed ones, so
// that the same check with it finds nothing new.
func NewBaseline(r *Result) *Baseline {
	b := &Baseline{map[Key]int{}}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Status != Suppressed {
			b.count[f.Key()]++
		}
	}
	return b
}

// Len is the number of findings in the baseline.
func (b *Baseline) Len() (n int) {
	for _, count := range b.count {
		n += count
	}
	return n
}

// apply marks the findings that are known, and lists what is known and was not
// found any more. A rule that the policy turned off finds nothing, which mends
// nothing.
func (b *Baseline) apply(r *Result) {
	rest := maps.Clone(b.count)
	for i := range r.Findings {
		f := &r.Findings[i]
		if rest[f.Key()] == 0 {
			continue
		}
		rest[f.Key()]--
		if f.Status == New {
			f.Status = Known
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(rest), Key.compare) {
		off := slices.ContainsFunc(r.Changes, func(c RuleChange) bool { return c.Off && c.Rule.ID == key.Rule })
		for range rest[key] {
			if !off {
				r.Fixed = append(r.Fixed, key)
			}
		}
	}
}

func (k Key) compare(other Key) int {
	return cmp.Or(
		strings.Compare(k.Rule, other.Rule),
		strings.Compare(k.Function, other.Function),
		strings.Compare(k.Module, other.Module),
		strings.Compare(k.Table, other.Table),
		strings.Compare(k.Section, other.Section),
		strings.Compare(k.Symbol, other.Symbol),
		strings.Compare(k.Other, other.Other),
	)
}

// baselineSchema names the form of the document, baselineFinding is a row of it.
type baselineSchema struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

type baselineFinding struct {
	Rule     string  `json:"rule"`
	Function *string `json:"function"`
	Module   *string `json:"module"`
	Table    *string `json:"table"`
	Section  *string `json:"section"`
	Symbol   *string `json:"symbol"`
	Other    *string `json:"other"`
	Count    int     `json:"count"`
}

func newBaselineFinding(k Key, count int) baselineFinding {
	known := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return baselineFinding{k.Rule, known(k.Function), known(k.Module), known(k.Table), known(k.Section), known(k.Symbol), known(k.Other), count}
}

func (f *baselineFinding) key() Key {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return Key{f.Rule, text(f.Function), text(f.Module), text(f.Table), text(f.Symbol), text(f.Section), text(f.Other)}
}

// JSON is the baseline as a document: sorted, a finding a line, so that
// changes of it are easy to read.
func (b *Baseline) JSON() ([]byte, error) {
	schema, err := jsonLine(baselineSchema{baselineName, baselineVersion})
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, key := range slices.SortedFunc(maps.Keys(b.count), Key.compare) {
		row, err := jsonLine(newBaselineFinding(key, b.count[key]))
		if err != nil {
			return nil, err
		}
		rows = append(rows, "\n    "+row)
	}
	return fmt.Appendf(nil, "{\n  \"schema\": %s,\n  \"findings\": [%s\n  ]\n}\n", schema, strings.Join(rows, ",")), nil
}

// jsonLine leaves the <> of Rust's names as they are.
func jsonLine(v any) (string, error) {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(out.String(), "\n"), err
}

// ReadBaseline reads what JSON wrote. It refuses what it does not know rather
// than let a finding pass for known.
func ReadBaseline(text []byte) (*Baseline, error) {
	if err := isBaseline(text); err != nil {
		return nil, err
	}
	var doc struct {
		Schema   baselineSchema    `json:"schema"`
		Findings []baselineFinding `json:"findings"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return nil, notBaseline(err)
	}
	if doc.Findings == nil {
		return nil, errors.New("not a baseline: it has no findings, not even an empty list")
	}
	b, total := &Baseline{map[Key]int{}}, 0
	for i := range doc.Findings {
		f := &doc.Findings[i]
		key := f.key()
		switch {
		case !slices.ContainsFunc(Rules, func(r *Rule) bool { return r.ID == f.Rule }):
			return nil, fmt.Errorf("finding %d of the baseline is of a rule that is not known: %q", i+1, clip(f.Rule))
		case f.Count < 1 || f.Count > maxKnown-total:
			return nil, fmt.Errorf("finding %d of the baseline, of %s, has count %d: want 1 or more, and no more than %d of all findings", i+1, f.Rule, f.Count, maxKnown)
		case b.count[key] > 0:
			return nil, fmt.Errorf("finding %d of the baseline, of %s, is there already", i+1, f.Rule)
		}
		b.count[key] = f.Count
		total += f.Count
	}
	return b, nil
}

// isBaseline tells what else a document is: its schema comes first, whatever
// follows.
func isBaseline(text []byte) error {
	var doc struct {
		Schema *baselineSchema `json:"schema"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return errors.New("not a baseline: the file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not a baseline: the JSON ends too early, the file is cut off")
	case err != nil:
		return notBaseline(err)
	case doc.Schema == nil:
		return fmt.Errorf("not a baseline: want a JSON document with schema %s version %d", baselineName, baselineVersion)
	case *doc.Schema != baselineSchema{baselineName, baselineVersion}:
		return fmt.Errorf("want schema %s version %d, not %q version %d", baselineName, baselineVersion, clip(doc.Schema.Name), doc.Schema.Version)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not a baseline: something follows the document")
	}
	return nil
}

// notBaseline is an error of the JSON reader, without the types of this
// program.
func notBaseline(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("not a baseline: %w", err)
	}
	return fmt.Errorf("not a baseline: %s where another type belongs, at byte %d", wrong.Value, wrong.Offset)
}
