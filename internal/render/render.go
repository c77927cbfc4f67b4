// Package render prints the documents of package report as text, tsv, csv,
// json or markdown. It computes nothing.
package render

import (
	"io"
	"strings"
)

// Format is a form of output.
type Format string

// The formats.
const (
	Text     Format = "text"
	TSV      Format = "tsv"
	CSV      Format = "csv"
	JSON     Format = "json"
	Markdown Format = "markdown"
)

// Common are the formats that every command has.
var Common = []Format{Text, TSV, CSV, JSON, Markdown}

// Style says how text may look.
type Style struct {
	Color bool
}

const (
	bold   = "\x1b[1m"
	faint  = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return code + text + plain
}

// view is a document in one form of output.
type view struct {
	doc  any
	grid func() grid
	text func(io.Writer, Style) error
}

func (v view) write(w io.Writer, f Format, style Style) error {
	switch f {
	case JSON:
		return writeJSON(w, v.doc)
	case TSV:
		return v.grid().printable().tsv(w)
	case CSV:
		return v.grid().printable().csv(w)
	case Markdown:
		return v.grid().printable().markdown(w)
	}
	return v.text(w, style)
}

// Printable makes a text safe for a terminal: a hostile file may hold escape
// sequences in its symbols.
func Printable(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
