package rules

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The folders say what there is; a new one is a decision, not an accident.
func TestTopLevelOfTheRepository(t *testing.T) {
	allowed := []string{"plugins", "pipeline", "sampleconfig", "scripts", "README.md", "CHANGELOG.md", "go.mod", "go.sum"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && !slices.Contains(allowed, name) {
			t.Errorf("%s stands at the top: only %v do", name, allowed)
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	for _, p := range ours(t) {
		for _, name := range []string{p.Name, path.Base(p.ImportPath)} {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc"}, name) {
				t.Errorf("%s: a package is named after what it does; a drawer has no such name", p.short())
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range ours(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment: it says what the package owns, its layers, and what it leaves out", p.short())
		}
	}
}

// A test that skips itself passes where it was never run: what a test needs is installed, or the check fails.
func TestNoTestSkips(t *testing.T) {
	skip := regexp.MustCompile(`\b[tbf]\.(Skip|Skipf|SkipNow)\(`)
	for _, file := range sources(t, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if at := skip.FindIndex(text); at != nil {
			t.Errorf("%s:%d skips a test: install what it needs, or fail with the line that would",
				strings.TrimPrefix(file, root+"/"), 1+strings.Count(string(text[:at[0]]), "\n"))
		}
	}
}

// What a README tells people to run must be there.
func TestScriptsOfTheREADMEsExist(t *testing.T) {
	script := regexp.MustCompile(`\bscripts/[a-z0-9_-]+\b`)
	for _, file := range []string{root + "/README.md", root + "/scripts/README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range script.FindAllString(string(text), -1) {
			if _, err := os.Stat(path.Join(root, name)); err != nil {
				t.Errorf("%s names %s: %v", strings.TrimPrefix(file, root+"/"), name, err)
			}
		}
	}
}
