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

// readBoth reads the two sides of a comparison at once: each is an image or a
// saved document.
func (opt *diffOptions) readBoth(s streams) (old, new initdiff.Side, err error) {
	var newErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		new, newErr = opt.readSide(opt.new, opt.mapNew, s)
	}()
	old, err = opt.readSide(opt.old, opt.mapOld, s)
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
func (opt *diffOptions) readSide(path, mapFile string, s streams) (initdiff.Side, error) {
	src, err := openSource(path, s)
	if err != nil {
		return initdiff.Side{}, withHint(src.name, err)
	}
	defer src.Close()
	in := bufio.NewReader(src)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return initdiff.Side{}, withHint(src.name, err)
	}
	if report.IsDocument(head) {
		if mapFile != "" {
			return initdiff.Side{}, fmt.Errorf("%s: a saved document needs no map", src.name)
		}
		list, err := report.ReadList(in)
		return initdiff.Side{File: path, Saved: true, List: list}, withHint(src.name, err)
	}
	with, err := mapOptions(mapFile, s)
	if err != nil {
		return initdiff.Side{}, err
	}
	var im *elfscan.Image
	if src.isStream {
		im, err = elfscan.OpenReader(path, in, with)
	} else {
		im, err = elfscan.Open(path, with)
	}
	if err != nil {
		return initdiff.Side{}, withHint(src.name, err)
	}
	side := initdiff.Side{File: path}
	err = opt.listImage(im, func(im *elfscan.Image, l *elfscan.Listing) error {
		side.List = report.NewList(im, l)
		return nil
	})
	return side, err
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
