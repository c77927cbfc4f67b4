package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/initdiff"
	"github.com/initsect/initsect/internal/render"
)

type diffOptions struct {
	readFlags
	old, new     imageSide
	only, failOn []string
	levels       []string
	module       string
	stat         bool
}

func newDiff(s streams) *cobra.Command {
	opt := diffOptions{old: imageSide{mapFlag: "--map-old"}, new: imageSide{mapFlag: "--map-new"}}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show what changed between two kernels",
		Long: `Compare the initcalls of two kernels. Each side is an image, or a document that
list --format json wrote; "-" is standard input.

An initcall is the same in both if function and module are; addresses and lines
change with every build and mean nothing. The kinds of difference:

  added, removed
  moved      to another level or table
  reordered  within its level; as few as can explain the new order
  renamed    another function of the same module and line: a guess
  table      a fact of a table: encoding, section, boundary symbols, trigger, …
  image      a fact of the image: release, machine, …

The exit status is 1 if there are differences that count: those that --fail-on
names, or else those that --only names, or else all but image. What does not
count is printed as well. A renamed initcall is shown, and counts, where an added
or a removed one is or does.

With --stat there is one line a level: how many initcalls it had and has, how
many came (+), went (-) and stayed with a change (~); then the tables whose size
changed. That follows from the rest and is no difference of its own.`,
		Example: `  initsect diff old/vmlinux new/vmlinux
  initsect diff --stat before.json vmlinux
  initsect diff --fail-on added,moved --format markdown before.json vmlinux`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.old.path, opt.new.path = args[0], args[1]
			return runDiff(opt, s)
		},
	}
	opt.register(cmd, render.Common)
	registerMap(cmd, &opt.old.mapFile, "map-old", "OLD")
	registerMap(cmd, &opt.new.mapFile, "map-new", "NEW")
	flags := cmd.Flags()
	flags.StringSliceVar(&opt.only, "only", nil, "show only these `KINDS` of difference")
	flags.StringSliceVar(&opt.failOn, "fail-on", nil, "exit with 1 only for these `KINDS` of difference")
	flags.StringArrayVar(&opt.levels, "level", nil, "only initcalls that are or were at this level: `ID`, repeatable")
	flags.StringVar(&opt.module, "module", "", "only this module's initcalls: `NAME`")
	flags.BoolVar(&opt.stat, "stat", false, "one line a level instead of the changes")
	return cmd
}

func (opt *diffOptions) query() (initdiff.Query, error) {
	q := initdiff.Query{Module: opt.module, RawRust: opt.noDemangle}
	for _, list := range []struct {
		flag  string
		names []string
		kinds *[]initdiff.Kind
	}{{"--only", opt.only, &q.Only}, {"--fail-on", opt.failOn, &q.FailOn}} {
		for _, name := range list.names {
			kind, err := initdiff.ParseKind(name)
			if err != nil {
				return q, fmt.Errorf("%s: %w", list.flag, err)
			}
			*list.kinds = append(*list.kinds, kind)
		}
	}
	for _, id := range opt.levels {
		level, err := elfscan.ParseLevel(id)
		if err != nil {
			return q, fmt.Errorf("--level: %w", err)
		}
		q.Levels = append(q.Levels, level)
	}
	return q, q.Check()
}

// checkStreams makes sure that at most one of the files is standard input.
func (opt *diffOptions) checkStreams() error {
	n := 0
	for _, file := range []string{opt.old.path, opt.new.path, opt.old.mapFile, opt.new.mapFile} {
		if file == "-" {
			n++
		}
	}
	if n > 1 {
		return errors.New("only one of the images and their maps can be standard input")
	}
	return nil
}

func runDiff(opt diffOptions, s streams) error {
	query, err := opt.query()
	if err != nil {
		return err
	}
	if err := opt.checkStreams(); err != nil {
		return err
	}
	old, new, err := opt.readBoth(s)
	if err != nil {
		return err
	}
	doc, err := initdiff.Compare(old, new, query)
	if err != nil {
		return err
	}
	if err := show(s, doc, opt.format, render.Diff(opt.stat)); err != nil {
		return err
	}
	if doc.Counted > 0 {
		return errFound
	}
	return nil
}
