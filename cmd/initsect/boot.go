package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/initsect/initsect/internal/bootlog"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

type bootOptions struct {
	imageFlags
	log, image string // image is empty without one
	boot       int
	top        int
	deferMS    float64
	gapMS      float64
	blacklist  []string

	compare    bool
	minMS      float64
	minPercent float64
	failSlower bool
}

func newBoot(s streams) *cobra.Command {
	var opt bootOptions
	cmd := &cobra.Command{
		Use:   "boot LOG [IMAGE]",
		Short: "Show what each initcall cost, joined with the tables",
		Long: `Show what each initcall cost in a boot: LOG is what a kernel printed that was
booted with initcall_debug (dmesg, a serial capture, syslog, journalctl -k), or
ftrace's text with the events initcall_level, initcall_start and
initcall_finish; it may be compressed with gzip, and "-" is standard input.

With IMAGE each call is joined with its entry by the order of the calls, so that
its level, module and line are known, and entries that were not called are
listed with the reason. The log of another kernel is refused.

"In sum" adds the times of all calls; "by the clock" counts each moment in which
any call ran once. Candidates for deferral are a hint: what needs them does not
show in a log.

With --compare LOG and IMAGE are two logs, old and new. The exit status is then
1 with --fail-slower if a call became slower.`,
		Example: `  initsect boot boot.log vmlinux
  dmesg | initsect boot -
  initsect boot --format html boot.log vmlinux > boot.html
  initsect boot --blacklist piix_init boot.log vmlinux
  initsect boot --compare --fail-slower old.log new.log`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.log = args[0]
			if len(args) > 1 {
				opt.image = args[1]
			}
			if err := opt.validate(cmd.Flags()); err != nil {
				return err
			}
			if opt.compare {
				return runBootCompare(opt, s)
			}
			return runBoot(opt, s)
		},
	}
	opt.register(cmd, render.BootFormats)
	flags := cmd.Flags()
	flags.IntVar(&opt.boot, "boot", 0, "which boot of a log that holds several, from 1; 0 is the last")
	flags.IntVar(&opt.top, "top", 20, "rows of each list in text; 0 is all")
	flags.Float64Var(&opt.deferMS, "defer-ms", 10, "name calls that take so long as candidates for deferral")
	flags.Float64Var(&opt.gapMS, "gap-ms", 1, "name gaps that are so long")
	flags.StringSliceVar(&opt.blacklist, "blacklist", nil, "print only the kernel argument that keeps the function `NAME` from being called")
	flags.BoolVar(&opt.compare, "compare", false, "compare two logs")
	flags.Float64Var(&opt.minMS, "min-ms", 1, "with --compare: name changes of at least so many milliseconds")
	flags.Float64Var(&opt.minPercent, "min-percent", 10, "with --compare: and of at least so many percent")
	flags.BoolVar(&opt.failSlower, "fail-slower", false, "with --compare: exit with status 1 if a call became slower")
	return cmd
}

// validate refuses figures that mean nothing, and flags that would have no
// effect.
func (opt *bootOptions) validate(flags *pflag.FlagSet) error {
	if flags.Changed("blacklist") && len(opt.blacklist) == 0 {
		return errors.New("--blacklist: want the name of a function")
	}
	for name, value := range map[string]float64{
		"defer-ms": opt.deferMS, "gap-ms": opt.gapMS, "min-ms": opt.minMS, "min-percent": opt.minPercent,
		"top": float64(opt.top), "boot": float64(opt.boot),
	} {
		if !(value >= 0 && value <= 1e9) { // which NaN is not, either
			return fmt.Errorf("--%s: want a number from 0 to 1e9", name)
		}
	}
	only := map[bool][]string{
		false: {"min-ms", "min-percent", "fail-slower"},
		true:  {"map", "deferred-start", "deferred-end", "deferred-section", "no-demangle", "defer-ms", "gap-ms", "blacklist"},
	}
	for _, name := range only[opt.compare] {
		if flags.Changed(name) {
			if opt.compare {
				return fmt.Errorf("--%s has no effect with --compare", name)
			}
			return fmt.Errorf("--%s goes with --compare", name)
		}
	}
	return nil
}

func microseconds(ms float64) int64 { return int64(math.Round(ms * 1000)) }

func runBoot(opt bootOptions, s streams) error {
	if len(opt.blacklist) > 0 && (opt.image == "" || opt.format != render.Text) {
		return errors.New("--blacklist prints a kernel argument, as text, and needs an IMAGE to check the names")
	}
	if opt.log == "-" && (opt.image == "-" || opt.mapFile == "-") {
		return errors.New("only one of log, image and map can be standard input")
	}
	log, err := opt.readLog(opt.log, s)
	if err != nil {
		return err
	}
	summary := bootlog.SummaryOptions{Gap: microseconds(opt.gapMS), Candidate: microseconds(opt.deferMS)}
	if opt.image == "" {
		return show(s, report.NewBoot(opt.log, bootlog.Alone(log), nil, summary), opt.format, render.Boot(opt.top))
	}
	list, err := opt.listDocument(opt.image, s)
	if err != nil {
		return err
	}
	kernel, err := report.BootKernel(list)
	if err != nil {
		return err
	}
	join, err := bootlog.With(log, kernel)
	if err != nil {
		return fmt.Errorf("%s: joined with %s: %w", opt.log, opt.image, err)
	}
	if len(opt.blacklist) > 0 {
		return printBlacklist(opt, s, join)
	}
	return show(s, report.NewBoot(opt.log, join, list, summary), opt.format, render.Boot(opt.top))
}

// listDocument returns the document of an image, or one that was saved.
func (opt *bootOptions) listDocument(path string, s streams) (*report.List, error) {
	from := imageSide{path: path, mapFile: opt.mapFile, mapFlag: "--map"}
	doc, _, err := opt.readDocument(&from, s)
	return doc, cmp.Or(err, from.missing)
}

// readLog reads a log: a file, or "-" for standard input.
func (opt *bootOptions) readLog(path string, s streams) (*bootlog.Log, error) {
	in := s.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, withHint(path, err)
		}
		defer f.Close()
		in = f
	}
	log, err := bootlog.Read(in, bootlog.Options{Boot: opt.boot})
	if errors.Is(err, bootlog.ErrNoCalls) {
		err = fmt.Errorf("%w: boot with initcall_debug and ignore_loglevel, with a log_buf_len= that keeps the beginning", err)
	}
	if err != nil {
		return nil, withHint(path, err)
	}
	return log, nil
}

// printBlacklist prints what keeps functions from being called.
func printBlacklist(opt bootOptions, s streams, join *bootlog.Join) error {
	names, warnings, err := join.Kernel.CheckBlacklist(opt.blacklist)
	if err != nil {
		return fmt.Errorf("%s: %w", opt.image, err)
	}
	for _, w := range warnings {
		fmt.Fprintf(s.err, "initsect: %s: warning: %s\n", opt.image, render.Printable(w))
	}
	_, err = fmt.Fprintf(s.out, "initcall_blacklist=%s\n", strings.Join(names, ","))
	return err
}

func runBootCompare(opt bootOptions, s streams) error {
	switch {
	case opt.image == "":
		return errors.New("--compare needs two logs")
	case opt.log == "-" && opt.image == "-":
		return errors.New("only one of the logs can be standard input")
	case opt.format == render.HTML || opt.format == render.SVG:
		return fmt.Errorf("--compare has no format %s", opt.format)
	}
	older, err := opt.readLog(opt.log, s)
	if err != nil {
		return err
	}
	newer, err := opt.readLog(opt.image, s)
	if err != nil {
		return err
	}
	thresholds := bootlog.Thresholds{US: microseconds(opt.minMS), Percent: opt.minPercent}
	c, err := bootlog.Compare(older, newer, thresholds)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", opt.log, opt.image, err)
	}
	doc := report.NewBootCompare(opt.log, opt.image, older, newer, c, thresholds)
	if err := show(s, doc, opt.format, render.BootCompare(opt.top)); err != nil {
		return err
	}
	if opt.failSlower && c.Slower() {
		return errFound
	}
	return nil
}
