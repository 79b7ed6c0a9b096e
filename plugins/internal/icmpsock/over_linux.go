package icmpsock

// Over makes a Socket that sends by sockets which are open and set up already, of whatever type takes ICMP
// messages; -1: none of that version.
func Over(v4, v6 int) *Socket {
	return &Socket{v4: v4, v6: v6, zones: map[string]uint32{}}
}
