//go:build !linux

package follow

import (
	"hash/fnv"
	"io/fs"
	"path/filepath"
)

// inodeOf takes the name for what stays: elsewhere a renamed file is known by its first bytes only if its old name is
// used again, and read again otherwise.
func inodeOf(path string, _ fs.FileInfo) inode {
	h := fnv.New64a()
	h.Write([]byte(filepath.Clean(path)))
	return inode{Inode: h.Sum64()}
}
