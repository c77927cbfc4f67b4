package render

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// The runner takes a line for a command if it begins with "::" or has "##[" in
// it (actions/runner, ActionCommand.cs); nothing else may look so.
func TestGitHubLines(t *testing.T) {
	command := regexp.MustCompile(`^::(error|warning|notice) title=IS\d{3} [a-z-]+%3A [^:,]*::[^\n\r]+$`)
	for name, doc := range documents(t) {
		lines := strings.Split(strings.TrimSuffix(checkView(t, doc, GitHub), "\n"), "\n")
		fresh := 0
		for i := range doc.Findings {
			if doc.Findings[i].Status == "new" {
				fresh++
			}
		}
		require.Len(t, lines, fresh+1, name)
		for _, line := range lines[:fresh] {
			require.Regexp(t, command, line, name)
		}
		require.True(t, strings.HasPrefix(lines[fresh], "initsect check: "), name)
		require.NotContains(t, lines[fresh], "##[")
	}
	out := checkView(t, documents(t)["everything"], GitHub)
	require.Contains(t, out, "::error title=IS107 lost%3A ../../testdata/vmlinux-fixtures/amd64-prel32-6.12::uhci_hcd_init never runs: its entry")
	require.Contains(t, out, "\n::warning title=IS108 registered-twice")
	require.Contains(t, out, "\n::notice title=IS207 unjudged")
	require.NotContains(t, out, "known_init")
	require.NotContains(t, out, "suppressed_init")
	require.Contains(t, checkView(t, documents(t)["hostile"], GitHub), "::100%250A::error title=x::y never runs")
}

// asHTML renders a comment as the services do, with their extensions.
func asHTML(t *testing.T, comment string) string {
	t.Helper()
	var out bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	require.NoError(t, md.Convert([]byte(comment), &out))
	return out.String()
}

// Whatever a name holds, it adds no element to the comment, and a service takes
// the comment.
func TestMarkdownComments(t *testing.T) {
	element := regexp.MustCompile(`<[^>]*>`)
	ours := regexp.MustCompile(`^</?(h2|p|details|summary|table|thead|tbody|tr|th|td|a)>$|^<a href="https://github\.com/initsect/initsect/blob/main/docs/rules/IS\d{3}\.md">$`)
	for name, doc := range documents(t) {
		comment := checkView(t, doc, Markdown)
		require.Less(t, len(comment), 65536, name)
		out := asHTML(t, comment)
		for _, e := range element.FindAllString(out, -1) {
			require.Regexp(t, ours, e, "%s in\n%s", name, comment)
		}
		require.Equal(t, strings.Count(out, "<details>"), strings.Count(out, "</details>"), name)
		require.NotContains(t, comment, "@torvalds", name)
	}
}

func TestMarkdownOfFindings(t *testing.T) {
	docs := documents(t)
	comment := checkView(t, docs["everything"], Markdown)
	out := asHTML(t, comment)
	require.Contains(t, out, "<td>uhci_hcd_init never runs: its entry at 0xffffffff819eeeb8 lies in no table</td>")
	shown, folded, _ := strings.Cut(out, "<details>")
	require.Contains(t, shown, "twice_init")
	require.NotContains(t, shown, "known_init")
	require.Contains(t, folded, "<summary>2 findings known or suppressed</summary>")
	require.Contains(t, folded, "suppressed: the second call is harmless")
	require.Contains(t, folded, "IS107, fixed_init, m")

	require.NotContains(t, checkView(t, docs["nothing found"], Markdown), "|")
	comment = checkView(t, docs["a thousand"], Markdown)
	require.Contains(t, comment, "<summary>1000 findings</summary>")
	shownRows := strings.Count(comment, "| error |")
	require.Greater(t, shownRows, 100)
	require.Contains(t, comment, fmt.Sprintf("\nand %d more; the other formats have all of them.\n", 1000-shownRows))

	hostile := asHTML(t, checkView(t, docs["hostile"], Markdown))
	require.Contains(t, hostile, "&lt;script&gt;alert(1)&lt;/script&gt; never runs", "names are as they are")
	require.Contains(t, hostile, "pipe|in|a|row never runs")
	require.Contains(t, hostile, "[click](http://evil.example) never runs")
	require.NotContains(t, hostile, "<strong>")
}

func TestInline(t *testing.T) {
	for text, want := range map[string]string{
		"__initcall__kmod_a": `\_\_initcall\_\_kmod\_a`,
		"<b>&amp;":           "&lt;b&gt;&amp;amp;",
		"[a](b)":             `\[a\](b)`,
		"a|b\n":              `a\|b?`,
		"@user":              "@\u200buser",
		"http://a www.b":     `http\://a www\.b`,
		"\\`*~#!$":           "\\\\\\`\\*\\~\\#\\!\\$",
		"\xffa":              "\ufffda",
	} {
		require.Equal(t, want, inline(text))
	}
	long := inline(strings.Repeat("ä", maxPlainText))
	require.Equal(t, strings.Repeat("ä", maxPlainText/2)+"…", long)
}
