package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/initsect/initsect/internal/report"
)

// gitHubCommands are the workflow commands that annotate a run.
var gitHubCommands = map[string]string{"error": "error", "warning": "warning", "note": "notice"}

// checkGitHub prints an annotation for each finding that counts, in the form
// that the runner of GitHub Actions takes from a step's output, and the
// verdict as a line of the log.
func checkGitHub(w io.Writer, doc *report.Check) error {
	var b strings.Builder
	for i := range doc.Findings {
		f := &doc.Findings[i]
		if f.Status != "new" {
			continue
		}
		title := Printable(fmt.Sprintf("%s %s: %s", f.Rule, f.Name, doc.Image.Path))
		fmt.Fprintf(&b, "::%s title=%s::%s\n", gitHubCommands[f.Severity], gitHubProperty.Replace(title), gitHubData.Replace(Printable(f.Message)))
	}
	fmt.Fprintf(&b, "initsect check: %s\n", verdict(doc)) // no word of the image: the runner reads it too
	_, err := io.WriteString(w, b.String())
	return err
}

// Escapes as in the runner's own library (actions/toolkit,
// packages/core/src/command.ts).
var (
	gitHubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	gitHubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
