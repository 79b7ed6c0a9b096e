// Package witness gives a second opinion on round-trip times and on BFD: tcpdump captures the same frames in the same
// namespace, and what it stamped is compared with what a prober said; tshark decodes the same file.
//
// Its layers: Tcpdump (a running tcpdump), ReadRTTs and ReadProbeRTTs (its file, decoded by gopacket, so that the
// witness shares no code with whom it judges), Compare (two sets of RTTs); Tshark (fields of a file, as tshark decodes
// it), ReadBFD (its BFD packets).
//
// It knows nothing of how a prober writes its results.
package witness

import (
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// snap is what tcpdump keeps of a frame, bytes: the headers, and those that an ICMP error quotes.
const snap = 128

// Probe tells the requests to a target apart by their sequence number.
type Probe struct {
	Target netip.Addr
	Seq    uint16
}

// ReadRTTs reads from an Ethernet capture in pcap format the RTT of each target that answered, ns: the stamp of its
// first reply less that of the last request before it.
func ReadRTTs(r io.Reader) (map[netip.Addr]int64, error) {
	return read(r, func(p Probe) netip.Addr { return p.Target })
}

// ReadProbeRTTs is ReadRTTs for several requests a target.
func ReadProbeRTTs(r io.Reader) (map[Probe]int64, error) {
	return read(r, func(p Probe) Probe { return p })
}

func read[K comparable](r io.Reader, key func(Probe) K) (map[K]int64, error) {
	file, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	if file.LinkType() != layers.LinkTypeEthernet {
		return nil, fmt.Errorf("witness: the link type of the capture is %v, not Ethernet", file.LinkType())
	}
	decode := newDecoder()
	sent, rtts := map[K]int64{}, map[K]int64{}
	for {
		data, info, err := file.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return rtts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("witness: %w", err)
		}
		at := info.Timestamp.UnixNano()
		switch kind, p := decode.echo(data); kind {
		case request:
			sent[key(p)] = at
		case reply:
			k := key(p)
			if asked, ok := sent[k]; ok && rtts[k] == 0 {
				rtts[k] = at - asked
			}
		}
	}
}
