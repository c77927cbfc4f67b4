package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/initdiff"
	"github.com/initsect/initsect/internal/report"
)

// diffSide is what the user said of one side of a comparison.
type diffSide struct {
	path    string // of an image or a saved document, "-" for standard input
	mapFile string // of the image, "" for none
	mapFlag string // that sets mapFile
}

// readBoth reads the two sides of a comparison at once.
func (opt *diffOptions) readBoth(s streams) (old, new initdiff.Side, err error) {
	var newErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		new, newErr = opt.readSide(opt.new, s)
	}()
	old, err = opt.readSide(opt.old, s)
	<-done
	switch {
	case err != nil:
		return old, new, err
	case newErr != nil:
		return old, new, newErr
	case opt.deferred != (elfscan.Deferred{}) && old.Saved && new.Saved:
		return old, new, errors.New("--deferred-start, --deferred-end and --deferred-section are of no use for two saved documents")
	}
	return old, new, nil
}

// sniffed is how much of a file tells a document from an image.
const sniffed = 512

// readSide tells by the content, not by the name, what a file is.
func (opt *diffOptions) readSide(from diffSide, s streams) (initdiff.Side, error) {
	side := initdiff.Side{File: from.path}
	src, err := openSource(from.path, s)
	if err != nil {
		return side, withHint(src.name, err)
	}
	defer src.Close()
	in := bufio.NewReader(src)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return side, withHint(src.name, err)
	}
	if !report.IsDocument(head) {
		side.List, err = opt.listSide(from, src, in, s)
		return side, err
	}
	if from.mapFile != "" {
		return side, fmt.Errorf("%s: a saved document needs no %s", src.name, from.mapFlag)
	}
	side.Saved = true
	side.List, err = report.ReadList(in)
	return side, withHint(src.name, err)
}

// listSide lists an image, which in holds, too.
func (opt *diffOptions) listSide(from diffSide, src source, in io.Reader, s streams) (list *report.List, err error) {
	with, err := mapOptions(from.mapFile, s)
	if err != nil {
		return nil, err
	}
	var im *elfscan.Image
	if src.isStream {
		im, err = elfscan.OpenReader(from.path, in, with)
	} else {
		im, err = elfscan.Open(from.path, with)
	}
	switch {
	case errors.Is(err, elfscan.ErrNoSymbols):
		return nil, fmt.Errorf("%s: %w: pass %s System.map, or the vmlinux from before stripping", src.name, err, from.mapFlag)
	case err != nil:
		return nil, withHint(src.name, err)
	}
	err = opt.listImage(im, func(im *elfscan.Image, l *elfscan.Listing) error {
		list = report.NewList(im, l)
		return nil
	})
	return list, err
}

// source is a file that may be an image or a document.
type source struct {
	io.ReadCloser
	name     string // for messages
	isStream bool   // it can be read once only
}

func openSource(path string, s streams) (source, error) {
	if path == "-" {
		return source{io.NopCloser(s.in), "standard input", true}, nil
	}
	src := source{name: path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return src, err
	case info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0:
		src.isStream = true
	case info.IsDir():
		return src, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return src, errors.New("is a device, not a file")
	}
	src.ReadCloser, err = os.Open(path)
	return src, err
}
