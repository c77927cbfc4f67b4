package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
	"github.com/initsect/initsect/symbols"
)

type symbolsOptions struct {
	imageFlags
	image  string
	source string
}

func newSymbols(s streams) *cobra.Command {
	var opt symbolsOptions
	cmd := &cobra.Command{
		Use:   "symbols [IMAGE]",
		Short: "Print the symbol table in System.map's format",
		Long: `Print the symbol table that the other commands use, in the format and order of
System.map and nm -n: that of the file, else the System.map given with --map,
else the one that the kernel carries in its own memory (kallsyms), which is found
in the bytes of the image without any symbol.

Left out are undefined symbols, mapping symbols ($d) and compilers' local labels
(.L1). A System.map is the rest less what the build's scripts/mksysmap drops;
kallsyms is a System.map less what scripts/kallsyms.c drops: without
CONFIG_KALLSYMS_ALL, all but code. Its per-CPU symbols can have the type A.`,
		Example: `  initsect symbols vmlinux.stripped > System.map
  initsect symbols --source kallsyms vmlinux`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.image = firstArg(args)
			return runSymbols(opt, s)
		},
	}
	opt.register(cmd, render.Common)
	cmd.Flags().StringVar(&opt.source, "source", "", "only from this `SOURCE`: symtab, System.map or kallsyms")
	return cmd
}

func runSymbols(opt symbolsOptions, s streams) error {
	source := symbols.Source(opt.source)
	if opt.source != "" && !slices.Contains(symbols.Sources, source) {
		return fmt.Errorf("--source: unknown source %q: want one of %v", opt.source, symbols.Sources)
	}
	im, err := opt.open(opt.image, s)
	if err != nil {
		return err
	}
	defer im.Close()
	table, err := im.SymbolsFrom(source)
	if err != nil {
		return withHint(im.Path, err)
	}
	doc, err := report.NewSymbols(im, table)
	if err != nil {
		return withHint(im.Path, err)
	}
	return show(s, doc, opt.format, render.Symbols)
}
