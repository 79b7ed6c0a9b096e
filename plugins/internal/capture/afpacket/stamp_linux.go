package afpacket

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// setStamps says who stamps frames. It is held for the life of the ring: the kernel stamps a frame once, where it
// enters or leaves the stack, for all captures alike. Else each tap stamps for itself, and stamps move when another
// process turns this on.
func (r *Ring) setStamps() error {
	flags := unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	if r.hardware {
		flags |= unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE
		if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_TIMESTAMP, unix.SOF_TIMESTAMPING_RAW_HARDWARE); err != nil {
			return fmt.Errorf("afpacket: PACKET_TIMESTAMP: %w", err)
		}
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, flags); err != nil {
		return fmt.Errorf("afpacket: SO_TIMESTAMPING: %w", err)
	}
	return nil
}

// startHardware has the adapter stamp all that it receives, and what senders ask it to. Where it does so already,
// nothing is changed and no privilege needed.
func (r *Ring) startHardware(ifindex int) error {
	name, err := r.name(ifindex)
	if err != nil {
		return err
	}
	const needed = unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE
	can, err := unix.IoctlGetEthtoolTsInfo(r.fd, name)
	if err != nil || can.So_timestamping&needed != needed || can.Rx_filters&(1<<unix.HWTSTAMP_FILTER_ALL) == 0 {
		return fmt.Errorf("%w: %s cannot stamp every frame", ErrHardware, name)
	}
	if is, err := unix.IoctlGetHwTstamp(r.fd, name); err == nil && is.Rx_filter == unix.HWTSTAMP_FILTER_ALL && is.Tx_type != unix.HWTSTAMP_TX_OFF {
		return nil
	}
	want := unix.HwTstampConfig{Tx_type: unix.HWTSTAMP_TX_ON, Rx_filter: unix.HWTSTAMP_FILTER_ALL}
	if err := unix.IoctlSetHwTstamp(r.fd, name, &want); err != nil {
		return fmt.Errorf("%w: %s: SIOCSHWTSTAMP, which needs CAP_NET_ADMIN: %w", ErrHardware, name, err)
	}
	if want.Rx_filter != unix.HWTSTAMP_FILTER_ALL { // the driver writes back what it made of it
		return fmt.Errorf("%w: %s stamps only some frames (filter %d)", ErrHardware, name, want.Rx_filter)
	}
	return nil
}

func (r *Ring) name(ifindex int) (string, error) {
	req, err := unix.NewIfreq("")
	if err == nil {
		req.SetUint32(uint32(ifindex))
		err = unix.IoctlIfreq(r.fd, unix.SIOCGIFNAME, req)
	}
	if err != nil {
		return "", fmt.Errorf("afpacket: interface number %d: %w", ifindex, err)
	}
	return req.Name(), nil
}
