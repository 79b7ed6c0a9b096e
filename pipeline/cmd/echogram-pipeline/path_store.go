package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"echogram/pipeline/config"
	"echogram/plugins/schema"
)

// sinkOf reads --config; nil: there is none. It connects to nothing: a measurement must not wait for a server.
func (f *pathFlags) sinkOf(log *slog.Logger) (*opener, error) {
	if f.config == "" {
		return nil, nil
	}
	cfg, err := config.Load(f.config, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	if cfg.Sink.Type == config.Stdout {
		return nil, fmt.Errorf("%s: key \"sink.type\": is %q, where the results go already: --format influx writes them as points", f.config, config.Stdout)
	}
	cfg.Path.Shifts = false // nothing is read back
	return &opener{cfg: cfg, retries: onceRetries, failed: log, log: log}, nil
}

// storeFindings writes a point each. An interrupt, which ends the measurement early, does not keep them from being stored.
func storeFindings(ctx context.Context, o *opener, findings []*finding) (err error) {
	if o == nil {
		return nil
	}
	ctx, cancel := grace(ctx, endGrace)
	defer cancel()
	defer func() { err = errors.Join(err, o.Close()) }()
	to, _, err := o.sink(ctx)
	if err != nil {
		return err
	}
	var text []byte
	for _, found := range findings {
		if text, err = schema.AppendLine(text, found.row()); err != nil {
			return err
		}
	}
	return to.Write(ctx, text)
}
