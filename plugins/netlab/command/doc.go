// Package command is what the lab's commands share: their exit codes, the signals that end them, the flags by which
// their scripts start them, and the build of what they run. It makes no lab and runs nothing in one.
package command
