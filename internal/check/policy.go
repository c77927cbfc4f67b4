package check

import "errors"

// Policy says what is meant of an image.
type Policy struct{}

// ParsePolicy reads a policy file.
func ParsePolicy(_ []byte) (*Policy, error) { return nil, errors.New("policies cannot be read yet") }

func (p *Policy) apply(_ *examiner, _ *Result) error { return nil }
