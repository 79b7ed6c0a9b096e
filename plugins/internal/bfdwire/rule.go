package bfdwire

// Rule is a rule of reception by which a control packet is refused (RFC 5880, 6.8.6).
type Rule uint8

// The rules, in the order of their application.
const (
	Accepted              Rule = iota
	RuleVersion                // version is not 1
	RuleLength                 // Length below 24, or 26 with authentication
	RulePayloadLength          // Length above the payload that carries it
	RuleDetectMult             // Detect Mult is 0
	RuleMultipoint             // M is set, and the packet is none of RFC 8562 (its Your Discriminator is not 0)
	RuleMyDiscriminator        // My Discriminator is 0
	RuleYourDiscriminator      // Your Discriminator is 0 in a state that needs it
	RuleAuthentication         // the authentication section does not fit into Length, or its length is not its type's
)

// String returns the rule's name, which also ends the names of the fields that count refusals.
func (r Rule) String() string {
	names := [...]string{
		"accepted", "version", "length", "payload_length", "detect_mult", "multipoint",
		"my_discriminator", "your_discriminator", "authentication",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Section returns where the rule is written, "" for Accepted.
func (r Rule) Section() string {
	switch r {
	case Accepted:
		return ""
	case RuleAuthentication:
		return "RFC 5880 6.7"
	}
	return "RFC 5880 6.8.6"
}

// minLen is the least Length that the A bit allows.
func (c *Control) minLen() int {
	if c.AuthPresent {
		return HeaderLen + authHeadLen
	}
	return HeaderLen
}

// refusal returns the first rule that the packet breaks, as far as its first n bytes can tell. A payload too short to
// have a Length field is shorter than any Length. The packets of RFC 8562, with M, have no Your Discriminator in any
// state.
func (c *Control) refusal(n, length int, section []byte) Rule {
	switch {
	case n > 0 && c.Version != 1:
		return RuleVersion
	case n > 3 && int(c.Length) < c.minLen():
		return RuleLength
	case length < HeaderLen || n > 3 && int(c.Length) > length:
		return RulePayloadLength
	case n > 2 && c.DetectMult == 0:
		return RuleDetectMult
	case n >= 12 && c.Multipoint && c.YourDiscriminator != 0:
		return RuleMultipoint
	case n >= 8 && c.MyDiscriminator == 0:
		return RuleMyDiscriminator
	case n >= 12 && c.YourDiscriminator == 0 && c.State >= Init && !c.Multipoint:
		return RuleYourDiscriminator
	case c.AuthPresent && !c.Auth.fits(section, int(c.Length)-HeaderLen):
		return RuleAuthentication
	}
	return Accepted
}
