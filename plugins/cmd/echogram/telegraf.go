package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/spf13/cobra"

	"echogram/plugins/inputs/bfd"
	"echogram/plugins/inputs/icmp_sweep"
	"echogram/plugins/internal/execd"
	"echogram/plugins/internal/prober"
	"echogram/sampleconfig/strict"
)

// telegrafFile is a configuration file: the stanzas of all our inputs.
type telegrafFile struct {
	Inputs struct {
		ICMPSweep []sweepStanza `toml:"icmp_sweep"`
		BFD       []bfdStanza   `toml:"bfd"`
	} `toml:"inputs"`
}

type sweepStanza struct {
	execd.Options
	icmp_sweep.ICMPSweep
}

type bfdStanza struct {
	execd.Options
	bfd.BFD
}

// stanza is one stanza of whichever input.
type stanza struct {
	input    string // its name
	number   int    // among those of its input
	options  *execd.Options
	plugin   initializedPlugin
	log      *telegraf.Logger // that the plugin uses
	interval *time.Duration
	instance *string // with its default once the plugin is initialised
}

type initializedPlugin interface {
	execd.Plugin
	telegraf.Initializer
}

func (f *telegrafFile) stanzas() (all []stanza) {
	for i := range f.Inputs.ICMPSweep {
		s := &f.Inputs.ICMPSweep[i]
		all = append(all, stanza{icmp_sweep.Name, i, &s.Options, &s.ICMPSweep, &s.Log, &s.Interval.Duration, &s.Instance})
	}
	for i := range f.Inputs.BFD {
		s := &f.Inputs.BFD[i]
		all = append(all, stanza{bfd.Name, i, &s.Options, &s.BFD, &s.Log, &s.Interval.Duration, &s.Instance})
	}
	return all
}

func newTelegraf() *cobra.Command {
	var file string
	var check, once bool
	cmd := &cobra.Command{
		Use:   "telegraf --config FILE",
		Short: "Serve Telegraf as a child of inputs.execd",
		Long: `Telegraf serves every [[inputs.icmp_sweep]] and [[inputs.bfd]] stanza of FILE: a newline on STDIN runs what is due,
points leave as line protocol on STDOUT, and the end of STDIN ends it. In Telegraf's own configuration stands:

  [[inputs.execd]]
    command = ["echogram", "telegraf", "--config", "/etc/echogram/echogram.conf"]
    signal = "STDIN"
    data_format = "influx"

Exit code: 0 ended by STDIN or SIGTERM, 1 failed to start, 2 wrong usage or configuration.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageError{errors.New("--config is required: name the file with the stanzas")}
			}
			log := execd.NewLogger(os.Stderr)
			inputs, err := loadInputs(file, log)
			switch {
			case err != nil && check:
				return usageError{err}
			case err != nil:
				log.Errorf("%s", firstLine(err))
				return quietError{exitUsage}
			case check:
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, %d stanza(s)\n", file, len(inputs))
				return nil
			}
			streams := execd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Patient: once, Abort: func() { os.Exit(exitFailed) }}
			if once {
				streams.In = strings.NewReader("\n")
			}
			return serve(cmd.Context(), inputs, streams, log)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "file with the stanzas (required)")
	cmd.Flags().BoolVar(&check, "check", false, "read the configuration, say what is wrong with it, send nothing")
	cmd.Flags().BoolVar(&once, "once", false, "run every stanza once, at once, without Telegraf: sweep, read files to their end, capture for a period")
	return cmd
}

func serve(ctx context.Context, inputs []*execd.Input, streams execd.Streams, log *execd.Logger) error {
	if err := execd.Serve(ctx, inputs, streams, prober.DropPrivileges); err != nil {
		log.Errorf("%v", err)
		return quietError{exitFailed}
	}
	return nil
}

// loadInputs reads a configuration file and initialises its stanzas.
func loadInputs(file string, log *execd.Logger) ([]*execd.Input, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var f telegrafFile
	doc, err := strict.Decode(file, data, &f, strict.Hint(execd.Hint))
	if err != nil {
		return nil, err
	}
	stanzas := f.stanzas()
	if len(stanzas) == 0 {
		return nil, fmt.Errorf("%s: no stanza: it needs an [[inputs.%s]] or an [[inputs.%s]]", file, icmp_sweep.Name, bfd.Name)
	}
	var inputs []*execd.Input
	instances := map[[2]string]int{} // by input and instance
	for i := range stanzas {
		s := &stanzas[i]
		path := fmt.Sprintf("inputs.%s[%d]", s.input, s.number)
		in, err := s.initialize(log)
		if err != nil {
			return nil, place(doc, path, err)
		}
		name := [2]string{s.input, *s.instance}
		if j, twice := instances[name]; twice {
			return nil, doc.Errorf(path+".instance", "stanzas %d and %d have the same instance, %q: their points would overwrite each other", j+1, s.number+1, *s.instance)
		}
		instances[name] = s.number
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// initialize checks a stanza's options and makes it an input.
func (s *stanza) initialize(log *execd.Logger) (*execd.Input, error) {
	if key, text := s.options.Check(); key != "" {
		return nil, &prober.Problem{Key: key, Text: text}
	}
	log = log.With("inputs."+s.input, s.options)
	*s.log = log
	if err := s.plugin.Init(); err != nil {
		return nil, err
	}
	return &execd.Input{Plugin: s.plugin, Options: *s.options, Interval: *s.interval, Log: log}, nil
}

// place finds the line of the key that a problem names.
func place(doc *strict.Document, path string, err error) error {
	var p *prober.Problem
	if errors.As(err, &p) {
		return doc.Errorf(path+"."+p.Key, "%s", p.Text)
	}
	return err
}

// firstLine is what of a list of errors fits one log line.
func firstLine(err error) string {
	first, rest, more := strings.Cut(err.Error(), "\n")
	if more {
		first += fmt.Sprintf(" (and %d more: run with --check)", strings.Count(rest, "\n")+1)
	}
	return first
}
