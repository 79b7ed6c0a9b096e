package afpacket

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// bind names the interface whose frames the ring sees.
func (r *Ring) bind(ifindex int) error {
	if r.hardware {
		if err := r.startHardware(ifindex); err != nil {
			return err
		}
	}
	if r.promiscuous {
		member := unix.PacketMreq{Ifindex: int32(ifindex), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &member); err != nil {
			return fmt.Errorf("afpacket: promiscuous mode: %w", err)
		}
	}
	addr := &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: ifindex}
	if err := unix.Bind(r.fd, addr); err != nil {
		return fmt.Errorf("afpacket: bind to interface number %d: %w", ifindex, err)
	}
	return nil
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// Rebind has the ring go on with another interface of the same link type: after ErrGone with the one that took its
// place. It needs no privilege, unless the adapter must be told to stamp. The goroutine that reads calls it.
func (r *Ring) Rebind(ifindex int) error {
	if err := r.bind(ifindex); err != nil {
		return err
	}
	r.down = false
	return nil
}

// gone tells whether the interface was removed: the kernel then takes its index off the socket.
func (r *Ring) gone() bool {
	addr, err := unix.Getsockname(r.fd)
	ll, ok := addr.(*unix.SockaddrLinklayer)
	return err == nil && ok && ll.Ifindex == -1
}
