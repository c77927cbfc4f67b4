package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/running"
)

// release is set by the linker for released builds.
var release string

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "initsect",
		Short: "List the functions that a built Linux kernel will call at boot",
		Long: `initsect reads a built Linux kernel and tells which functions it will call at
boot, in which order, and from which linker-built table.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(newList(s), newSections(s), newShow(s), newBoot(s))
	return root
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	v := release
	if v == "" {
		v = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v += " " + setting.Value
		}
	}
	return v + " " + info.GoVersion
}

// wantsColor reports whether f is a terminal and the user has not asked for
// plain text (no-color.org).
func wantsColor(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// imageFlags are the flags of every command that reads an image.
type imageFlags struct {
	mapFile    string
	deferred   elfscan.Deferred
	noDemangle bool
	format     render.Format
}

func (f *imageFlags) register(cmd *cobra.Command, formats []render.Format) {
	flags := cmd.Flags()
	flags.StringVar(&f.mapFile, "map", "", "System.map, /proc/kallsyms or output of nm for the image: `FILE`")
	flags.StringVar(&f.deferred.Start, "deferred-start", "", "boundary `SYMBOL` at the start of a deferred table that is not known")
	flags.StringVar(&f.deferred.End, "deferred-end", "", "boundary `SYMBOL` at its end")
	flags.StringVar(&f.deferred.Section, "deferred-section", "", "`NAME` of its output section")
	flags.BoolVar(&f.noDemangle, "no-demangle", false, "print Rust names as the linker wrote them")
	registerFormat(cmd, &f.format, formats)
}

// open opens the image that a command was given: a path, "-" for standard
// input, or "" for the running kernel's.
func (f *imageFlags) open(path string, s streams) (*elfscan.Image, error) {
	opt := elfscan.Options{Map: f.mapFile}
	if f.mapFile == "-" {
		if path == "-" {
			return nil, errors.New("the image and its map cannot both be standard input")
		}
		text, err := io.ReadAll(s.in)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		opt.Map, opt.MapText = "standard input", text
	}
	switch path {
	case "":
		found, err := running.Vmlinux("/")
		if err != nil {
			return nil, err
		}
		return openPath(found, opt)
	case "-":
		im, err := elfscan.OpenReader("-", s.in, opt)
		return im, withHint("standard input", err)
	}
	return openPath(path, opt)
}

// list opens an image, lists it and hands both to use, until which returns the
// image is open.
func (f *imageFlags) list(path string, s streams, use func(*elfscan.Image, *elfscan.Listing) error) error {
	im, err := f.open(path, s)
	if err != nil {
		return err
	}
	defer im.Close()
	listing, err := im.List(elfscan.ListOptions{Deferred: f.deferred, RawRust: f.noDemangle})
	if err == nil {
		err = use(im, listing)
	}
	return withHint(im.Path, err)
}

func openPath(path string, opt elfscan.Options) (*elfscan.Image, error) {
	im, err := elfscan.Open(path, opt)
	return im, withHint(path, err)
}

// withHint puts the file's name before an error, once, and what to try after
// it.
func withHint(path string, err error) error {
	if err == nil {
		return nil
	}
	var pathErr *os.PathError
	if errors.As(err, &pathErr) && pathErr.Path == path {
		err = pathErr.Err
	}
	hint := ""
	switch {
	case errors.Is(err, elfscan.ErrNoSymbols):
		hint = ": pass --map System.map, or the vmlinux from before stripping"
	case errors.Is(err, elfscan.ErrNotELF):
		hint = ": an uncompressed kernel is needed, the vmlinux that the build leaves beside its boot image"
	}
	return fmt.Errorf("%s: %w%s", path, err, hint)
}

// show renders a document into memory first, so that trouble on the way leaves
// nothing half-written on standard output.
func show[Doc any](s streams, doc Doc, format render.Format, renderer func(io.Writer, Doc, render.Format, render.Style) error) error {
	var out bytes.Buffer
	if err := renderer(&out, doc, format, render.Style{Color: s.color}); err != nil {
		return err
	}
	if _, err := s.out.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// oneLine makes an error one line that a terminal can be shown.
func oneLine(err error) string {
	return render.Printable(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " "))
}

func firstArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
