//go:build integration && linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
	"echogram/plugins/netlab/witness"
	"echogram/plugins/schema"
)

const (
	fluxPeriod = 2 * time.Second
	// detection is that of the lab's session.
	detection = 8 * 150 * time.Millisecond
	// linkRate is what the lab's link takes from router a to router b, in bit/s.
	linkRate = 2e6
)

// bfdStanzas watch the router's link, and its neighbour.
func bfdStanzas(lab *netlab.BFDLab) string {
	return fmt.Sprintf(`
[[inputs.bfd]]
  interval = "2s"
  interfaces = [%q]
  period = "2s"
[[inputs.icmp_sweep]]
  interval = "2s"
  networks = [%q]
`, lab.A.Link, lab.B.Address.Addr())
}

// storingAgent is a Telegraf on a router. The arguments are its interface and InfluxDB's URL.
const storingAgent = `
[agent]
  interval = "1s"
  flush_interval = "1s"
  hostname = "router-a"
[[inputs.net]]
  interfaces = [%q]
  ignore_protocol_stats = true
[[outputs.influxdb_v2]]
  urls = [%q]
  bucket = "telegraf/autogen"
`

// TestBFDInFlux: the shipped queries give what a capture of the same packets gives, a near miss, a flap and the load of
// the link among it, out of InfluxDB, to which Telegraf brought it.
func TestBFDInFlux(t *testing.T) {
	for name, inside := range map[string]bool{"execd": false, "compiled in": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBFDInFlux(t, inside)
		})
	}
}

func testBFDInFlux(t *testing.T, inside bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	holdStamps(t)
	db := startInflux(ctx, t)
	lab, frr := narrowLink(ctx, t)
	agent := fmt.Sprintf(storingAgent, lab.A.Link, reachable(t, db.URL, lab.A.Namespace))
	r := routerRig(t, lab.A.Namespace, agent, bfdStanzas(lab), inside)
	capture := filepath.Join(t.TempDir(), "a.pcap")
	dump, err := witness.StartFilter(ctx, lab.A.Namespace, lab.A.Link, capture, 0, "udp portrange 3784-3785")
	if err != nil {
		t.Fatal(err)
	}
	wantQuiet(t, r.live(t, func(signal func(os.Signal)) {
		defer signal(syscall.SIGTERM)
		upsAndDowns(t, lab, frr)
	}))
	if drops, err := dump.Stop(); drops > 0 || err != nil {
		t.Fatalf("void: tcpdump dropped %d packets, so it is no witness: %v", drops, err)
	}
	o := from(t, lab.A.Namespace, program, "bfd", "--format", "influx", "--period", fluxPeriod.String(), "--local", lab.A.Address.Addr().String(), capture)
	sessions := fluxTable(ctx, t, db, "bfd_session", lab)
	want := whole(parsePoints(t, []byte(o.stdout)), sessions)
	checkSessions(t, sessions, want, lab)
	checkTraffic(t, fluxTable(ctx, t, db, "bfd_echo_with_traffic", lab), want)
	if s, err := db.Query(ctx, "telegraf", "SELECT sum(received) AS n FROM "+schema.ICMPSweep); err != nil || len(s) != 1 || s[0].Int(0, "n") < 5 {
		t.Errorf("icmp_sweep beside it: %v, %v", s, err)
	}
}

func startInflux(ctx context.Context, t *testing.T) *parts.Influx {
	t.Helper()
	db, err := parts.StartInfluxDB(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := db.CreateDatabase(ctx, "telegraf"); err != nil {
		t.Fatal(err)
	}
	return db
}

// narrowLink is two routers with a session, echoes of router a, and a link from a to b on which frames queue. frr is
// that of router b.
func narrowLink(ctx context.Context, t *testing.T) (lab *netlab.BFDLab, frr *netlab.FRR) {
	t.Helper()
	var free int64 // when the link has sent what it has
	queue := func(p netlab.Passage) netlab.Treatment {
		begin := max(free, p.Received)
		free = begin + int64(float64(p.Bytes)*8/linkRate*1e9)
		return netlab.Treatment{Extra: time.Duration(free - p.Received)}
	}
	lab, err := netlab.NewBFDLab(netlab.BFDConfig{WAN: &netlab.WANConfig{
		FromA: netlab.WANWay{Delay: 2 * time.Millisecond, Rule: queue},
		FromB: netlab.WANWay{Delay: 2 * time.Millisecond},
	}})
	netlab.Lasting(t, lab, err)
	peer := func(r, other netlab.Router) netlab.FRRPeer {
		p := r.Peer(other, false)
		p.Transmit, p.Receive, p.DetectMult = 150*time.Millisecond, 150*time.Millisecond, 8
		p.EchoTransmit, p.EchoReceive = 100*time.Millisecond, 100*time.Millisecond
		return p
	}
	echoing := peer(lab.A, lab.B)
	echoing.Echo = true
	a, err := lab.StartFRR(ctx, lab.A, netlab.FRRConfig{Peers: []netlab.FRRPeer{echoing}})
	netlab.Lasting(t, a, err)
	frr, err = lab.StartFRR(ctx, lab.B, netlab.FRRConfig{Peers: []netlab.FRRPeer{peer(lab.B, lab.A)}})
	netlab.Lasting(t, frr, err)
	if err := a.WaitUp(ctx); err != nil {
		t.Fatal(err)
	}
	return lab, frr
}

// reachable is a URL by which a namespace reaches a server of the host.
func reachable(t *testing.T, server string, n *netlab.Namespace) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(u))
	s.Listener.Close()
	if err := n.Do(func() error { s.Listener, err = net.Listen("tcp4", "127.0.0.1:0"); return err }); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// routerRig is a Telegraf in a namespace, or in none, as the parent of our command or with our plugins compiled in.
func routerRig(t *testing.T, n *netlab.Namespace, agent, stanzas string, inside bool) *rig {
	t.Helper()
	r := &rig{prober: n, inside: n != nil}
	var err error
	if inside {
		r.program, err = embeddedTelegraf()
	} else {
		r.program, err = parts.Telegraf(t.Context())
		stanzas = execdStanza(program, "telegraf", "--config", writeFile(t, "echogram.conf", stanzas))
	}
	if err != nil {
		t.Fatal(err)
	}
	r.config = writeFile(t, "telegraf.conf", agent, stanzas)
	return r
}

// upsAndDowns is what happens while Telegraf watches: nothing, load, a near miss, a flap, nothing.
func upsAndDowns(t *testing.T, lab *netlab.BFDLab, frr *netlab.FRR) {
	sleepUntil(fluxPeriod, 3)
	if err := burst(lab, 2*fluxPeriod); err != nil {
		t.Error(err)
	}
	sleepUntil(fluxPeriod, 1)
	for _, d := range []time.Duration{detection * 6 / 10, detection * 3 / 2} {
		if stopped, err := frr.Pause(d); err != nil {
			t.Errorf("paused for %v: %v", stopped, err)
		}
		time.Sleep(2 * fluxPeriod)
	}
	sleepUntil(fluxPeriod, 2)
}

// burst sends from router a to router b, in bursts of some 83 ms of the link each tenth of a second.
func burst(lab *netlab.BFDLab, d time.Duration) error {
	var conn net.Conn
	err := lab.A.Do(func() (err error) {
		conn, err = net.Dial("udp4", netip.AddrPortFrom(lab.B.Address.Addr(), 9).String())
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		for range 20 {
			conn.Write(make([]byte, 1000)) // nobody listens there, and the kernel says so
		}
	}
	return nil
}
