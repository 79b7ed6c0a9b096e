package rules

import (
	"slices"
	"strings"
	"testing"
)

// The kinds of package. A package that is not named here is free, but for the rules that speak of all.
var (
	// pure packages turn bytes and numbers into values: no sockets, no clock, no logging.
	pure = []string{
		"plugins/schema",
		"plugins/internal/icmpecho", "plugins/internal/bfdwire", "plugins/internal/frame", "plugins/internal/ipheader", "plugins/internal/rtt",
		"plugins/internal/targets", "pipeline/outlier", "pipeline/lines", "pipeline/median", "pipeline/window",
	}
	// engines decide. They get packets, rows and times from outside.
	engines = []string{
		"plugins/internal/sweep", "plugins/internal/replay", "plugins/internal/neighbour", "plugins/internal/bfdwatch",
		"pipeline/rollup", "pipeline/path", "pipeline/block", "pipeline/ledger", "pipeline/report",
	}
	// edges touch the kernel and do nothing else.
	edges = []string{
		"plugins/internal/capture/afpacket", "plugins/internal/capture/pcapfile", "plugins/internal/capture/follow", "plugins/internal/icmpsock",
		"plugins/internal/packetsock", "plugins/internal/mmsg", "plugins/internal/sockopt",
		"plugins/internal/pingsock", "plugins/internal/hwstamp",
		"plugins/internal/arp", "plugins/internal/route", "plugins/internal/resolve", "plugins/internal/linkinfo",
		"plugins/internal/privilege",
	}
	// pipelineEdges talk to databases and disks.
	pipelineEdges = []string{"pipeline/sink", "pipeline/source", "pipeline/influx", "pipeline/checkpoint", "pipeline/prober"}
	adapters      = []string{"plugins/inputs"}
	commands      = []string{"plugins/cmd", "pipeline/cmd"}
)

const (
	prober   = "plugins/internal/prober"
	capture  = "plugins/internal/capture" // the types of packets, which engines and edges share
	netlab   = "plugins/netlab"
	telegraf = "github.com/influxdata/telegraf"
	xsysUnix = "golang.org/x/sys/unix"
)

// refuse reports each import of p that bad accepts.
func refuse(t *testing.T, p pkg, reason string, bad func(own string) bool) {
	t.Helper()
	own, others := p.imports()
	for _, i := range append(own, others...) {
		if bad(i) {
			t.Errorf("%s imports %s: %s", p.short(), i, reason)
		}
	}
}

func TestPurePackagesStandAlone(t *testing.T) {
	for _, p := range ours(t) {
		if !below(p.short(), pure...) && p.short() != capture {
			continue
		}
		refuse(t, p, "a codec of bytes stands alone, so that it can be fuzzed, tested and read alone",
			func(i string) bool { return !below(i, pure...) && i != capture && i != "golang.org/x/net/bpf" })
		for _, i := range p.Imports {
			if slices.Contains([]string{"net", "os", "log/slog", "log", "syscall"}, i) {
				t.Errorf("%s imports %s: pure packages have no sockets, no files and no logging; errors and counts say it all", p.short(), i)
			}
		}
	}
}

func TestEnginesKnowNeitherTelegrafNorEdgesNorEachOther(t *testing.T) {
	for _, p := range ours(t) {
		if !below(p.short(), engines...) {
			continue
		}
		refuse(t, p, "an engine that knows Telegraf cannot serve the command line, the file reader and the benchmark",
			func(i string) bool { return below(i, telegraf) })
		refuse(t, p, "an engine takes packets and rows through its own small interfaces, so that a file and a fake drive it as the kernel does",
			func(i string) bool {
				return below(i, edges...) || below(i, pipelineEdges...) || below(i, prober) || below(i, adapters...) || below(i, commands...)
			})
		refuse(t, p, "engines that know each other cannot change alone; what joins them is the prober or the service",
			func(i string) bool { return below(i, engines...) && !below(i, p.short()) })
		refuse(t, p, "an engine may use of ours only what is pure, and the types of packets",
			func(i string) bool {
				return !strings.Contains(i, ".") && !below(i, pure...) && !below(i, engines...) && i != capture
			})
	}
}

func TestEdgesImportNoEngine(t *testing.T) {
	for _, p := range ours(t) {
		if below(p.short(), edges...) || below(p.short(), pipelineEdges...) {
			refuse(t, p, "an edge touches the kernel or a server and decides nothing, so that it stays thin enough to trust",
				func(i string) bool {
					return below(i, engines...) || below(i, prober) || below(i, telegraf)
				})
		}
	}
}

func TestOnlyTheProberImportsKernelEdges(t *testing.T) {
	for _, p := range ours(t) {
		if below(p.short(), prober) || below(p.short(), edges...) {
			continue
		}
		refuse(t, p, "the prober is the one place that opens sockets, shares rings, joins goroutines and drops capabilities",
			func(i string) bool { return below(i, edges...) })
	}
}

func TestAdaptersImportLittle(t *testing.T) {
	allowed := append([]string{prober, "plugins/schema", "sampleconfig"}, adapters...)
	for _, p := range ours(t) {
		if !below(p.short(), adapters...) {
			continue
		}
		refuse(t, p, "an adapter turns TOML into the prober's configuration and rows into metrics; what it needs more belongs there",
			func(i string) bool { return !strings.Contains(i, ".") && !below(i, allowed...) })
	}
}

func TestSystemCallsStayAtTheEdge(t *testing.T) {
	for _, p := range ours(t) {
		if below(p.short(), edges...) || below(p.short(), prober, netlab) {
			continue
		}
		refuse(t, p, "system calls stay in edges, prober and netlab, or the rest would run on one system only",
			func(i string) bool { return below(i, xsysUnix) })
	}
}

func TestPipelineImportsOnlySchemaFromPlugins(t *testing.T) {
	for _, p := range ours(t) {
		if below(p.short(), "pipeline") {
			refuse(t, p, "the halves share names and rows, nothing else: either can be replaced",
				func(i string) bool { return below(i, "plugins") && i != "plugins/schema" })
		}
		if below(p.short(), "plugins") {
			refuse(t, p, "the plugins know nothing of the pipeline, which may run elsewhere or not at all",
				func(i string) bool { return below(i, "pipeline") })
		}
	}
}

func TestNothingThatShipsImportsTheLab(t *testing.T) {
	for _, p := range ours(t) {
		if !below(p.short(), netlab) {
			refuse(t, p, "the lab is for tests, scripts and benchmarks", func(i string) bool { return below(i, netlab) })
		}
	}
}

func TestOnlyTheLabLoadsPrograms(t *testing.T) {
	for _, p := range ours(t) {
		if !below(p.short(), netlab) {
			refuse(t, p, "what ships loads no program into the kernel: that would need more than CAP_NET_RAW",
				func(i string) bool { return below(i, "github.com/cilium/ebpf") })
		}
	}
}

func TestTelegrafsHeavyPackagesStayOut(t *testing.T) {
	heavy := []string{telegraf + "/config", telegraf + "/testutil", telegraf + "/agent", telegraf + "/plugins/common/shim"}
	for _, p := range ours(t) {
		refuse(t, p, "it links hundreds of packages into a process that holds CAP_NET_RAW",
			func(i string) bool { return below(i, heavy...) })
	}
}
