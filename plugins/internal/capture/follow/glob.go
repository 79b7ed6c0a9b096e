package follow

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const stdin = "-"

// expand returns the paths that a pattern names, sorted. Unlike filepath.Glob it says why a directory cannot be read
// and that nothing matches (fs.ErrNotExist). A path that exists is meant as it is written.
func expand(pattern string) ([]string, error) {
	if pattern == stdin {
		return []string{pattern}, nil
	}
	if _, err := os.Stat(pattern); err == nil || !hasMeta(pattern) {
		return []string{pattern}, err
	}
	dir, base := filepath.Split(pattern)
	dirs, err := []string{"."}, error(nil)
	if dir != "" {
		dirs, err = expand(trim(dir))
	}
	var paths []string
	for _, d := range dirs {
		names, bad := matching(d, base)
		if bad != nil {
			err = bad
		}
		for _, name := range names {
			paths = append(paths, join(dir, d, name))
		}
	}
	if len(paths) == 0 && err == nil {
		err = fmt.Errorf("%s: no file matches: %w", pattern, fs.ErrNotExist)
	}
	return paths, err
}

// join keeps the paths as the user wrote them: without "./" in front.
func join(written, dir, name string) string {
	if written == "" {
		return name
	}
	return filepath.Join(dir, name)
}

// trim takes the separator off a directory, unless it is the root.
func trim(dir string) string {
	if short := strings.TrimRight(dir, string(filepath.Separator)); short != filepath.VolumeName(dir) {
		return short
	}
	return dir
}

func matching(dir, base string) ([]string, error) {
	all, err := os.ReadDir(dir)
	var names []string
	for _, e := range all {
		if ok, _ := filepath.Match(base, e.Name()); ok {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func hasMeta(path string) bool {
	if runtime.GOOS == "windows" {
		return strings.ContainsAny(path, `*?[`)
	}
	return strings.ContainsAny(path, `*?[\`)
}
