package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/internal/render"
)

// formatFlag is the value of --format: one of those that the command has.
type formatFlag struct {
	value   *render.Format
	allowed []render.Format
}

// registerFormat gives a command its --format, which is text unless told.
func registerFormat(cmd *cobra.Command, value *render.Format, allowed []render.Format) {
	*value = render.Text
	cmd.Flags().Var(&formatFlag{value, allowed}, "format", formatNames(allowed))
	var names []string
	for _, f := range allowed {
		names = append(names, string(f))
	}
	if err := cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was registered just now
	}
}

func formatNames(formats []render.Format) string {
	var names []string
	for _, f := range formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (f *formatFlag) String() string {
	if f.value == nil { // pflag asks a zero value
		return ""
	}
	return string(*f.value)
}

func (f *formatFlag) Set(s string) error {
	if !slices.Contains(f.allowed, render.Format(s)) {
		return fmt.Errorf("want one of %s", formatNames(f.allowed))
	}
	*f.value = render.Format(s)
	return nil
}

func (f *formatFlag) Type() string { return "FORMAT" }
