// Command echogram sweeps networks with ICMP echo requests, tells what captures say about BFD, and serves Telegraf as a
// child of inputs.execd.
//
// It holds flags, signals and wiring only: main.go (commands, exit codes), sweep.go (a sweep by hand), read.go (a
// capture evaluated), ping*.go (the classic view), bfd*.go (BFD), telegraf.go (the execd loop); output*.go (rows to a
// file, summary), format*.go (csv, json, table, influx), progress.go (the line on a terminal), flags.go (help,
// completion, and the words for what is wrong with flags).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"echogram/plugins/internal/prober"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is what the user can mend on the command line or in a file: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// quietError ends the command without a further word: what there is to say has been said.
type quietError struct{ code int }

func (e quietError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var quiet quietError
	var usage usageError
	var problem *prober.Problem
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &problem):
		fmt.Fprintf(os.Stderr, "%s: %s\n", cmd.CommandPath(), flagProblem(cmd.Flags(), problem))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "%s: %v\n", cmd.CommandPath(), err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", cmd.CommandPath(), err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "echogram",
		Short:         "Turn ICMP and BFD echoes into time series",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // whose words are for programmers
		return usageError{fmt.Errorf("%s (see %s --help)", text, cmd.CommandPath())}
	})
	root.AddCommand(newSweep(), newPing(), newBFD(), newTelegraf(), newVersion())
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q (see %s --help)", args[0], cmd.CommandPath())}
	}
	return nil
}

// noArgs is cobra's check with our exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), "echogram", version(), runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
			return nil
		},
	}
}

// version is the module's version, or the commit that a build from a checkout records.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
