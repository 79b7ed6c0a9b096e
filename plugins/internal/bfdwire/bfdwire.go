// Package bfdwire reads what BFD sends: control packets with their authentication sections (RFC 5880), and the payloads
// of echo packets, of which each vendor has its own. It is pure, and nothing it reads can make it panic.
//
// Layers: control.go (bytes <-> Control, the rules of reception in rule.go), auth.go (authentication sections), echo.go
// (payloads of echo packets, known by their shape), diag.go (words). S-BFD (RFC 7881) and multipoint BFD (RFC 8562) send
// ordinary control packets; which of its rules a role adds, who belongs to whom and what follows from a packet is not
// this package's business. Digests are not verified: a capture does not have the keys.
package bfdwire

// UDP ports (RFC 5881, 4; 5883; 7130; 7881).
const (
	PortControl  = 3784
	PortEcho     = 3785
	PortMultihop = 4784
	PortMicro    = 6784
	PortSBFD     = 7784
)

// State is a session's state (RFC 5880, 4.1). Of S-BFD a reflector knows but AdminDown and Up, an initiator no Init
// (RFC 7880, 7).
type State uint8

// The states.
const (
	AdminDown State = iota
	Down
	Init
	Up
)

// String returns the state's name as RFC 5880 writes it.
func (s State) String() string {
	return [...]string{"AdminDown", "Down", "Init", "Up"}[s&3]
}
