package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/check"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

type checkOptions struct {
	imageFlags
	image         string
	outputs       []output
	formatGiven   bool
	failOn        string
	policy        string
	baseline      string
	writeBaseline string
	listRules     bool
}

func newCheck(s streams) *cobra.Command {
	var opt checkOptions
	cmd := &cobra.Command{
		Use:   "check [IMAGE]",
		Short: "Find what is wrong with the tables",
		Long: `Judge the tables of initcalls of a kernel: by rules that hold for every kernel
(--list-rules), and by a policy that says what is meant of this one.

The exit status is the same in every format: 0 if no finding is at least as bad
as --fail-on, 1 if one is, and 2 if the image could not be judged. What a
baseline knows or the policy suppresses does not count.

--output may be repeated, so that one run prints for people and writes reports:
text, tsv, csv, json, markdown (a comment for a merge request), sarif (2.1.0),
junit and github (annotations of GitHub Actions). Files are written as a whole
or not at all, and not if the image could not be judged.`,
		Example: `  initsect check vmlinux
  initsect check --policy initcalls.yaml --fail-on warning vmlinux
  initsect check --output text --output sarif=initsect.sarif vmlinux`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.image = firstArg(args)
			opt.formatGiven = cmd.Flags().Changed("format")
			if opt.listRules {
				return runListRules(opt, len(args), s)
			}
			return runCheck(opt, s)
		},
	}
	opt.register(cmd, render.ForCheck)
	flags := cmd.Flags()
	flags.Var(&outputFlag{&opt.outputs, render.ForCheck}, "output", "print in this format, or write it to a file, repeatable")
	flags.StringVar(&opt.failOn, "fail-on", string(check.Error), "least `SEVERITY` that fails: error, warning, note; or never")
	flags.StringVar(&opt.policy, "policy", "", "YAML `FILE` that says what is meant of this kernel")
	flags.StringVar(&opt.baseline, "baseline", "", "`FILE` of findings that are known")
	flags.StringVar(&opt.writeBaseline, "write-baseline", "", "write what is found to this baseline `FILE`")
	flags.BoolVar(&opt.listRules, "list-rules", false, "list the rules, and read no image")
	return cmd
}

// wanted returns what to print where: to standard output as text unless told.
func (opt *checkOptions) wanted() ([]output, error) {
	outputs := slices.Clone(opt.outputs)
	if len(outputs) == 0 || opt.formatGiven {
		outputs = append(outputs, output{format: opt.format})
	}
	places := outputs
	if opt.writeBaseline != "" {
		places = append(slices.Clone(outputs), output{render.JSON, opt.writeBaseline})
	}
	return outputs, distinct(places)
}

// threshold is what --fail-on says.
func (opt *checkOptions) threshold() (check.Severity, error) {
	if opt.failOn == "never" {
		return "", nil
	}
	least, err := check.ParseSeverity(opt.failOn)
	if err != nil {
		return "", fmt.Errorf("--fail-on: %w or never", err)
	}
	return least, nil
}

func runCheck(opt checkOptions, s streams) error {
	outputs, err := opt.wanted()
	if err != nil {
		return err
	}
	failOn, err := opt.threshold()
	if err != nil {
		return err
	}
	judgedBy, err := opt.judgedBy()
	if err != nil {
		return err
	}
	var result *check.Result
	var doc *report.Check
	if err := opt.survey(opt.image, s, func(im *elfscan.Image, survey *elfscan.Survey) error {
		result, err = check.Run(im, survey, judgedBy)
		if err == nil {
			doc = report.NewCheck(im, survey.Listing, result, report.CheckOptions{FailOn: failOn, Policy: opt.policy, Baseline: opt.baseline})
		}
		return err
	}); err != nil {
		return err
	}
	stdout, files, err := renderAll(s, doc, outputs, render.Check)
	if err != nil {
		return err
	}
	if err := notInputs(files, opt.baseline); err != nil { // which --write-baseline may renew
		return err
	}
	if opt.writeBaseline != "" {
		text, err := check.NewBaseline(result).JSON()
		if err != nil {
			return withHint(opt.writeBaseline, err)
		}
		files = append(files, file{opt.writeBaseline, text})
	}
	if err := notInputs(files, doc.Image.Path, opt.mapFile, opt.policy, documentOf(judgedBy.Policy, opt.policy)); err != nil {
		return err
	}
	if err := writeAll(files); err != nil {
		return err
	}
	if err := s.print(stdout); err != nil {
		return err
	}
	if doc.Verdict.Failed {
		return errFound
	}
	return nil
}

func runListRules(opt checkOptions, images int, s streams) error {
	switch {
	case images > 0:
		return errors.New("--list-rules reads no image")
	case len(opt.outputs) > 0:
		return errors.New("--list-rules prints to standard output alone: say --format, not --output")
	case !slices.Contains(render.Common, opt.format):
		return fmt.Errorf("--list-rules: want one of %s", formatNames(render.Common))
	}
	return show(s, report.NewRules(), opt.format, render.Rules)
}
