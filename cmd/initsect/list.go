package main

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

type listOptions struct {
	imageFlags
	image  string
	levels []string
	table  string
	module string
	match  string
}

func newList(s streams) *cobra.Command {
	var opt listOptions
	cmd := &cobra.Command{
		Use:   "list [IMAGE]",
		Short: "List every initcall in run order",
		Long: `List every initcall of a kernel in the order in which that kernel calls it, level
by level. A kernel booted with initcall_debug prints the same order.

Filters leave the numbers in the first column as they are in the whole image.
--level takes an id (early, 0, 1, 1s, … 7s, rootfs, console, security, deferred)
or the kernel's word for it (core, device, …) and may be repeated; a sync level
such as 6s is one of its own.`,
		Example: `  initsect list vmlinux
  initsect list --map System.map --format tsv vmlinux.stripped
  initsect list --level 6 --level 6s --match '^usb' vmlinux`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.image = firstArg(args)
			return runList(opt, s)
		},
	}
	opt.register(cmd, render.Common)
	flags := cmd.Flags()
	flags.StringArrayVar(&opt.levels, "level", nil, "only this level: `ID`, repeatable")
	flags.StringVar(&opt.table, "table", "", "only this table: console, security, initcall, deferred or module: `NAME`")
	flags.StringVar(&opt.module, "module", "", "only this module's initcalls: `NAME`")
	flags.StringVar(&opt.match, "match", "", "only functions whose name matches the `REGEXP`")
	return cmd
}

func (opt *listOptions) filter() (elfscan.Filter, error) {
	f := elfscan.Filter{Table: elfscan.TableKind(opt.table), Module: opt.module}
	if opt.table != "" && !slices.Contains(elfscan.TableKinds, f.Table) {
		return f, fmt.Errorf("--table: unknown table %q: want one of %v", opt.table, elfscan.TableKinds)
	}
	for _, id := range opt.levels {
		level, err := elfscan.ParseLevel(id)
		if err != nil {
			return f, fmt.Errorf("--level: %w", err)
		}
		f.Levels = append(f.Levels, level)
	}
	if opt.match != "" {
		re, err := regexp.Compile(opt.match)
		if err != nil {
			return f, fmt.Errorf("--match: %w", err)
		}
		f.Match = re
	}
	return f, nil
}

// warnOfBadEntries says on standard error what a reader of a long list, or a
// script, could miss in it.
func warnOfBadEntries(s streams, path string, l *elfscan.Listing) {
	bad := 0
	first := -1
	for i := range l.Initcalls {
		if !l.Initcalls[i].Sound() {
			bad++
			if first < 0 {
				first = i
			}
		}
	}
	if bad > 0 {
		c := l.Initcalls[first]
		fmt.Fprintf(s.err, "initsect: %s: warning: %d of %d entries do not hold the start of a function: the first is number %d, at %s, which holds %s\n",
			path, bad, len(l.Initcalls), c.Order, c.Slot, c.Target)
	}
}

func runList(opt listOptions, s streams) error {
	filter, err := opt.filter()
	if err != nil {
		return err
	}
	return opt.list(opt.image, s, func(im *elfscan.Image, l *elfscan.Listing) error {
		selected, err := l.Select(filter)
		if err != nil {
			return err
		}
		warnOfBadEntries(s, im.Path, selected)
		return show(s, report.NewList(im, selected), opt.format, render.List)
	})
}
