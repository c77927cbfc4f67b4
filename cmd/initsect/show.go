package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
	"github.com/initsect/initsect/symbols"
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
	opt.register(cmd, render.Common)
	return cmd
}

// suggestions is how many like names an error offers.
const suggestions = 3

func runShow(opt showOptions, s streams) error {
	return opt.list(opt.image, s, func(im *elfscan.Image, l *elfscan.Listing) error {
		details := l.Show(opt.name)
		if len(details) == 0 {
			return noInitcall(im, l, opt.name)
		}
		return show(s, report.NewShow(im, l, opt.name, details), opt.format, render.Show)
	})
}

// noInitcall says why a function has no initcall: because its entry came to
// lie outside every table, or because the name is another.
func noInitcall(im *elfscan.Image, l *elfscan.Listing, name string) error {
	lost, err := im.Lost(l)
	if err != nil {
		return err
	}
	for _, s := range lost {
		if entry, ok := symbols.ParseEntry(s.Name, []string{name}); ok && entry.Function == name {
			return fmt.Errorf("%s was registered, but never runs: its entry %s at %#x lies in no table", name, s.Name, s.Addr)
		}
	}
	return fmt.Errorf("no initcall %q: the nearest names are %s", name, strings.Join(l.Nearest(name, suggestions), ", "))
}
