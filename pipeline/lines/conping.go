package lines

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// ConPingInstance is the tag instance of what con-ping measured.
const ConPingInstance = "con-ping"

const (
	nsPerSecond = 1e9
	blockBits   = 24
)

// OpenConPing reads a file of con-ping: one sweep of an IPv4 network, "address,seconds" or "address,unreachable" a
// line, gzip or not. Its name, with or without folders, tells the network and the time: 192.0.2.0-24-1590469441.txt.
// Each line becomes a Point of icmp_sweep, as host would have written it; at the end stands a Manifest that promises
// one row a line, so that lines that could not be read are missing in their window.
func OpenConPing(name string, in io.Reader, host string) (*Reader, error) {
	r := NewReader(nil, nil)
	return r, r.ResetConPing(name, in, host)
}

// ResetConPing goes on with a file of con-ping. The series stay; the counts begin again.
func (r *Reader) ResetConPing(name string, in io.Reader, host string) error {
	network, time, err := conPingName(name)
	if err != nil {
		return err
	}
	r.reset(in, &conPing{host: host, network: network, time: time, seen: map[netip.Addr]bool{}})
	return nil
}

func conPingName(name string) (network netip.Prefix, time int64, err error) {
	base := name[strings.LastIndexAny(name, `/\`)+1:]
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".txt"), "-")
	if len(parts) == 3 {
		network, err = netip.ParsePrefix(parts[0] + "/" + parts[1])
		seconds, timeErr := strconv.ParseUint(parts[2], 10, 33)
		if err == nil && timeErr == nil && network.Addr().Is4() {
			return network.Masked(), int64(seconds) * nsPerSecond, nil
		}
	}
	return network, 0, fmt.Errorf("lines: %q is no name of a con-ping file: want NETWORK-LENGTH-EPOCH.txt, such as 192.0.2.0-24-1590469441.txt", base)
}

// conPing is the format of one file.
type conPing struct {
	host           string
	network        netip.Prefix
	time           int64
	seen           map[netip.Addr]bool
	sent, received int64
	ended          bool
}

func (c *conPing) line(r *Reader, b []byte) (Kind, error) {
	c.sent++
	addr, rtt, err := c.parse(string(b))
	if err != nil {
		return 0, err
	}
	c.seen[addr] = true
	block, err := addr.Prefix(blockBits)
	if err != nil {
		return 0, err
	}
	row := schema.SweepRow{
		Series: schema.Series{Host: c.host, Instance: ConPingInstance, Network: c.network.String(), Block: block.String(), Target: addr.String()},
		Time:   c.time, Sent: 1, RTT: rtt, ResultCode: schema.ResultSilent,
	}
	if rtt.Set {
		c.received++
		row.Received, row.ResultCode = 1, schema.ResultAnswered
	}
	schema.Fill(&r.point, &row)
	e, err := r.intern(sweeps, &r.point)
	if err != nil {
		return 0, err
	}
	row.Series = e.series.Series
	r.Series, r.Row = e.series, row
	return Point, nil
}

func (c *conPing) parse(line string) (addr netip.Addr, rtt schema.Opt, err error) {
	target, answer, ok := strings.Cut(line, ",")
	if !ok {
		return addr, rtt, fmt.Errorf("lines: con-ping: no comma")
	}
	addr, err = netip.ParseAddr(target)
	switch {
	case err != nil:
		return addr, rtt, fmt.Errorf("lines: con-ping: %q is no address", target)
	case !c.network.Contains(addr):
		return addr, rtt, fmt.Errorf("lines: con-ping: %s lies outside of %s", addr, c.network)
	case c.seen[addr]:
		return addr, rtt, fmt.Errorf("lines: con-ping: a second line for %s", addr)
	case answer == "unreachable":
		return addr, rtt, nil
	}
	seconds, err := strconv.ParseFloat(answer, 64)
	if ns := math.Round(seconds * nsPerSecond); err == nil && ns >= 0 && ns <= float64(schema.MaxRTT) {
		return addr, schema.Some(int64(ns)), nil
	}
	return addr, rtt, fmt.Errorf("lines: con-ping: %q is neither seconds nor unreachable", answer)
}

// LooksLikeConPing tells whether a line, or its begin, is one of a file of con-ping: for files whose names do not say so.
func LooksLikeConPing(line string) bool {
	target, answer, ok := strings.Cut(line, ",")
	_, err := netip.ParseAddr(target)
	if _, bad := strconv.ParseFloat(answer, 64); bad != nil && answer != "unreachable" {
		return false
	}
	return ok && err == nil
}

func (c *conPing) end(r *Reader) Kind {
	if c.ended {
		return 0
	}
	c.ended = true
	r.Stats = schema.SweepStatsRow{Host: c.host, Instance: ConPingInstance, Time: c.time,
		Points: c.sent, Targets: c.sent, Sent: c.sent, Received: c.received}
	return Manifest
}
