package parts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"echogram/plugins/netlab/process"
)

// Influx is a running InfluxDB 1.8 with Flux, reachable from this host only.
type Influx struct {
	URL string // http://127.0.0.1:port
	Dir string // its data, configuration and influxd.log

	program string
	process *process.Process
	client  *http.Client
}

// influxConfig is what a database of whole networks needs: Flux, no limits on series, index on disk. The
// arguments are the directory and the addresses of RPC and HTTP.
const influxConfig = `reporting-disabled = true
bind-address = %[2]q

[meta]
  dir = "%[1]s/meta"

[data]
  dir = "%[1]s/data"
  wal-dir = "%[1]s/wal"
  index-version = "tsi1"
  max-values-per-tag = 0
  max-series-per-database = 0
  query-log-enabled = false

[monitor]
  store-enabled = false

[http]
  bind-address = %[3]q
  flux-enabled = true
  log-enabled = false
`

const (
	influxStartTime = 30 * time.Second
	influxStopTime  = 5 * time.Second
)

// errPortTaken is why a start is tried again: between our choice of a port and its use, somebody else took it.
var errPortTaken = errors.New("port taken")

// StartInfluxDB builds InfluxDB if need be and runs it with its files in dir, on free ports of 127.0.0.1, until
// Stop. It returns when the database answers.
func StartInfluxDB(ctx context.Context, dir string) (*Influx, error) {
	program, err := InfluxDB(ctx)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		db, err := startInflux(ctx, program, dir)
		if err == nil || !errors.Is(err, errPortTaken) || try == 5 {
			return db, err
		}
	}
}

func startInflux(ctx context.Context, program, dir string) (*Influx, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	db := &Influx{URL: "http://" + ports[1], Dir: dir, program: program, client: newLocalClient()}
	text := fmt.Sprintf(influxConfig, dir, ports[0], ports[1])
	if err := os.WriteFile(db.config(), []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("parts: influxd: %w", err)
	}
	if err := db.run(ctx); err != nil {
		return nil, err
	}
	return db, nil
}

func (db *Influx) config() string { return filepath.Join(db.Dir, "influxd.conf") }

// Restart runs the database again after Stop, on the same ports with the same files.
func (db *Influx) Restart(ctx context.Context) error { return db.run(ctx) }

func (db *Influx) run(ctx context.Context) error {
	log, err := os.Create(filepath.Join(db.Dir, "influxd.log"))
	if err != nil {
		return fmt.Errorf("parts: influxd: %w", err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(db.program, "run", "-config", db.config())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = withoutPrefix(os.Environ(), "INFLUXDB_") // they override the file
	if db.process, err = process.Start(cmd); err != nil {
		return err
	}
	if err := db.waitHealthy(ctx, log.Name()); err != nil {
		return errors.Join(err, ignoreEnded(db.Stop()))
	}
	return nil
}

// ignoreEnded drops the error of stopping what had ended by itself, which has been told already.
func ignoreEnded(err error) error {
	if errors.Is(err, process.ErrKilled) {
		return err
	}
	return nil
}

// newLocalClient never asks a proxy: what it talks to is on this host.
func newLocalClient() *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: nil}}
}

func withoutPrefix(env []string, prefix string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, prefix) {
			kept = append(kept, e)
		}
	}
	return kept
}

// freePorts returns n loopback addresses that nobody listens on right now.
func freePorts(n int) ([]string, error) {
	addrs := make([]string, 0, n)
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("parts: no free port: %w", err)
		}
		defer l.Close() // all at the end, so that no two are the same
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func (db *Influx) waitHealthy(ctx context.Context, log string) error {
	ctx, cancel := context.WithTimeout(ctx, influxStartTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if db.healthy(ctx) {
			return nil
		}
		select {
		case <-db.process.Done():
			return influxFailure(log, db.process.Wait())
		case <-ctx.Done():
			return fmt.Errorf("parts: influxd does not answer on %s, see %s: %w", db.URL, log, ctx.Err())
		case <-tick.C:
		}
	}
}

func influxFailure(log string, err error) error {
	text, readErr := os.ReadFile(log)
	if readErr != nil {
		return fmt.Errorf("parts: influxd ended: %w", errors.Join(err, readErr))
	}
	if strings.Contains(string(text), "address already in use") {
		return fmt.Errorf("parts: influxd: %w", errPortTaken)
	}
	return fmt.Errorf("parts: influxd ended (%v):\n%s", err, tail(string(text), 10))
}

func (db *Influx) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, db.URL+"/health", nil)
	if err != nil {
		return false
	}
	resp, err := db.client.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Pid is the process id of influxd.
func (db *Influx) Pid() int { return db.process.Pid() }

// Done is closed when influxd has ended.
func (db *Influx) Done() <-chan struct{} { return db.process.Done() }

// Stop ends the database and returns when it is gone; its files stay. Stopping twice is allowed.
func (db *Influx) Stop() error {
	defer db.client.CloseIdleConnections()
	return db.process.Stop(influxStopTime)
}
