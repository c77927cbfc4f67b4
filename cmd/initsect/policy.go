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
	if policy != nil && policy.Document() != "" {
		if err := readDocument(policy, opt.policy); err != nil {
			return check.Options{}, err
		}
	}
	baseline, err := parseFile(opt.baseline, check.ReadBaseline)
	return check.Options{Policy: policy, Baseline: baseline}, err
}

// readDocument reads the document that the policy in a file names, relative to
// that file.
func readDocument(policy *check.Policy, file string) error {
	path := policy.Document()
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
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
