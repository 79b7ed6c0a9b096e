package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/vishvananda/netlink"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
)

//go:embed limit/limit.c
var limitSource string

// build makes the programs that do not come from Debian. What of them is not ours may be missing, with a note.
func (b *bench) build(ctx context.Context) error {
	b.scene.echogram = b.path("echogram")
	if err := goBuild(ctx, b.repo, echogramPackage, b.scene.echogram); err != nil {
		return err
	}
	if err := b.compileLimit(ctx); err != nil {
		b.report.note(err.Error())
	}
	var err error
	if b.scene.telegraf, err = parts.Telegraf(ctx); err != nil {
		b.report.note(err.Error())
	}
	b.scene.emptyFile = b.path("empty")
	b.scene.config = func(targets int) string { return b.path(fmt.Sprintf("telegraf-%d.conf", targets)) }
	errs := []error{os.WriteFile(b.scene.emptyFile, nil, 0o644)}
	for _, n := range pingTargets {
		errs = append(errs, os.WriteFile(b.scene.config(n), []byte(telegrafConfig(n, b.path(resultFile))), 0o644))
	}
	return errors.Join(errs...)
}

const echogramPackage = "./plugins/cmd/echogram"

func goBuild(ctx context.Context, repo, pkg, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, pkg)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func (b *bench) compileLimit(ctx context.Context) error {
	if _, err := exec.LookPath("gcc"); err != nil {
		return errors.New("the bare C loop needs gcc: apt-get install gcc libc6-dev")
	}
	program := b.path("limit")
	cmd := exec.CommandContext(ctx, "gcc", "-O2", "-o", program, "-x", "c", "-", "-pthread")
	cmd.Stdin = strings.NewReader(limitSource)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("gcc limit.c (it needs libc6-dev: apt-get install libc6-dev): %w: %s", err, out)
	}
	b.scene.limit = program
	return nil
}

// start makes the lab. Its two neighbours are told of each other, so that nobody pays for ARP or loses by it.
func (b *bench) start() (err error) {
	if b.lab, err = netlab.SweepLab(netlab.SweepConfig{AllAnswering: true}); err != nil {
		return err
	}
	if b.scene.own, err = linkMAC(b.lab.Prober, netlab.ProberLink); err != nil {
		return err
	}
	if b.scene.gateway, err = linkMAC(b.lab.Responder, netlab.ResponderLink); err != nil {
		return err
	}
	err = errors.Join(
		setNeighbour(b.lab.Prober, netlab.ProberLink, netlab.ResponderAddress.AsSlice(), b.scene.gateway),
		setNeighbour(b.lab.Responder, netlab.ResponderLink, netlab.ProberAddress.AsSlice(), b.scene.own))
	if err != nil {
		return err
	}
	b.link, err = openCounter(b.lab.Prober, netlab.ProberLink)
	return err
}

func linkMAC(n *netlab.Namespace, link string) (mac net.HardwareAddr, err error) {
	err = n.Do(func() error {
		l, err := netlink.LinkByName(link)
		if err == nil {
			mac = l.Attrs().HardwareAddr
		}
		return err
	})
	return mac, err
}

func setNeighbour(n *netlab.Namespace, link string, ip net.IP, mac net.HardwareAddr) error {
	return n.Do(func() error {
		l, err := netlink.LinkByName(link)
		if err != nil {
			return err
		}
		return netlink.NeighSet(&netlink.Neigh{LinkIndex: l.Attrs().Index, State: netlink.NUD_PERMANENT, IP: ip, HardwareAddr: mac})
	})
}

// enter takes those contenders into the report that can run here; why the others cannot is a note.
func (b *bench) enter(ctx context.Context) []contender {
	help, _ := exec.CommandContext(ctx, b.scene.echogram, "sweep", "--help").Output() // none: it has no flags
	var able []contender
	for _, c := range b.scene.contenders() {
		switch missing := lacks(string(help), c.needs); {
		case len(missing) > 0:
			b.report.note(fmt.Sprintf("%s is left out: echogram sweep has no %s", c.name, strings.Join(missing, ", ")))
			continue
		case c.program == "":
			b.report.note(c.name + " is left out: it could not be built")
			continue
		}
		if _, err := exec.LookPath(c.program); err != nil {
			b.report.note(fmt.Sprintf("%s is left out: apt-get install %s", c.name, c.debian))
			continue
		}
		able = append(able, c)
		b.report.Results = append(b.report.Results, &result{
			Name: c.name, Version: version(ctx, c), Targets: c.targets, Command: append([]string{c.program}, c.args("FILE")...),
		})
	}
	return able
}

// version asks a program from Debian for it.
func version(ctx context.Context, c contender) string {
	if c.debian == "" {
		return ""
	}
	said, _ := exec.CommandContext(ctx, c.program, "--version").CombinedOutput() // masscan's exit code is 1
	return regexp.MustCompile(`\d+(\.\d+)+`).FindString(string(said))
}
