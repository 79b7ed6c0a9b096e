// Package process starts child processes that cannot outlive us: each runs in its own process group, so that a
// Ctrl-C at the terminal reaches only us and we choose the order of the ends, and gets SIGKILL when we die.
//
// It leaves out restarts and pipes: the caller sets the files of its exec.Cmd.
package process
