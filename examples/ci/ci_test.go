package ci

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/initsect/initsect/internal/fixture"
)

// buildDir holds the initsect that is tried.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "initsect-ci"); err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(buildDir) }()
		out, err := exec.Command("go", "build", "-o", buildDir, "github.com/initsect/initsect/cmd/initsect").CombinedOutput()
		if err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// kernels are what the build of a tree leaves as vmlinux, by name.
func kernels() map[string][]byte {
	return map[string][]byte{
		"sound": fixture.Sound().Bytes(), "broken": fixture.Lost().Bytes(), "cut off": fixture.Sound().Bytes()[:1000],
	}
}

// tree is a checkout on a machine of a CI service, on which make leaves a kernel
// that is given, and go install installs this initsect.
type tree struct {
	dir string
	env []string
}

func newTree(t *testing.T, kernel []byte) *tree {
	t.Helper()
	top := t.TempDir()
	dir, bin, gobin := filepath.Join(top, "tree"), filepath.Join(top, "bin"), filepath.Join(top, "gobin")
	for _, d := range []string{dir, bin, gobin} {
		require.NoError(t, os.Mkdir(d, 0o700))
	}
	built := filepath.Join(buildDir, "initsect")
	require.NoError(t, os.WriteFile(filepath.Join(top, "kernel"), kernel, 0o600))
	for name, script := range map[string]string{
		"apt-get": "",
		"make":    `case "$*" in *vmlinux*) cp "` + top + `/kernel" vmlinux;; defconfig) ;; *) exit 9;; esac`,
		"go":      `test "$*" = "install github.com/initsect/initsect/cmd/initsect@latest" && cp "` + built + `" "` + gobin + `"`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	}
	tr := &tree{dir, []string{"PATH=" + bin + ":" + gobin + ":/usr/bin:/bin", "GITHUB_STEP_SUMMARY=" + filepath.Join(top, "summary")}}
	tr.write(t, "initsect-baseline.json", exampleBaseline(t, built, top))
	return tr
}

// exampleBaseline is that of a sound kernel, made as the README says.
func exampleBaseline(t *testing.T, initsect, dir string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vmlinux"), fixture.Sound().Bytes(), 0o600))
	cmd := exec.Command(initsect, "check", "--write-baseline", "baseline", "vmlinux")
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	baseline, err := os.ReadFile(filepath.Join(dir, "baseline"))
	require.NoError(t, err)
	return string(baseline)
}

func (tr *tree) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(tr.dir, name), []byte(text), 0o600))
}

// read returns a file of the tree, "" if there is none.
func (tr *tree) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(tr.dir, name))
	return string(text)
}

// sh runs a script as the services do: by the line, until one fails.
func (tr *tree) sh(t *testing.T, script string, env ...string) (status int, out string) {
	t.Helper()
	cmd := exec.Command("bash", "-e", "-c", script)
	cmd.Dir, cmd.Env = tr.dir, append(slices.Clone(tr.env), env...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

func parse(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

type workflow struct {
	Jobs map[string]struct {
		Steps []step
	}
}

type step struct {
	Name, Uses, Run, If string
	With                map[string]string
}

// runs reports whether the condition of a step holds: that nothing has failed,
// unless it says otherwise.
func (s step) runs(t *testing.T, tr *tree, failed bool) bool {
	t.Helper()
	if s.If == "" {
		return !failed
	}
	m := regexp.MustCompile(`^\$\{\{ !cancelled\(\) && hashFiles\('([^']+)'\) != '' \}\}$`).FindStringSubmatch(s.If)
	require.NotNil(t, m, "a condition that this test does not know: %s", s.If)
	return tr.read(m[1]) != ""
}

// github runs the workflow, and returns the status of the job, what it printed
// and the files that it uploads.
func github(t *testing.T, tr *tree) (status int, out string, uploads []string) {
	t.Helper()
	var w workflow
	parse(t, "github.yml", &w)
	require.Len(t, w.Jobs["check"].Steps, 7)
	for _, s := range w.Jobs["check"].Steps {
		if !s.runs(t, tr, status != 0) {
			continue
		}
		if s.Uses != "" {
			require.Regexp(t, `^[a-z-]+(/[a-z-]+)+@v[0-9]+$`, s.Uses)
			if file := s.With["sarif_file"]; file != "" {
				uploads = append(uploads, file)
			}
			continue
		}
		code, text := tr.sh(t, s.Run)
		status, out = max(status, code), out+text
	}
	return status, out, uploads
}

func TestGitHub(t *testing.T) {
	for _, test := range []struct {
		kernel  string
		status  int
		printed string
		uploads []string
	}{
		{"sound", 0, "initsect check: passed: no findings", []string{"initsect.sarif"}},
		{"broken", 1, "::error title=IS107 lost%3A vmlinux::lost_init never runs", []string{"initsect.sarif"}},
		{"cut off", 2, "initsect: vmlinux: ", nil},
	} {
		t.Run(test.kernel, func(t *testing.T) {
			tr := newTree(t, kernels()[test.kernel])
			status, out, uploads := github(t, tr)
			require.Equal(t, test.status, status, out)
			require.Contains(t, out, test.printed)
			require.Equal(t, test.uploads, uploads)
			summary := tr.read("../summary")
			if test.uploads == nil {
				require.Empty(t, summary)
				return
			}
			require.Contains(t, summary, "## initsect check: ")
			var log struct {
				Runs []struct{ Results []struct{ RuleID string } }
			}
			require.NoError(t, json.Unmarshal([]byte(tr.read("initsect.sarif")), &log))
			require.Len(t, log.Runs[0].Results, test.status)
		})
	}
}

// What the baseline of the broken kernel knows passes.
func TestBaseline(t *testing.T) {
	tr := newTree(t, kernels()["broken"])
	status, out, _ := github(t, tr)
	require.Equal(t, 1, status, out)
	status, out = tr.sh(t, "initsect check --write-baseline initsect-baseline.json vmlinux")
	require.Equal(t, 1, status, out)
	status, out, _ = github(t, tr)
	require.Zero(t, status, out)
	require.Contains(t, out, "; 1 known")
}

type pipeline struct {
	Initcalls struct {
		BeforeScript []string `yaml:"before_script"`
		Script       []string
		AfterScript  []string `yaml:"after_script"`
		Artifacts    struct {
			When    string
			Paths   []string
			Reports struct{ JUnit string }
		}
	}
}

func TestGitLab(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	var p pipeline
	parse(t, "gitlab.yml", &p)
	job := p.Initcalls
	require.Equal(t, "always", job.Artifacts.When)
	for _, test := range []struct {
		kernel   string
		status   int
		failures int
	}{{"sound", 0, 0}, {"broken", 1, 1}, {"cut off", 2, -1}} {
		t.Run(test.kernel, func(t *testing.T) {
			var path, comment string
			api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				path, comment = r.Method+" "+r.URL.Path, string(text)
			}))
			defer api.Close()
			tr := newTree(t, kernels()[test.kernel])
			status, out := tr.sh(t, strings.Join(append(slices.Clone(job.BeforeScript), job.Script...), "\n"))
			require.Equal(t, test.status, status, out)
			status, out = tr.sh(t, strings.Join(job.AfterScript, "\n"),
				"CI_API_V4_URL="+api.URL, "CI_PROJECT_ID=7", "CI_MERGE_REQUEST_IID=42", "INITSECT_TOKEN=secret")
			require.Zero(t, status, out)

			report := tr.read(job.Artifacts.Reports.JUnit)
			if test.failures < 0 {
				require.Empty(t, report+tr.read(job.Artifacts.Paths[0])+comment)
				return
			}
			var suites struct {
				Failures int `xml:"failures,attr"`
			}
			require.NoError(t, xml.Unmarshal([]byte(report), &suites))
			require.Equal(t, test.failures, suites.Failures)
			require.NotEmpty(t, tr.read(job.Artifacts.Paths[0]))
			require.Equal(t, "POST /projects/7/merge_requests/42/notes", path)
			require.Contains(t, comment, "body=%23%23+initsect")

			status, out = tr.sh(t, strings.Join(job.AfterScript, "\n")) // no merge request
			require.Zero(t, status, out)
		})
	}
}
