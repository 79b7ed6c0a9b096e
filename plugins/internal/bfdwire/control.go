package bfdwire

import "encoding/binary"

// HeaderLen is the length of a control packet without authentication (RFC 5880, 4.1).
const HeaderLen = 24

// Flags of a control packet's second byte; the state stands above them.
const (
	flagPoll        = 0x20
	flagFinal       = 0x10
	flagIndependent = 0x08
	flagAuth        = 0x04
	flagDemand      = 0x02
	flagMultipoint  = 0x01
)

// Control is a control packet.
type Control struct {
	Version           uint8
	Diag              Diag
	State             State
	Poll              bool
	Final             bool
	Independent       bool // C: the sender's BFD lives on without its control plane
	AuthPresent       bool // A
	Demand            bool
	Multipoint        bool
	DetectMult        uint8
	Length            uint8
	MyDiscriminator   uint32
	YourDiscriminator uint32
	DesiredMinTX      uint32 // µs, as the next two
	RequiredMinRX     uint32
	RequiredMinEchoRX uint32
	Auth              Auth
	Padding           int // bytes behind Length (RFC 9764)
}

// ParseControl reads a control packet of which payload is captured and length bytes were sent. All that was captured
// is in c, whatever the rule says; truncated tells that the capture left out a part of it, so that rules which need
// that part were not applied. Padding is no part of it.
func ParseControl(payload []byte, length int, c *Control) (rule Rule, truncated bool) {
	b := payload[:max(0, min(len(payload), length))]
	*c = Control{}
	if len(b) >= HeaderLen {
		c.fill((*[HeaderLen]byte)(b))
	} else {
		c.fillCut(b)
	}
	if len(b) > 3 {
		c.Padding = max(0, length-int(c.Length))
	}
	var section []byte
	if end := min(len(b), int(c.Length)); c.AuthPresent && end > HeaderLen {
		section = b[HeaderLen:end]
		c.Auth.fill(section)
	}
	truncated = len(b) < length && len(b) < max(HeaderLen, int(c.Length))
	if rule = c.refusal(len(b), length, section); rule == RuleAuthentication {
		c.Auth.Sequence, c.Auth.HasSequence = 0, false // what does not fit may be a password
	}
	return rule, truncated
}

// fillCut reads less than the mandatory section. Half a field is not given: a discriminator cut is another's.
func (c *Control) fillCut(b []byte) {
	var head [HeaderLen]byte
	if len(b) > 3 {
		b = b[:len(b)&^3]
	}
	copy(head[:], b)
	c.fill(&head)
}

// fill reads the mandatory section.
func (c *Control) fill(b *[HeaderLen]byte) {
	flags := b[1]
	c.Version, c.Diag = b[0]>>5, Diag(b[0]&0x1f)
	c.State = State(flags >> 6)
	c.Poll, c.Final = flags&flagPoll != 0, flags&flagFinal != 0
	c.Independent, c.AuthPresent = flags&flagIndependent != 0, flags&flagAuth != 0
	c.Demand, c.Multipoint = flags&flagDemand != 0, flags&flagMultipoint != 0
	c.DetectMult, c.Length = b[2], b[3]
	c.MyDiscriminator = binary.BigEndian.Uint32(b[4:])
	c.YourDiscriminator = binary.BigEndian.Uint32(b[8:])
	c.DesiredMinTX = binary.BigEndian.Uint32(b[12:])
	c.RequiredMinRX = binary.BigEndian.Uint32(b[16:])
	c.RequiredMinEchoRX = binary.BigEndian.Uint32(b[20:])
}

// AppendControl appends a control packet as c has it, Length included. A Length of 0 is put right; another is kept,
// and what it counts beyond the packet's sections is zeros, as are digests, passwords and padding.
func AppendControl(dst []byte, c *Control) []byte {
	start := len(dst)
	length := int(c.Length)
	if length == 0 {
		length = c.minLen()
		if c.AuthPresent {
			length = HeaderLen + c.Auth.len(0)
		}
	}
	dst = append(dst, c.Version<<5|uint8(c.Diag)&0x1f, c.flags(), c.DetectMult, uint8(length))
	for _, v := range [...]uint32{c.MyDiscriminator, c.YourDiscriminator, c.DesiredMinTX, c.RequiredMinRX, c.RequiredMinEchoRX} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	if c.AuthPresent {
		dst = c.Auth.append(dst, c.Auth.len(length-HeaderLen))
	}
	zeros := max(0, start+length-len(dst)) + c.Padding
	return append(dst, make([]byte, zeros)...)
}

// flags is the second byte.
func (c *Control) flags() byte {
	b := byte(c.State) << 6
	for _, f := range [...]struct {
		set bool
		bit byte
	}{
		{c.Poll, flagPoll}, {c.Final, flagFinal}, {c.Independent, flagIndependent},
		{c.AuthPresent, flagAuth}, {c.Demand, flagDemand}, {c.Multipoint, flagMultipoint},
	} {
		if f.set {
			b |= f.bit
		}
	}
	return b
}
