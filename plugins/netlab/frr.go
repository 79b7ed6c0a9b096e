package netlab

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// FRRConfig is what FRR's bfdd is to do.
type FRRConfig struct {
	Peers []FRRPeer
}

// FRRPeer is a BFD session as FRR configures it. A zero field keeps FRR's own default (300 ms, 3 packets, no echo).
// Intervals are of whole milliseconds.
type FRRPeer struct {
	Address   netip.Addr
	Local     netip.Addr // required with Multihop and IPv6
	Interface string     // not with Multihop
	Multihop  bool

	Transmit   time.Duration // Desired Min TX Interval
	Receive    time.Duration // Required Min RX Interval
	DetectMult int

	Echo         bool          // sends echoes; over IPv6 only FRR answers them
	EchoTransmit time.Duration // how often
	EchoReceive  time.Duration // Required Min Echo RX Interval
	RefuseEcho   bool          // announces 0 in its place

	Passive    bool // does not speak first
	MinimumTTL int  // Multihop: smallest TTL that is accepted; FRR's default is 254
}

// name is the line that begins a peer's configuration.
func (p FRRPeer) name() string {
	words := []string{"peer", p.Address.String()}
	if p.Multihop {
		words = append(words, "multihop")
	}
	if p.Local.IsValid() {
		words = append(words, "local-address", p.Local.String())
	}
	if p.Interface != "" {
		words = append(words, "interface", p.Interface)
	}
	return strings.Join(words, " ")
}

// text is bfdd's configuration file.
func (c FRRConfig) text() string {
	var b strings.Builder
	b.WriteString("bfd\n")
	for _, p := range c.Peers {
		fmt.Fprintf(&b, " %s\n", p.name())
		for _, line := range p.lines() {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		b.WriteString(" exit\n")
	}
	b.WriteString("exit\n")
	return b.String()
}

func (p FRRPeer) lines() (lines []string) {
	add := func(set bool, format string, args ...any) {
		if set {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	add(p.DetectMult != 0, "detect-multiplier %d", p.DetectMult)
	add(p.Receive != 0, "receive-interval %d", p.Receive.Milliseconds())
	add(p.Transmit != 0, "transmit-interval %d", p.Transmit.Milliseconds())
	add(p.Echo, "echo-mode")
	add(p.EchoTransmit != 0, "echo transmit-interval %d", p.EchoTransmit.Milliseconds())
	add(p.EchoReceive != 0, "echo receive-interval %d", p.EchoReceive.Milliseconds())
	add(p.RefuseEcho, "echo receive-interval disabled")
	add(p.Passive, "passive-mode")
	add(p.MinimumTTL != 0, "minimum-ttl %d", p.MinimumTTL)
	return lines
}

// FRRStatus is a session as FRR shows it: intervals in milliseconds, RTTs of the last 8 echoes in microseconds. FRR
// has no RTTs over IPv6, and its smallest is never above 1,000.
type FRRStatus struct {
	Peer             netip.Addr `json:"peer"`
	Local            netip.Addr `json:"local"`
	Interface        string     `json:"interface"`
	Multihop         bool       `json:"multihop"`
	ID               uint32     `json:"id"`
	RemoteID         uint32     `json:"remote-id"`
	Status           string     `json:"status"` // shutdown, down, init, up
	Diagnostic       string     `json:"diagnostic"`
	RemoteDiagnostic string     `json:"remote-diagnostic"`
	Uptime           int        `json:"uptime"`   // seconds
	Downtime         int        `json:"downtime"` // seconds

	Receive           int `json:"receive-interval"`
	Transmit          int `json:"transmit-interval"`
	EchoReceive       int `json:"echo-receive-interval"`
	EchoTransmit      int `json:"echo-transmit-interval"`
	DetectMult        int `json:"detect-multiplier"`
	RemoteReceive     int `json:"remote-receive-interval"`
	RemoteTransmit    int `json:"remote-transmit-interval"`
	RemoteEchoReceive int `json:"remote-echo-receive-interval"`
	RemoteDetectMult  int `json:"remote-detect-multiplier"`
	RTTMin            int `json:"rtt-min"`
	RTTAvg            int `json:"rtt-avg"`
	RTTMax            int `json:"rtt-max"`
}

// FRRCounters are FRR's counts of a session.
type FRRCounters struct {
	Peer          netip.Addr `json:"peer"`
	Local         netip.Addr `json:"local"`
	Interface     string     `json:"interface"`
	ControlInput  int        `json:"control-packet-input"`
	ControlOutput int        `json:"control-packet-output"`
	EchoInput     int        `json:"echo-packet-input"`
	EchoOutput    int        `json:"echo-packet-output"`
	SessionUp     int        `json:"session-up"`
	SessionDown   int        `json:"session-down"`
}

// parseFRR reads a list that FRR wrote.
func parseFRR[T any](text string) (list []T, err error) {
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("netlab: frr wrote %q: %w", text, err)
	}
	return list, nil
}
