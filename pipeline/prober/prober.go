// Package prober has the other half measure: it runs `echogram sweep` as a child, one round of probes at a time, and
// reads the rows of single probes.
//
// Its layers, from the bottom:
//
//   - rows.go: line protocol to rows of the schema, from a child or from what was stored.
//   - prober.go: where the command is, and one round of it.
//   - awake.go: the CPU held out of deep idle states meanwhile.
//
// It opens no socket and decides nothing: which targets, how often, and what the RTTs tell is its caller's affair.
package prober

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// Command is the name of the program that sends, and Instance that of what it then writes.
const (
	Command  = "echogram"
	Instance = "path"
)

// ErrNone: the command was not found.
var ErrNone = errors.New("prober: " + Command + " is neither beside this program nor in PATH")

// Find looks for the command beside our own program and in PATH.
func Find() (string, error) {
	if own, err := os.Executable(); err == nil {
		if found, err := exec.LookPath(filepath.Join(filepath.Dir(own), Command)); err == nil {
			return found, nil
		}
	}
	found, err := exec.LookPath(Command)
	if err != nil {
		return "", ErrNone
	}
	return found, nil
}

// Config says how to probe.
type Config struct {
	Program   string        // path of the command
	Interval  time.Duration // between two probes
	Timeout   time.Duration // that a round goes on listening behind its last probe
	Sizes     []int         // payload bytes, sent in turn
	Interface string        // "": as the routes say
	Source    []string      // addresses, one of each family; nil: the kernel's choice
}

// Round is what one run of the command has found out.
type Round struct {
	Samples []schema.SampleRow
	Stats   schema.SweepStatsRow
}

func (c *Config) args(target netip.Addr, count int) []string {
	sizes := make([]string, len(c.Sizes))
	for i, s := range c.Sizes {
		sizes[i] = strconv.Itoa(s)
	}
	args := []string{
		"sweep", "--burst", "1", "--order", "sequential", "--samples", "--format", "influx", "--instance", Instance,
		"--count", strconv.Itoa(count), "--count-interval", c.Interval.String(), "--timeout", c.Timeout.String(),
		"--sizes", strings.Join(sizes, ","),
	}
	if c.Interface != "" {
		args = append(args, "--interface", c.Interface)
	}
	for _, s := range c.Source {
		args = append(args, "--source", s)
	}
	return append(args, target.String())
}

// patience is what a child may need beyond its probes: to start, to find the neighbour, to write.
const patience = 15 * time.Second

// Run sends count probes to a target, one at a time. When ctx ends it has the child stop, and returns what that has
// measured without an error. Other errors are in the child's own words.
func (c *Config) Run(ctx context.Context, target netip.Addr, count int) (*Round, error) {
	bounded, cancel := context.WithTimeout(ctx, time.Duration(count)*c.Interval+c.Timeout+patience)
	defer cancel()
	cmd := exec.CommandContext(bounded, c.Program, c.args(target, count)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = c.Timeout + patience
	ownGroup(cmd)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() == nil && err != nil {
		return nil, failure(err, stderr.String())
	}
	return readRound(&stdout)
}

func readRound(out *bytes.Buffer) (*Round, error) {
	var round Round
	var rows Reader
	err := rows.Read(out, func(row schema.Row) {
		switch row := row.(type) {
		case *schema.SampleRow:
			round.Samples = append(round.Samples, *row)
		case *schema.SweepStatsRow:
			round.Stats = *row
		}
	})
	if err == nil && rows.Malformed > 0 {
		err = fmt.Errorf("prober: %s wrote %d malformed lines: %w", Command, rows.Malformed, rows.First)
	}
	return &round, err
}

// failure is what a failed child has said of itself, without the summary that may stand above it.
func failure(err error, text string) error {
	var own []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, Command) {
			own = append(own, strings.TrimSpace(line))
		}
	}
	switch text = strings.TrimSpace(text); {
	case own != nil:
		text = strings.Join(own, "; ")
	case text == "":
		return fmt.Errorf("prober: %w", err)
	}
	return fmt.Errorf("prober: %s (%w)", text, err)
}
