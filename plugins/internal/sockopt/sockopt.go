// Package sockopt is the kernel edge that sets the options of IP sockets: those that decide which packets raw sockets
// (icmpsock) and ping sockets (pingsock) send, and whatever else their packages ask for by number.
package sockopt

// Option is a socket option with a number for its value.
type Option struct {
	name              string
	level, opt, value int
}

// Int makes an option. Its name is for errors.
func Int(name string, level, opt, value int) Option { return Option{name, level, opt, value} }

// IP is what a socket's packets are to be like.
type IP struct {
	TTL          int // IPv6: hop limit; 0: the system's default
	DSCP         int // 0 to 63
	DontFragment bool
}
