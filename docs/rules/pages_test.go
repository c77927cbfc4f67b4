package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/docs/rules"
	"github.com/initsect/initsect/internal/check"
)

// sections are the headings that every page has, in this order.
var sections = []string{"What happens at boot", "Causes", "Cure", "See it by hand", "When to suppress it"}

// A page says of its rule what the program says.
func TestEveryRuleHasAPage(t *testing.T) {
	for _, rule := range check.Rules {
		t.Run(rule.ID, func(t *testing.T) {
			page := rules.Page(rule.ID)
			onDisk, err := os.ReadFile(filepath.Join("../..", rule.Page()))
			require.NoError(t, err)
			require.Equal(t, string(onDisk), page)

			head := fmt.Sprintf("# %s: %s\n\n**%s**: %s\n\n    ", rule.ID, rule.Name, rule.Severity, rule.Title)
			require.True(t, strings.HasPrefix(page, head), "want\n%s\ngot\n%.200s", head, page)
			var found []string
			for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(page, -1) {
				found = append(found, m[1])
			}
			require.Equal(t, sections, found)
			require.NotContains(t, page, "](", "a link that is relative leads nowhere where a report shows the page")
		})
	}
}

func TestNoPageWithoutARule(t *testing.T) {
	pages, err := filepath.Glob("IS*.md")
	require.NoError(t, err)
	require.Len(t, pages, len(check.Rules))
	require.Empty(t, rules.Page("IS000"))
}

func TestIndex(t *testing.T) {
	index, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var want, found []string
	for _, r := range check.Rules {
		want = append(want, fmt.Sprintf("| [%s](%s.md) %s | %s | %s |", r.ID, r.ID, r.Name, r.Severity, r.Title))
	}
	for line := range strings.Lines(string(index)) {
		if strings.HasPrefix(line, "| [") {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	require.Equal(t, want, found)
}
