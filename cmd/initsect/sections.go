package main

import (
	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

type sectionsOptions struct {
	imageFlags
	image string
}

func newSections(s streams) *cobra.Command {
	var opt sectionsOptions
	cmd := &cobra.Command{
		Use:   "sections [IMAGE]",
		Short: "Show the linker-built tables themselves",
		Long: `Show the tables of initcalls with their boundary symbols, output section,
encoding, levels and sizes, and beside them the other linker-built tables that
run code or feed boot: security modules, boot parameters, early consoles, …

The region of a table is "init" if it lies between __init_begin and __init_end,
the memory that the kernel frees after boot, else "kept".`,
		Example: `  initsect sections vmlinux
  initsect sections --format json vmlinux`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.image = firstArg(args)
			return runSections(opt, s)
		},
	}
	opt.register(cmd, render.Common)
	return cmd
}

func runSections(opt sectionsOptions, s streams) error {
	return opt.list(opt.image, s, func(im *elfscan.Image, l *elfscan.Listing) error {
		siblings, err := im.Siblings()
		if err != nil {
			return err
		}
		return show(s, report.NewSections(im, l, siblings), opt.format, render.Sections)
	})
}
