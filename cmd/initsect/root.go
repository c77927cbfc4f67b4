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
	root.AddCommand(newList(s), newSections(s), newShow(s), newCheck(s), newDiff(s), newUnpack(s), newSymbols(s), newBoot(s))
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

// readFlags say how images are read and shown: the flags of every command.
type readFlags struct {
	deferred   elfscan.Deferred
	noDemangle bool
	format     render.Format
}

func (f *readFlags) register(cmd *cobra.Command, formats []render.Format) {
	flags := cmd.Flags()
	flags.StringVar(&f.deferred.Start, "deferred-start", "", "boundary `SYMBOL` at the start of a deferred table that is not known")
	flags.StringVar(&f.deferred.End, "deferred-end", "", "boundary `SYMBOL` at its end")
	flags.StringVar(&f.deferred.Section, "deferred-section", "", "`NAME` of its output section")
	flags.BoolVar(&f.noDemangle, "no-demangle", false, "print Rust names as the linker wrote them")
	registerFormat(cmd, &f.format, formats)
}

// imageFlags are the flags of every command that reads one image.
type imageFlags struct {
	readFlags
	mapFile string
}

func (f *imageFlags) register(cmd *cobra.Command, formats []render.Format) {
	registerMap(cmd, &f.mapFile, "map", "the image")
	f.readFlags.register(cmd, formats)
}

// registerMap gives a command a flag for the map of one image.
func registerMap(cmd *cobra.Command, file *string, name, image string) {
	cmd.Flags().StringVar(file, name, "", "System.map, /proc/kallsyms or output of nm for "+image+": `FILE`")
}

// open opens the image that a command was given: a path, "-" for standard
// input, or "" for the running kernel's.
func (f *imageFlags) open(path string, s streams) (*elfscan.Image, error) {
	if f.mapFile == "-" && path == "-" {
		return nil, errors.New("the image and its map cannot both be standard input")
	}
	opt, err := mapOptions(f.mapFile, s)
	if err != nil {
		return nil, err
	}
	switch path {
	case "":
		found, err := running.Image("/")
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

// mapOptions are those for an image with a map: a path, "-" for standard
// input, or "" for none.
func mapOptions(mapFile string, s streams) (elfscan.Options, error) {
	if mapFile != "-" {
		return elfscan.Options{Map: mapFile}, nil
	}
	text, err := io.ReadAll(s.in)
	if err != nil {
		return elfscan.Options{}, fmt.Errorf("standard input: %w", err)
	}
	return elfscan.Options{Map: "standard input", MapText: text}, nil
}

// list opens an image, lists it and hands both to use, until which returns the
// image is open.
func (f *imageFlags) list(path string, s streams, use func(*elfscan.Image, *elfscan.Listing) error) error {
	im, err := f.open(path, s)
	if err != nil {
		return err
	}
	defer im.Close()
	listing, err := im.List(f.listOptions())
	if err == nil {
		err = use(im, listing)
	}
	return withHint(im.Path, err)
}

// survey is list, but for tables that may be wrong.
func (f *imageFlags) survey(path string, s streams, use func(*elfscan.Image, *elfscan.Survey) error) error {
	im, err := f.open(path, s)
	if err != nil {
		return err
	}
	defer im.Close()
	survey, err := im.Survey(f.listOptions())
	if err == nil {
		err = use(im, survey)
	}
	return withHint(im.Path, err)
}

func (f *imageFlags) listOptions() elfscan.ListOptions {
	return elfscan.ListOptions{Deferred: f.deferred, RawRust: f.noDemangle}
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
	if errors.Is(err, elfscan.ErrNoSymbols) {
		hint = ": pass --map System.map, or the vmlinux from before stripping"
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
	return s.print(out.Bytes())
}

func (s streams) print(text []byte) error {
	if _, err := s.out.Write(text); err != nil {
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
