package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// embeddedSource is the one file that whoever compiles our inputs into a Telegraf adds to its cmd/telegraf.
const embeddedSource = `package main

import (
	_ "echogram/plugins/inputs/bfd"
	_ "echogram/plugins/inputs/icmp_sweep"
)
`

// embeddedModule is the throw-away module. Its path lies below Telegraf's, whose internal packages it imports.
const embeddedModule = "github.com/influxdata/telegraf/echogram-embedded"

// EmbeddedTelegraf is the function EmbeddedTelegraf with b's progress. It always builds, because the checkout may
// have changed; the Go tool's cache makes that a link.
//
// What is built is Telegraf's own command, copied from the module cache, with embeddedSource beside it, in a
// module that requires what Telegraf requires and replaces echogram by the checkout.
func (b *Builder) EmbeddedTelegraf(ctx context.Context, repoDir string) (string, error) {
	repoDir, err := filepath.Abs(repoDir)
	if err != nil {
		return "", fmt.Errorf("parts: %w", err)
	}
	sum := sha256.Sum256([]byte(repoDir))
	dir, unlock, err := b.lockDir(ctx, "telegraf-embedded-"+TelegrafVersion+"-"+hex.EncodeToString(sum[:6]))
	if err != nil {
		return "", err
	}
	defer unlock()
	module := filepath.Join(dir, "module")
	if err := writeModule(ctx, module, repoDir); err != nil {
		return "", err
	}
	b.say("building telegraf %s with our inputs", TelegrafVersion)
	begin := time.Now()
	program := filepath.Join(dir, "telegraf")
	args := append([]string{"build", "-mod=mod", "-o", program + ".new"}, telegraf().buildArgs()...)
	if err := runGo(ctx, module, nil, append(args, ".")...); err != nil {
		return "", err
	}
	if err := os.Rename(program+".new", program); err != nil { // the old one may be running
		return "", fmt.Errorf("parts: %w", err)
	}
	b.say("built telegraf %s with our inputs in %v", TelegrafVersion, time.Since(begin).Round(time.Second))
	return program, nil
}

// writeModule makes the throw-away module anew in dir.
func writeModule(ctx context.Context, dir, repoDir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	source, err := moduleDir(ctx, dir, "github.com/influxdata/telegraf@"+TelegrafVersion)
	if err != nil {
		return err
	}
	if err := copyCommand(dir, filepath.Join(source, "cmd", "telegraf")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "echogram_inputs.go"), []byte(embeddedSource), 0o644); err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	if err := copyFiles(filepath.Join(dir, "go.mod"), filepath.Join(source, "go.mod")); err != nil {
		return err
	}
	sums := []string{filepath.Join(source, "go.sum"), filepath.Join(repoDir, "go.sum")}
	if err := copyFiles(filepath.Join(dir, "go.sum"), sums...); err != nil {
		return err
	}
	return runGo(ctx, dir, nil, "mod", "edit", "-module="+embeddedModule,
		"-require=github.com/influxdata/telegraf@"+TelegrafVersion,
		"-require=echogram@v0.0.0", "-replace=echogram="+repoDir)
}

// copyCommand copies what is compiled of the command in source: its Go files without tests, and what they embed.
func copyCommand(dir, source string) error {
	entries, err := os.ReadDir(source)
	if err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := copyFiles(filepath.Join(dir, name), filepath.Join(source, name)); err != nil {
			return err
		}
	}
	return nil
}

// moduleDir downloads a module and returns where its source is.
func moduleDir(ctx context.Context, dir, module string) (string, error) {
	out, err := outputGo(ctx, dir, nil, "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(out, &info); err != nil || info.Dir == "" {
		return "", fmt.Errorf("parts: go mod download %s said %q: %v", module, out, err)
	}
	return info.Dir, nil
}

// copyFiles writes the files of from, one after the other, to to.
func copyFiles(to string, from ...string) error {
	var all []byte
	for _, name := range from {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("parts: %w", err)
		}
		all = append(all, data...)
	}
	if err := os.WriteFile(to, all, 0o644); err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	return nil
}
