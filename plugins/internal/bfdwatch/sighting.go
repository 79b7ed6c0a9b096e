package bfdwatch

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/schema"
)

// sighting is one BFD packet, free of the frame that it came in.
type sighting struct {
	at                 int64 // stamp, ns
	ifindex            int32
	tunnel             frame.Tunnel
	direction          capture.Direction
	ttl                uint8
	hop                hop
	echo               bool
	truncated          bool
	hasID              bool
	hasVNI             bool
	hasSrcMAC          bool
	hasDstMAC          bool
	rule               bfdwire.Rule
	id                 uint16 // IPv4 identification
	srcPort, dstPort   uint16
	length             uint16 // of the UDP payload
	captured           uint16 // of it
	srcMAC, dstMAC     frame.MAC
	vlans              [frame.MaxVLANs]uint16
	vni                uint32
	src, dst           netip.Addr
	outerSrc, outerDst netip.Addr
	hash               uint64          // of the payload
	control            bfdwire.Control // of control packets
	payload            bfdwire.Echo    // of echoes
	key                *streamKey      // of echoes that are taken, by their TTL
	keyHash            uint64
}

// hop is a kind of session.
type hop uint8

const (
	single     hop = iota // RFC 5881
	multi                 // RFC 5883
	micro                 // RFC 7130
	sbfd                  // RFC 7880
	multipoint            // RFC 8562
	lsp                   // RFC 5884
)

func (h hop) String() string {
	return [...]string{"single", "multi", "micro", "sbfd", "multipoint", "lsp"}[h]
}

// read makes a sighting of a frame, or counts why there is none. The sighting lies in the sorter's spare place. The ends
// of an overlay's tunnel both send to a loopback address (RFC 8971, 5; RFC 9521): their session is between the outer ones.
func (w *Watch) read(p *capture.Packet, stats *schema.BFDStatsRow) *sighting {
	d := &w.datagram
	if err := frame.ParseUDP(p, d); err != nil {
		countOther(stats, err)
		return nil
	}
	kind, isEcho, ok := classify(d)
	if !ok {
		stats.OtherFrames++
		return nil
	}
	s := w.sorter.spare()
	*s = sighting{
		at: p.Stamp, ifindex: p.IfIndex, tunnel: d.Tunnel, direction: p.Direction, ttl: d.TTL, hop: kind, echo: isEcho,
		hasID: d.HasID, hasVNI: d.HasVNI, hasSrcMAC: d.HasSrcMAC, hasDstMAC: d.HasDstMAC, id: d.ID, srcPort: d.SrcPort, dstPort: d.DstPort,
		length: uint16(d.Len), captured: uint16(len(d.Payload)), srcMAC: d.SrcMAC, dstMAC: d.DstMAC, vlans: d.VLANs, vni: d.VNI,
		src: d.Src, dst: d.Dst, outerSrc: d.OuterSrc, outerDst: d.OuterDst, hash: bfdwire.Hash(d.Payload),
	}
	if kind == lsp && (d.Tunnel == frame.VXLAN || d.Tunnel == frame.Geneve) {
		s.hop, s.src, s.dst = single, d.OuterSrc, d.OuterDst
	}
	if isEcho {
		bfdwire.ParseEcho(d.Payload, d.Len, &s.payload)
		s.truncated = len(d.Payload) < d.Len
	} else {
		s.rule, s.truncated = bfdwire.ParseControl(d.Payload, d.Len, &s.control)
		if s.control.Multipoint && kind == single {
			s.hop = multipoint
		}
	}
	if w.config.Trace != nil {
		w.trace(p, s)
	}
	return s
}

// classify tells by its ports what BFD a datagram carries.
func classify(d *frame.Datagram) (kind hop, isEcho, ok bool) {
	switch d.DstPort {
	case bfdwire.PortControl:
		if loopback(d.Dst) {
			return lsp, false, true
		}
		return single, false, true
	case bfdwire.PortEcho:
		return single, true, true
	case bfdwire.PortMultihop:
		return multi, false, true
	case bfdwire.PortMicro:
		return micro, false, true
	case bfdwire.PortSBFD:
		return sbfd, false, true
	}
	return sbfd, false, d.SrcPort == bfdwire.PortSBFD
}

// loopback tells whether a packet to a must have come through an LSP or a tunnel: RFC 5884, 8971 and 9521 use such addresses.
func loopback(a netip.Addr) bool { return a.Unmap().IsLoopback() && a.Unmap().Is4() }

func countOther(stats *schema.BFDStatsRow, err error) {
	switch {
	case errors.Is(err, frame.ErrICMP):
		stats.QuotedInICMP++
	case errors.Is(err, frame.ErrFragment):
		stats.Fragments++
	default:
		stats.OtherFrames++
	}
}

// count counts a packet, of its copies the first.
func (w *Watch) count(s *sighting, copied bool) {
	stats, sum := w.tally(s.at), &w.summary
	switch {
	case copied:
		stats.Mirrored++
		sum.Mirrored++
		return
	case s.echo:
		stats.Echo++
		sum.Echo++
	default:
		stats.Control++
		sum.Control++
	}
	if s.truncated {
		stats.Truncated++
		sum.Truncated++
	}
	if s.rule != bfdwire.Accepted {
		sum.Invalid++
		countRule(stats, s.rule)
	}
}

func countRule(stats *schema.BFDStatsRow, r bfdwire.Rule) {
	switch r {
	case bfdwire.RuleVersion:
		stats.InvalidVersion++
	case bfdwire.RuleLength:
		stats.InvalidLength++
	case bfdwire.RulePayloadLength:
		stats.InvalidPayloadLength++
	case bfdwire.RuleDetectMult:
		stats.InvalidDetectMult++
	case bfdwire.RuleMultipoint:
		stats.InvalidMultipoint++
	case bfdwire.RuleMyDiscriminator:
		stats.InvalidMyDiscr++
	case bfdwire.RuleYourDiscriminator:
		stats.InvalidYourDiscr++
	case bfdwire.RuleAuthentication:
		stats.InvalidAuth++
	}
}

func (w *Watch) trace(p *capture.Packet, s *sighting) {
	w.sight = Sight{
		Packet: p, Number: w.summary.Packets, Datagram: &w.datagram, IsEcho: s.echo,
		Control: s.control, Rule: s.rule, Truncated: s.truncated, Echo: s.payload,
	}
	if s.echo && s.payload.Layout == bfdwire.ControlShaped {
		w.sight.Rule, _ = bfdwire.ParseControl(w.datagram.Payload, w.datagram.Len, &w.sight.Control)
	}
	w.config.Trace(&w.sight)
}

// mix adds a word to a hash. Hashes need not withstand anybody: who forges equal ones within a millisecond has a packet
// counted as a copy.
func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// copyHash is equal for frames that are copies of each other.
func (s *sighting) copyHash() uint64 {
	h := mixAddr(mixAddr(s.hash, s.src), s.dst)
	h = mix(h, uint64(s.srcPort)|uint64(s.dstPort)<<16|uint64(s.id)<<32|uint64(s.length)<<48)
	h = mix(h, uint64(s.ttl)|uint64(uint32(s.ifindex))<<8)
	h = mix(h, uint64(s.srcMAC[5])|uint64(s.srcMAC[4])<<8|uint64(s.srcMAC[3])<<16|uint64(s.dstMAC[5])<<24|uint64(s.dstMAC[4])<<32|uint64(s.dstMAC[3])<<40)
	h = mix(h, uint64(s.vlans[0])|uint64(s.vlans[1])<<16|uint64(s.vni)<<32)
	if s.outerSrc.IsValid() {
		h = mixAddr(mixAddr(h, s.outerSrc), s.outerDst)
	}
	return h
}

// identity is what a loop does not change of an echo: contents, IPv4 identification and the two addresses, which are
// exchanged where it is the peer's BFD that sends the echo back.
func (s *sighting) identity() uint64 {
	lo, hi := inOrder(s.src, s.dst)
	return mix(mixAddr(mixAddr(s.hash, lo), hi), uint64(s.id))
}

func mixAddr(h uint64, a netip.Addr) uint64 {
	b := a.As16()
	return mix(mix(h, binary.LittleEndian.Uint64(b[:])), binary.LittleEndian.Uint64(b[8:]))
}
