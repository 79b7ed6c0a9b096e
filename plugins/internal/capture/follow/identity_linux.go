package follow

import (
	"io/fs"
	"syscall"
)

// inodeOf is what stays when a file is renamed.
func inodeOf(_ string, info fs.FileInfo) inode {
	s := info.Sys().(*syscall.Stat_t) // of os.Stat and File.Stat
	return inode{Device: s.Dev, Inode: s.Ino}
}
