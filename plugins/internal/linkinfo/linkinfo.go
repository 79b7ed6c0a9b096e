// Package linkinfo is the kernel edge that reads what bends round-trip times or loses frames before the network
// does: interrupt coalescing, Energy-Efficient Ethernet, the processors' frequency governors, and the drop counters
// of an interface and its queue. It changes nothing. What a driver or the system does not tell is nil, never zero.
//
// Layers: this file (the values), ethtool_linux.go (the ethtool family of generic netlink), counters_linux.go
// (rtnetlink), governor_linux.go (sysfs).
package linkinfo

// Settings are an interface's.
type Settings struct {
	RxUsecs  *int64 // how long a received frame may wait for its interrupt, µs
	TxUsecs  *int64 // how long the interrupt for sent frames may wait, µs
	Adaptive *bool  // the driver moves one of these by itself
	EEE      *bool  // the link goes to sleep between frames (IEEE 802.3az is active)
}

// Counters count since the interface, or its queue, was made.
type Counters struct {
	QdiscDrops *int64 // frames to send for which the queue had no room
	NICDrops   *int64 // frames dropped, missed or in error, received and sent together
}
