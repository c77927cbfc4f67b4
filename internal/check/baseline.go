package check

import (
	"errors"
	"io"
)

var errNoBaselines = errors.New("baselines cannot be read or written yet")

// Baseline is a set of findings that are known.
type Baseline struct{}

// ReadBaseline reads what Write wrote.
func ReadBaseline(_ []byte) (*Baseline, error) { return nil, errNoBaselines }

// NewBaseline makes a baseline of what a check found.
func NewBaseline(_ *Result) *Baseline { return &Baseline{} }

// Write writes the baseline.
func (b *Baseline) Write(_ io.Writer) error { return errNoBaselines }

func (b *Baseline) apply(_ *Result) {}
