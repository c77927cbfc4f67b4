// Package rules holds the pages of the rules of initsect check.
package rules

import "embed"

//go:embed IS*.md
var pages embed.FS

// Page returns the page of the rule with this id, in Markdown; "" if there is
// no such rule.
func Page(id string) string {
	text, err := pages.ReadFile(id + ".md")
	if err != nil {
		return ""
	}
	return string(text)
}
