package bfdwire

import "strconv"

// Diag is why the sender's session last left Up (RFC 5880, 4.1; RFC 6428 for 9).
type Diag uint8

// Diagnostics that something follows from.
const (
	DiagNone          Diag = 0
	DiagDetectionTime Diag = 1
	DiagEchoFailed    Diag = 2
	DiagNeighborDown  Diag = 3
	DiagAdminDown     Diag = 7
)

// String returns the diagnostic in the words of its RFC, "Diagnostic 17" for one that is not assigned.
func (d Diag) String() string {
	words := [...]string{
		"No Diagnostic",
		"Control Detection Time Expired",
		"Echo Function Failed",
		"Neighbor Signaled Session Down",
		"Forwarding Plane Reset",
		"Path Down",
		"Concatenated Path Down",
		"Administratively Down",
		"Reverse Concatenated Path Down",
		"Mis-Connectivity Defect",
	}
	if int(d) < len(words) {
		return words[d]
	}
	return "Diagnostic " + strconv.Itoa(int(d))
}
