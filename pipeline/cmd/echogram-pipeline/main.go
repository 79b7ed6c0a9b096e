// Command echogram-pipeline rolls up what sweeps have written, measures paths, and draws networks and BFD sessions.
//
// It holds flags, signals and wiring only: main.go (commands, exit codes), ends.go (configuration to sources and
// sinks), run.go, run_stream.go, backfill.go and import*.go (what lies between these), retention.go (hints for InfluxDB),
// report.go and report_flags.go (pictures), report_read.go and report_influx*.go (what they are drawn from),
// report_path.go (pictures of paths), report_page.go; path.go (a path measured by hand: flags and order of work),
// path_measure.go (rounds through the targets), path_subject.go (rows to samples), path_stored.go (the same out of
// InfluxDB), path_baseline.go (stored references), path_words.go, path_row.go and path_picture.go (what comes out),
// path_store.go (the way to a sink).
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
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is what the user can mend on the command line or in the configuration: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// gcPercent is by how much the heap may grow before it is collected, unless GOGC says. Most of it is what is known of
// each target, which stays: twice that would be for nothing, and a database needs the room.
const gcPercent = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(os.Stderr, "%s: %s\n", cmd.CommandPath(), line)
	}
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "echogram-pipeline",
		Short:         "Roll up and draw what echogram has written, and measure paths",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q (see %s --help)", args[0], cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
	})
	root.AddCommand(newRun(), newBackfill(), newImport(), newRetention(), newPath(), newReport(), newVersion())
	return root
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
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "echogram-pipeline", version(), runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
			return err
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
