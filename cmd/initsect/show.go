package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

type showOptions struct {
	imageFlags
	image string
	name  string
}

func newShow(s streams) *cobra.Command {
	var opt showOptions
	cmd := &cobra.Command{
		Use:   "show [IMAGE] NAME",
		Short: "Show everything about the initcalls of one function",
		Long: `Show everything that the image says about the initcalls of the function NAME:
where it runs, its slot and target, module, source line, aliases, what runs just
before and after it. NAME may also be an alias or the entry symbol.`,
		Example: `  initsect show vmlinux ehci_hcd_init
  initsect show --format json vmlinux phy_module_init`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.name = args[len(args)-1]
			opt.image = firstArg(args[:len(args)-1])
			return runShow(opt, s)
		},
	}
	opt.register(cmd)
	return cmd
}

// suggestions is how many like names an error offers.
const suggestions = 3

func runShow(opt showOptions, s streams) error {
	return opt.list(opt.image, s, func(im *elfscan.Image, l *elfscan.Listing) error {
		details := l.Show(opt.name)
		if len(details) == 0 {
			return fmt.Errorf("no initcall %q: the nearest names are %s", opt.name, strings.Join(l.Nearest(opt.name, suggestions), ", "))
		}
		return show(s, report.NewShow(im, l, opt.name, details), opt.format, render.Show)
	})
}
