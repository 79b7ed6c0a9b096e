// Package capture says what a captured frame is, for those that read frames and those that supply them: the
// kernel's ring (afpacket) and files. It holds types only: no sockets, no clock, no decoding.
package capture

// Direction tells on which way a frame passed the capture point.
type Direction uint8

// The directions that a capture can tell. Unknown is what files without that knowledge give.
const (
	Unknown Direction = iota
	In                // received by this host
	Out               // sent by this host
	Other             // seen on the link, neither to nor from this host
)

// StampKind tells who took a frame's time.
type StampKind uint8

// The kinds of stamp, in the order of their worth. RTTs are never made of two different kinds.
const (
	StampNone     StampKind = iota
	StampSoftware           // the kernel, CLOCK_REALTIME
	StampHardware           // the network adapter, its own clock
	StampFile               // whoever wrote the file
)

// String returns the name that goes into the field stamp_kind.
func (k StampKind) String() string {
	switch k {
	case StampSoftware:
		return "software"
	case StampHardware:
		return "hardware"
	case StampFile:
		return "file"
	}
	return "none"
}

// LinkType tells what stands at the start of a frame's bytes.
type LinkType uint8

// The link types that frames come with: of the kernel's the first two, of files all.
const (
	LinkEthernet LinkType = iota // 14 bytes, VLAN tags that the kernel did not take off
	LinkRaw                      // nothing: the first byte is the IP version
	LinkSLL                      // 16 bytes, Linux "cooked" (what tcpdump writes for all interfaces at once)
	LinkSLL2                     // 20 bytes, the same with the interface's index
	LinkNull                     // 4 bytes, the address family in any byte order: BSD's loopback, DLT_NULL and DLT_LOOP
	LinkOther                    // something else: of one interface beside others in a file
)

// Packet is one captured frame.
type Packet struct {
	Data      []byte    // from the link header on; belongs to the source, valid until its next Read
	Stamp     int64     // ns since the Unix epoch
	OrigLen   uint32    // length on the wire; more than len(Data) when the capture cut it
	IfIndex   int32     // interface, 0 unknown
	VLAN      uint16    // tag that the kernel took off: priority, DEI and identifier; valid if HasVLAN
	HasVLAN   bool      //
	Kind      StampKind // who took Stamp
	Direction Direction
	Link      LinkType
}

// Stats counts what a source lost, since the counts before.
type Stats struct {
	Packets uint64 // frames that passed the filter, lost ones included
	Drops   uint64 // frames for which there was no room
	Freezes uint64 // times that the ring was full
}
