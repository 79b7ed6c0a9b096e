package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// liveFlush is how often rows of periods that are over are looked for, and results are handed on.
const liveFlush = time.Second

// runBFDLive follows what interfaces see until Ctrl-C, or for --duration. Both are a good end.
func runBFDLive(ctx context.Context, f *bfdFlags) (err error) {
	results, err := f.newResults()
	if err != nil {
		return usageError{err}
	}
	results.begin(strings.Join(f.interfaces, ", "), tapNames(f))
	var mu sync.Mutex // the watch's goroutines and ours
	config := f.watchConfig()
	config.Emit = func(row schema.Row) {
		mu.Lock()
		defer mu.Unlock()
		results.row(row)
	}
	if packet := results.trace(); packet != nil {
		config.Trace = func(p *prober.BFDPacket) {
			mu.Lock()
			defer mu.Unlock()
			packet(p)
		}
	}
	if err := config.Check(); err != nil {
		return err
	}
	done, err := results.open(f.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	w, err := prober.OpenWatch(ctx, config)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := prober.DropPrivileges(); err != nil {
		return err
	}
	f.listen(ctx, w, func() error {
		mu.Lock()
		defer mu.Unlock()
		return results.w.flush()
	})
	w.Close()
	return f.endLive(results)
}

// listen returns when it is time to end, or nothing can be written any more.
func (f *bfdFlags) listen(ctx context.Context, w *prober.Watcher, flush func() error) {
	if f.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	tick := time.NewTicker(liveFlush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if w.Flush(now); flush() != nil {
				return
			}
		}
	}
}

func (f *bfdFlags) endLive(results *bfdResults) error {
	if results.stats.Control+results.stats.Echo > 0 {
		results.end()
	}
	if err := results.w.flush(); err != nil {
		return err
	}
	if results.stats.Control+results.stats.Echo == 0 {
		return fmt.Errorf("%s: no BFD seen", strings.Join(f.interfaces, ", "))
	}
	return nil
}

func (f *bfdFlags) watchConfig() prober.WatchConfig {
	c := &f.config
	return prober.WatchConfig{
		Host: c.Host, Instance: c.Instance, Interfaces: f.interfaces, Promiscuous: f.promiscuous, Tunnels: f.tunnels, Tap: f.tap, Local: c.Local,
		Period: c.Period, PerEcho: c.PerEcho, MaxSessions: c.MaxSessions, NearMiss: c.NearMiss,
		Warn: func(text string) { fmt.Fprintln(os.Stderr, "echogram bfd:", text) },
	}
}

// tapNames names the interfaces of packets.
func tapNames(f *bfdFlags) func(ifindex int32) string {
	names := map[int32]string{}
	for _, name := range f.interfaces {
		if link, err := net.InterfaceByName(name); err == nil { // else opening it fails
			names[int32(link.Index)] = name
		}
	}
	return func(ifindex int32) string {
		if f.tap != "" {
			return f.tap
		}
		return names[ifindex]
	}
}
