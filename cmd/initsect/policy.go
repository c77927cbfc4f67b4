package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/initsect/initsect/internal/check"
	"github.com/initsect/initsect/internal/report"
)

// judgedBy reads the policy, with the document that it compares to, and the
// baseline.
func (opt *checkOptions) judgedBy() (check.Options, error) {
	policy, err := parseFile(opt.policy, check.ParsePolicy)
	if err != nil {
		return check.Options{}, err
	}
	if path := documentOf(policy, opt.policy); path != "" {
		if err := readDocument(policy, path); err != nil {
			return check.Options{}, err
		}
	}
	baseline, err := parseFile(opt.baseline, check.ReadBaseline)
	return check.Options{Policy: policy, Baseline: baseline}, err
}

// documentOf is the path of the document that the policy in a file names,
// relative to that file; "" if there is none.
func documentOf(policy *check.Policy, file string) string {
	switch {
	case policy == nil:
		return ""
	case policy.Document() == "", filepath.IsAbs(policy.Document()):
		return policy.Document()
	}
	return filepath.Join(filepath.Dir(file), policy.Document())
}

func readDocument(policy *check.Policy, path string) error {
	doc, err := parseFile(path, func(text []byte) (*report.List, error) { return report.ReadList(bytes.NewReader(text)) })
	if err != nil {
		return err
	}
	policy.SetDocument(doc.Saved())
	return nil
}

// parseFile parses a file, if one is named.
func parseFile[T any](path string, parse func([]byte) (*T, error)) (*T, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, withHint(path, err)
	}
	parsed, err := parse(text)
	return parsed, withHint(path, err)
}
