package main

import "github.com/spf13/cobra"

func newSections(s streams) *cobra.Command { return &cobra.Command{Use: "sections"} }
func newShow(s streams) *cobra.Command     { return &cobra.Command{Use: "show"} }
