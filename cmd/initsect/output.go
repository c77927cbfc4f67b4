package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/initsect/initsect/internal/render"
)

// output is a format and the file that it goes to.
type output struct {
	format render.Format
	path   string // "" for standard output
}

// outputFlag is the value of --output, which may be repeated: FORMAT or
// FORMAT=FILE.
type outputFlag struct {
	value   *[]output
	allowed []render.Format
}

func (f *outputFlag) String() string { return "" }

func (f *outputFlag) Set(s string) error {
	name, path, named := strings.Cut(s, "=")
	if !slices.Contains(f.allowed, render.Format(name)) {
		return fmt.Errorf("want one of %s, and =FILE behind it", formatNames(f.allowed))
	}
	if named && path == "" {
		return fmt.Errorf("no file behind %q", s)
	}
	if path == "-" {
		path = ""
	}
	*f.value = append(*f.value, output{render.Format(name), path})
	return nil
}

func (f *outputFlag) Type() string { return "FORMAT[=FILE]" }

// distinct refuses two outputs to one place.
func distinct(outputs []output) error {
	seen := map[string]bool{}
	for _, o := range outputs {
		path := ""
		if o.path != "" {
			path = resolved(o.path)
		}
		switch {
		case !seen[path]:
			seen[path] = true
		case path == "":
			return fmt.Errorf("only one format can go to standard output: write the others to files, as in --output %s=FILE", o.format)
		default:
			return fmt.Errorf("two outputs go to the same file %s", o.path)
		}
	}
	return nil
}

// resolved is the file that a path leads to, however it is written.
func resolved(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	dir, base := filepath.Split(path)
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return filepath.Join(target, base)
	}
	return path
}

// renderAll renders a document in every format that is wanted, into memory.
func renderAll[Doc any](s streams, doc Doc, outputs []output, renderer func(io.Writer, Doc, render.Format, render.Style) error) (stdout []byte, files []file, err error) {
	for _, o := range outputs {
		var text bytes.Buffer
		style := render.Style{Color: s.color && o.path == ""}
		if err := renderer(&text, doc, o.format, style); err != nil {
			return nil, nil, err
		}
		if o.path == "" {
			stdout = text.Bytes()
		} else {
			files = append(files, file{o.path, text.Bytes()})
		}
	}
	return stdout, files, nil
}
