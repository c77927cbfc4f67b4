package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/initdiff"
	"github.com/initsect/initsect/internal/report"
)

// imageSide is what the user said of an image or a document, such as one side of
// a comparison.
type imageSide struct {
	path    string // of an image or a saved document, "-" for standard input
	mapFile string // of the image, "" for none
	mapFlag string // that sets mapFile

	missing error // what says that the image has no deferred table as the flags name it
}

// readBoth reads the two sides of a comparison at once.
func (opt *diffOptions) readBoth(s streams) (old, new initdiff.Side, err error) {
	var newErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		new, newErr = opt.readSide(&opt.new, s)
	}()
	old, err = opt.readSide(&opt.old, s)
	<-done
	if err = cmp.Or(err, newErr); err != nil {
		return old, new, err
	}
	return old, new, opt.checkDeferred(old.Saved, new.Saved)
}

// checkDeferred makes sure that the deferred table that flags name is in one of
// the images. The other may be that from before it came.
func (opt *diffOptions) checkDeferred(oldSaved, newSaved bool) error {
	switch {
	case opt.deferred == elfscan.Deferred{}:
		return nil
	case oldSaved && newSaved:
		return errors.New("--deferred-start, --deferred-end and --deferred-section are of no use for two saved documents")
	case (oldSaved || opt.old.missing != nil) && (newSaved || opt.new.missing != nil):
		return cmp.Or(opt.old.missing, opt.new.missing)
	}
	return nil
}

// sniffed is how much of a file tells a document from an image.
const sniffed = 512

func (opt *diffOptions) readSide(from *imageSide, s streams) (initdiff.Side, error) {
	list, saved, err := opt.readDocument(from, s)
	return initdiff.Side{File: from.path, List: list, Saved: saved}, err
}

// readDocument returns the document of an image, or one that was saved: by the
// content, not by the name.
func (f *readFlags) readDocument(from *imageSide, s streams) (list *report.List, saved bool, err error) {
	src, err := openSource(from.path, s)
	if err != nil {
		return nil, false, withHint(src.name, err)
	}
	defer src.Close()
	in := bufio.NewReader(src)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, withHint(src.name, err)
	}
	if !report.IsDocument(head) {
		list, err = f.listSide(from, src, in, s)
		return list, false, err
	}
	if from.mapFile != "" {
		return nil, true, fmt.Errorf("%s: a saved document needs no %s", src.name, from.mapFlag)
	}
	list, err = report.ReadList(in)
	return list, true, withHint(src.name, err)
}

// listSide lists an image, which in holds, too.
func (f *readFlags) listSide(from *imageSide, src source, in io.Reader, s streams) (*report.List, error) {
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
	defer im.Close()
	listing, err := im.List(elfscan.ListOptions{Deferred: f.deferred, RawRust: f.noDemangle})
	if errors.Is(err, elfscan.ErrNoDeferred) {
		from.missing = withHint(src.name, err)
		listing, err = im.List(elfscan.ListOptions{RawRust: f.noDemangle})
	}
	if err != nil {
		return nil, withHint(src.name, err)
	}
	return report.NewList(im, listing), nil
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
