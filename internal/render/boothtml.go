package render

import (
	"errors"
	"io"

	"github.com/initsect/initsect/internal/report"
)

func bootHTML(w io.Writer, doc *report.Boot) error { return errors.New("x") }
func bootSVG(w io.Writer, doc *report.Boot) error  { return errors.New("x") }
