package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Versions of the parts. A test names what it ran against by these.
const (
	TelegrafVersion = "v1.37.2"
	InfluxDBVersion = "v1.8.3"
)

// telegrafTags are the plugins of our Telegraf; without "custom" it has all of them and needs half an hour.
var telegrafTags = []string{
	"custom",
	"inputs.execd", "inputs.file", "inputs.ping", "inputs.internal", "inputs.net",
	"outputs.file", "outputs.influxdb", "outputs.influxdb_v2", "outputs.execd",
	"parsers.influx", "serializers.influx", "processors.execd", "aggregators.basicstats", "aggregators.quantile",
}

// part is one program that the Go tool can install.
type part struct {
	name, pkg, version string
	tags               []string
	versionVar         string // the variable that the program prints as its version
}

func telegraf() part {
	return part{"telegraf", "github.com/influxdata/telegraf/cmd/telegraf", TelegrafVersion, telegrafTags,
		"github.com/influxdata/telegraf/internal.Version"}
}

func influxd() part {
	return part{"influxd", "github.com/influxdata/influxdb/cmd/influxd", InfluxDBVersion, nil, "main.version"}
}

// buildArgs are the flags of go install and go build.
func (p part) buildArgs() []string {
	args := []string{"-ldflags", "-X " + p.versionVar + "=" + strings.TrimPrefix(p.version, "v")}
	if len(p.tags) > 0 {
		args = append(args, "-tags", strings.Join(p.tags, ","))
	}
	return args
}

// dir names the part's place in the cache: other flags or another machine make another part.
func (p part) dir() string {
	sum := sha256.Sum256([]byte(strings.Join(p.buildArgs(), " ") + "/" + runtime.GOOS + "/" + runtime.GOARCH))
	return p.name + "-" + p.version + "-" + hex.EncodeToString(sum[:6])
}

// Telegraf returns the path of a real Telegraf, building it if need be; progress goes to STDERR.
func Telegraf(ctx context.Context) (string, error) {
	return (&Builder{Progress: os.Stderr}).Telegraf(ctx)
}

// InfluxDB returns the path of a real influxd, building it if need be; progress goes to STDERR.
func InfluxDB(ctx context.Context) (string, error) {
	return (&Builder{Progress: os.Stderr}).InfluxDB(ctx)
}

// EmbeddedTelegraf returns the path of a Telegraf that has the inputs of the checkout in repoDir compiled in;
// progress goes to STDERR.
func EmbeddedTelegraf(ctx context.Context, repoDir string) (string, error) {
	return (&Builder{Progress: os.Stderr}).EmbeddedTelegraf(ctx, repoDir)
}

// CacheDir is where the parts are kept: $ECHOGRAM_CACHE, or echogram in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("ECHOGRAM_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("parts: no cache directory, set ECHOGRAM_CACHE: %w", err)
	}
	return filepath.Join(dir, "echogram"), nil
}
