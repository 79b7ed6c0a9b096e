package rules

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path of the module.
const module = "echogram"

// root is the checkout, seen from this package.
const root = "../.."

// pkg is what go list says about a package, without its tests.
type pkg struct {
	ImportPath   string
	Name, Doc    string
	Dir          string
	Standard     bool
	Module       *struct{ Path string }
	Imports      []string
	CgoFiles     []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

// short is the path below the module: plugins/schema.
func (p pkg) short() string { return short(p.ImportPath) }

func short(importPath string) string { return strings.TrimPrefix(importPath, module+"/") }

func (p pkg) ours() bool { return p.Module != nil && p.Module.Path == module }

// goList runs go list -json for linux without cgo, which is how the products are built.
func goList(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-buildvcs=false")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.Bytes())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := dec.Decode(&p); err {
		case nil:
			all = append(all, p)
		case io.EOF:
			return all
		default:
			t.Fatal(err)
		}
	}
}

var (
	oursOnce sync.Once
	oursList []pkg
)

// ours lists the packages of the module.
func ours(t *testing.T) []pkg {
	t.Helper()
	oursOnce.Do(func() { oursList = goList(t, "./...") })
	if len(oursList) == 0 {
		t.Fatal("go list found no packages")
	}
	return oursList
}

// below says whether a short path is one of the trees or lies in one.
func below(p string, trees ...string) bool {
	for _, tree := range trees {
		if p == tree || strings.HasPrefix(p, tree+"/") {
			return true
		}
	}
	return false
}

// imports lists the direct imports of ours, as short paths, and those of others, in full.
func (p pkg) imports() (own, others []string) {
	for _, i := range p.Imports {
		if i == module || strings.HasPrefix(i, module+"/") {
			own = append(own, short(i))
		} else if strings.Contains(strings.SplitN(i, "/", 2)[0], ".") {
			others = append(others, i)
		}
	}
	return own, others
}

// sources lists the Go files of the checkout that keep accepts, as slash paths below root.
func sources(t *testing.T, keep func(name string) bool) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && path.Ext(name) == ".go" && keep(d.Name()) {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
