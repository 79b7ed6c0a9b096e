package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// File writes line protocol to a file or to STDOUT, a batch at a time and without a buffer of its own: what Write has
// acknowledged survives the end of the process, and after Close that of the machine. It is safe for concurrent use.
type File struct {
	mu   sync.Mutex
	file *os.File
	torn bool // the last line has no newline
}

// Open appends to the file at path, which it makes if there is none: what is there stays. A line that an earlier
// process left unfinished is ended, so that it spoils no other.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	torn, err := unfinished(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sink: %w", err), f.Close())
	}
	return &File{file: f, torn: torn}, nil
}

// Stdout writes to STDOUT, which Close leaves open.
func Stdout() *File { return &File{file: os.Stdout} }

// unfinished tells whether f ends without a newline. What has no end, such as a pipe, does not.
func unfinished(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil && err != io.EOF {
		return false, err
	}
	return last[0] != '\n', nil
}

// Write writes lines. A canceled ctx keeps it from beginning, but does not end a write that blocks.
func (f *File) Write(ctx context.Context, lines []byte) error {
	if err := ctx.Err(); err != nil || len(lines) == 0 {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.torn {
		if _, err := f.file.WriteString("\n"); err != nil {
			return fmt.Errorf("sink: %w", err)
		}
		f.torn = false
	}
	n, err := f.file.Write(lines)
	if f.torn = n > 0 && lines[n-1] != '\n'; err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return nil
}

// Close returns when the lines are on the disk.
func (f *File) Close() error {
	if f.file == os.Stdout {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.sync(), f.file.Close()); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return nil
}

// sync does nothing for what has no disk.
func (f *File) sync() error {
	if info, err := f.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.file.Sync()
}
