package render

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/initsect/initsect/docs/rules"
	"github.com/initsect/initsect/internal/report"
)

// The parts of SARIF 2.1.0 that are used (OASIS Standard, section 3).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string             `json:"id"`
		Name             string             `json:"name"`
		ShortDescription sarifText          `json:"shortDescription"`
		FullDescription  sarifText          `json:"fullDescription"`
		HelpURI          string             `json:"helpUri"`
		Help             sarifHelp          `json:"help"`
		Default          sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Enabled bool   `json:"enabled"`
		Level   string `json:"level,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool            `json:"executionSuccessful"`
		ExitCode            int             `json:"exitCode"`
		Overrides           []sarifOverride `json:"ruleConfigurationOverrides,omitempty"`
	}
	sarifOverride struct {
		Configuration sarifConfiguration `json:"configuration"`
		Descriptor    sarifReference     `json:"descriptor"`
	}
	sarifReference struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		BaselineState       string             `json:"baselineState,omitempty"`
		Suppressions        []sarifSuppression `json:"suppressions"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
		Address  *sarifAddress `json:"address,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifAddress struct {
		Name      string  `json:"name"`
		Kind      string  `json:"kind"`
		Qualified *string `json:"fullyQualifiedName,omitempty"`
	}
	sarifLogical struct {
		Name      string  `json:"name"`
		Qualified *string `json:"fullyQualifiedName,omitempty"`
		Kind      string  `json:"kind"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/initsect/initsect"
)

// checkSARIF prints a log of one run. What is fixed is not in it: services that
// do not know baselines would show a result that is "absent" as one that is
// there.
func checkSARIF(w io.Writer, doc *report.Check) error {
	driver := sarifDriver{Name: "initsect", InformationURI: homepage, Rules: []sarifRule{}}
	invocation := sarifInvocation{ExecutionSuccessful: true}
	for i, r := range doc.Rules {
		driver.Rules = append(driver.Rules, newSARIFRule(r.Rule))
		switch {
		case r.Change != nil && r.Change.Severity != "off":
			invocation.Overrides = append(invocation.Overrides, sarifOverride{sarifConfiguration{true, r.Change.Severity}, sarifReference{r.ID, i}})
		case !r.Judged:
			invocation.Overrides = append(invocation.Overrides, sarifOverride{sarifConfiguration{}, sarifReference{r.ID, i}})
		}
	}
	if doc.Verdict.Failed {
		invocation.ExitCode = 1
	}
	run := sarifRun{Tool: sarifTool{driver}, Invocations: []sarifInvocation{invocation}, Results: []sarifResult{}}
	for i := range doc.Findings {
		run.Results = append(run.Results, newSARIFResult(doc, &doc.Findings[i]))
	}
	return writeJSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

func newSARIFRule(r report.Rule) sarifRule {
	return sarifRule{
		ID: r.ID, Name: r.Name, ShortDescription: sarifText{r.Title}, FullDescription: sarifText{r.Title}, HelpURI: r.Help,
		Help: sarifHelp{r.Title + "\n" + r.Help, rules.Page(r.ID)}, Default: sarifConfiguration{true, r.Severity},
	}
}

func newSARIFResult(doc *report.Check, f *report.Finding) sarifResult {
	result := sarifResult{
		RuleID:    f.Rule,
		RuleIndex: slices.IndexFunc(doc.Rules, func(r report.CheckedRule) bool { return r.ID == f.Rule }),
		Level:     f.Severity,
		Message:   sarifText{sarifMessage.Replace(Printable(f.Message))},
		Locations: []sarifLocation{newSARIFLocation(doc.Image.Path, f)},
		// GitHub compares by the first, and by no other name.
		PartialFingerprints: map[string]string{"primaryLocationLineHash": f.Fingerprint, "initsectFinding/v1": f.Fingerprint},
		Suppressions:        []sarifSuppression{},
	}
	if doc.Baseline != nil {
		result.BaselineState = "new"
		if f.Status == "known" {
			result.BaselineState = "unchanged"
		}
	}
	if f.Status == "suppressed" {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"external", Printable(or(f.Reason))})
	}
	return result
}

// newSARIFLocation gives the image as the file, because the source file is not
// known. Its first line stands for all of it: GitHub wants a line. An address
// is a name there: a JSON number does not hold 64 bits.
func newSARIFLocation(path string, f *report.Finding) sarifLocation {
	at := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{sarifURI(path)}, Region: sarifRegion{1}}}
	if f.Address != nil {
		at.Physical.Address = &sarifAddress{Name: *f.Address, Kind: "data"}
		if f.Section != nil {
			section := Printable(*f.Section) + "@" + *f.Address
			at.Physical.Address.Qualified = &section
		}
	}
	if f.Function != nil {
		function := sarifLogical{Name: Printable(*f.Function), Kind: "function"}
		if f.Module != nil {
			qualified := Printable(*f.Module + "::" + *f.Function)
			function.Qualified = &qualified
		}
		at.Logical = append(at.Logical, function)
	}
	return at
}

// sarifURI makes a reference of a path: a relative one of a relative path.
func sarifURI(path string) string {
	slashed := filepath.ToSlash(filepath.Clean(path))
	if !filepath.IsAbs(path) {
		return (&url.URL{Path: slashed}).String()
	}
	if !strings.HasPrefix(slashed, "/") { // C:/vmlinux
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}

// sarifMessage escapes what is a link or a placeholder in a message (3.11.5,
// 3.11.6).
var sarifMessage = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}")
