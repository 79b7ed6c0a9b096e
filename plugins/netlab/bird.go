package netlab

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// BIRDConfig is what BIRD's BFD is to do. Zero intervals keep BIRD's defaults: 10 ms both ways, 100 ms while not up,
// multiplier 5.
type BIRDConfig struct {
	RouterID   netip.Addr // IPv4
	Neighbours []BIRDNeighbour

	MinRX, MinTX, IdleTX time.Duration // of whole microseconds
	Multiplier           int
	Passive              bool

	Auth     BIRDAuth
	Password string // with Auth
	KeyID    int    // 1 to 255; 0: 1
}

// BIRDNeighbour is a session of BIRD.
type BIRDNeighbour struct {
	Address   netip.Addr
	Local     netip.Addr // required with Multihop
	Interface string     // not with Multihop
	Multihop  bool
}

// BIRDAuth is a way of authentication, by its number in RFC 5880, 4.1.
type BIRDAuth uint8

// The ways.
const (
	BIRDNone BIRDAuth = iota
	BIRDSimple
	BIRDMD5
	BIRDMeticulousMD5
	BIRDSHA1
	BIRDMeticulousSHA1
)

// String is the way's name in a configuration of BIRD.
func (a BIRDAuth) String() string {
	return [...]string{"none", "simple", "keyed md5", "meticulous keyed md5", "keyed sha1", "meticulous keyed sha1"}[a]
}

// text is BIRD's configuration file.
func (c BIRDConfig) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "log stderr all;\nrouter id %v;\nprotocol device {}\nprotocol bfd {\n", c.RouterID)
	for _, kind := range []string{"interface \"*\"", "multihop"} {
		fmt.Fprintf(&b, "  %s {\n%s  };\n", kind, c.options())
	}
	for _, n := range c.Neighbours {
		fmt.Fprintf(&b, "  neighbor %v", n.Address)
		if n.Interface != "" {
			fmt.Fprintf(&b, " dev %q", n.Interface)
		}
		if n.Local.IsValid() {
			fmt.Fprintf(&b, " local %v", n.Local)
		}
		if n.Multihop {
			b.WriteString(" multihop on")
		}
		b.WriteString(";\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// options are those of all sessions.
func (c BIRDConfig) options() string {
	var b strings.Builder
	for _, i := range []struct {
		name string
		d    time.Duration
	}{{"min rx", c.MinRX}, {"min tx", c.MinTX}, {"idle tx", c.IdleTX}} {
		if i.d != 0 {
			fmt.Fprintf(&b, "    %s interval %d us;\n", i.name, i.d.Microseconds())
		}
	}
	if c.Multiplier != 0 {
		fmt.Fprintf(&b, "    multiplier %d;\n", c.Multiplier)
	}
	if c.Passive {
		b.WriteString("    passive on;\n")
	}
	if c.Auth != BIRDNone {
		fmt.Fprintf(&b, "    authentication %v;\n    password %q { id %d; };\n", c.Auth, c.Password, max(1, c.KeyID))
	}
	return b.String()
}

// BIRDSession is a session as BIRD shows it.
type BIRDSession struct {
	Address   netip.Addr
	Interface string // "---" with multihop
	State     string // AdminDown, Down, Init, Up
	Interval  time.Duration
	Timeout   time.Duration // the detection time
}

// parseBIRD reads the lines of "show bfd sessions": address, interface, state, since, interval, timeout.
func parseBIRD(lines []string) (list []BIRDSession, err error) {
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue // the protocol's name, or nothing
		}
		address, err := netip.ParseAddr(f[0])
		if err != nil {
			continue // the column's names
		}
		interval, err1 := strconv.ParseFloat(f[len(f)-2], 64)
		timeout, err2 := strconv.ParseFloat(f[len(f)-1], 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("netlab: bird wrote %q", line)
		}
		list = append(list, BIRDSession{
			Address: address, Interface: f[1], State: f[2],
			Interval: time.Duration(interval * float64(time.Second)),
			Timeout:  time.Duration(timeout * float64(time.Second)),
		})
	}
	return list, nil
}

// askBIRD gives BIRD a command, as birdc does, and returns the lines of its answer. A line begins with a code of four
// digits and '-', with a space alone when the code is that of the line before; the last has a space behind its code.
func askBIRD(socket, command string) (lines []string, err error) {
	conn, err := net.DialTimeout("unix", socket, vtyTimeout)
	if err != nil {
		return nil, fmt.Errorf("netlab: bird: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(vtyTimeout)); err != nil {
		return nil, fmt.Errorf("netlab: bird: %w", err)
	}
	r := bufio.NewReader(conn)
	if _, err := readBIRD(r); err != nil { // its greeting
		return nil, err
	}
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return nil, fmt.Errorf("netlab: bird: %q: %w", command, err)
	}
	return readBIRD(r)
}

// readBIRD reads one answer. Codes from 8000 on are errors.
func readBIRD(r *bufio.Reader) (lines []string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("netlab: bird: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, " ") || len(line) < 5 {
			lines = append(lines, line[min(1, len(line)):])
			continue
		}
		lines = append(lines, line[5:])
		if line[0] >= '8' {
			return nil, fmt.Errorf("netlab: bird: %s", line)
		}
		if line[4] == ' ' {
			return lines, nil
		}
	}
}
