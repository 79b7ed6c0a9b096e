package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"echogram/plugins/netlab"
)

// contender is a program that sweeps the target network, or its first addresses.
type contender struct {
	name    string
	program string // a path, or a name to be looked for in PATH
	debian  string // the package that holds it; "": this command makes it
	targets int    // what it is asked to sweep
	args    func(out string) []string
	says    bool // its result is what it says on STDOUT and STDERR, not the file out
	found   finder
	ours    bool     // it is echogram
	needs   []string // flags that echogram sweep --help must show
}

// scene is what contenders must be told about the lab, and where the programs are that do not come from Debian.
type scene struct {
	gateway, own    net.HardwareAddr // MACs of the responder's and the prober's link
	echogram, limit string           // paths
	telegraf        string
	config          func(targets int) string // the path of Telegraf's configuration, which has it write to resultFile
	emptyFile       string
}

func (s *scene) contenders() []contender {
	network := netlab.TargetNetwork.String()
	list := s.sweeps()
	return append(list,
		s.loop("bare C, raw", "raw"),
		s.loop(nameLimit, "packet"),
		contender{
			name: nameFping, program: "fping", debian: "fping", targets: all - 2, // not the first and the last address
			args: func(string) []string { return []string{"-q", "-s", "-i", "0", "-r", "0", "-g", network} },
			says: true, found: fpingFound,
		},
		contender{
			name: "zmap", program: "zmap", debian: "zmap", targets: all,
			args: func(out string) []string { // its own block list has the network of benchmarks
				return []string{"-M", "icmp_echoscan", "-r", "1000000", "-c", "1", "-b", s.emptyFile,
					"-i", netlab.ProberLink, "-G", s.gateway.String(), "-S", netlab.ProberAddress.String(), "-o", out, network}
			},
			found: zmapFound,
		},
		contender{
			name: "masscan", program: "masscan", debian: "masscan", targets: all,
			args: func(out string) []string {
				return []string{"--ping", "--rate", "1000000", "--wait", "1", "--adapter", netlab.ProberLink,
					"--adapter-ip", netlab.ProberAddress.String(), "--adapter-mac", s.own.String(),
					"--router-mac", s.gateway.String(), "-oL", out, network}
			},
			found: masscanFound,
		},
		contender{
			name: "nmap", program: "nmap", debian: "nmap", targets: all,
			args: func(out string) []string {
				return []string{"-sn", "-n", "-PE", "--min-rate", "100000", "-oG", out, network}
			},
			found: nmapFound,
		},
		s.ping(pingTargets[0]), s.ping(pingTargets[1]),
	)
}

// sweeps are the ways of our own command to sweep as fast as it goes: as it does by itself, and as it is told.
func (s *scene) sweeps() []contender {
	list := []contender{s.sweep("echogram", netlab.TargetNetwork)}
	for _, v := range []struct{ name, send, threads string }{
		{"echogram, raw, 1 thread", "raw", "1"},
		{"echogram, AF_PACKET, 1 thread", "packet", "1"},
		{"echogram, raw, a thread a core", "raw", "0"},
		{"echogram, AF_PACKET, a thread a core", "packet", "0"},
	} {
		list = append(list, s.sweep(v.name, netlab.TargetNetwork, "--send", v.send, "--threads", v.threads))
	}
	return list
}

// idleNetwork is small enough to be swept at idleRate in some seconds.
var idleNetwork = netip.PrefixFrom(netlab.TargetNetwork.Addr(), 20)

const idleRate = "1000"

// idle is our own command, so slow that no request meets another.
func (s *scene) idle() contender {
	return s.sweep("echogram", idleNetwork, "--rate", idleRate, "--burst", "1")
}

// sweep is our own command, at full rate unless flags say otherwise. What has not been answered after 300 ms counts
// as lost.
func (s *scene) sweep(name string, network netip.Prefix, flags ...string) contender {
	c := contender{
		name: name, program: s.echogram, targets: 1 << (32 - network.Bits()), found: echogramFound, ours: true,
		args: func(out string) []string {
			args := []string{"sweep", "--rate", "0", "--timeout", "300ms", "--format", "influx", "--output", out}
			return append(append(args, flags...), network.String())
		},
	}
	for _, f := range flags {
		if strings.HasPrefix(f, "--") {
			c.needs = append(c.needs, f)
		}
	}
	return c
}

// loop is limit.c, with one way to send.
func (s *scene) loop(name, send string) contender {
	return contender{
		name: name, program: s.limit, targets: all, says: true, found: limitFound,
		args: func(string) []string {
			return []string{netlab.ProberLink, send, strconv.Itoa(all), netlab.TargetNetwork.Addr().String(),
				netlab.ProberAddress.String(), s.gateway.String(), s.own.String()}
		},
	}
}

// pingTargets is what Telegraf's inputs.ping bears within some seconds.
var pingTargets = [2]int{1_000, 10_000}

// ping is Telegraf's own input, for the first targets of the network.
func (s *scene) ping(targets int) contender {
	return contender{
		name: "telegraf, inputs.ping", program: s.telegraf, targets: targets, found: telegrafFound,
		args: func(string) []string { return []string{"--config", s.config(targets), "--once"} },
	}
}

// telegrafConfig has inputs.ping ask the first targets of the network once.
func telegrafConfig(targets int, out string) string {
	urls := make([]string, targets)
	a := netlab.TargetNetwork.Addr()
	for i := range urls {
		urls[i] = strconv.Quote(a.String())
		a = a.Next()
	}
	return fmt.Sprintf(`[agent]
  omit_hostname = true
  metric_buffer_limit = %d
[[inputs.ping]]
  method = "native"
  count = 1
  timeout = 1.0
  urls = [%s]
[[outputs.file]]
  files = [%q]
  data_format = "influx"
`, 2*targets, strings.Join(urls, ", "), out)
}

// lacks lists the flags of needs that a help text does not show.
func lacks(help string, needs []string) []string {
	var missing []string
	for _, flag := range needs {
		if !strings.Contains(help, flag+" ") {
			missing = append(missing, flag)
		}
	}
	return missing
}
