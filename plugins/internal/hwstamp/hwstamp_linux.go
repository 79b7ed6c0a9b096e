package hwstamp

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Query asks the driver of an interface.
func Query(ifname string) (Info, error) {
	info := Info{Interface: ifname, Clock: -1}
	err := withSocket(func(fd int) error {
		ts, err := unix.IoctlGetEthtoolTsInfo(fd, ifname)
		if err != nil {
			return err
		}
		const both = unix.SOF_TIMESTAMPING_RAW_HARDWARE
		has := func(set, bits uint32) bool { return set&bits == bits }
		info.Clock = int(ts.Phc_index)
		info.Send = has(ts.So_timestamping, both|unix.SOF_TIMESTAMPING_TX_HARDWARE) && has(ts.Tx_types, 1<<unix.HWTSTAMP_TX_ON)
		info.Receive = has(ts.So_timestamping, both|unix.SOF_TIMESTAMPING_RX_HARDWARE) && has(ts.Rx_filters, 1<<unix.HWTSTAMP_FILTER_ALL)
		return nil
	})
	if err != nil {
		return Info{}, fmt.Errorf("hwstamp: what interface %s can stamp: %w", ifname, err)
	}
	return info, nil
}

// Enable has the adapter stamp all it sends and receives. One that does already, for a PTP daemon or because
// somebody has run hwstamp_ctl, is left as it is; to set it needs CAP_NET_ADMIN, and so does restore, which sets
// it back: after capabilities were dropped it fails, and the adapter goes on to stamp, which disturbs nobody.
func Enable(ifname string) (restore func() error, err error) {
	info, err := Query(ifname)
	if err == nil {
		err = info.Check()
	}
	if err != nil {
		return nil, err
	}
	before, err := get(ifname)
	if err != nil {
		return nil, err
	}
	if before.Tx_type == unix.HWTSTAMP_TX_ON && before.Rx_filter == unix.HWTSTAMP_FILTER_ALL {
		return func() error { return nil }, nil
	}
	got, err := set(ifname, unix.HwTstampConfig{Tx_type: unix.HWTSTAMP_TX_ON, Rx_filter: unix.HWTSTAMP_FILTER_ALL})
	if err != nil {
		return nil, err
	}
	restore = func() error {
		_, err := set(ifname, before)
		return err
	}
	if got.Tx_type != unix.HWTSTAMP_TX_ON || got.Rx_filter != unix.HWTSTAMP_FILTER_ALL { // drivers may choose another filter
		return nil, errors.Join(fmt.Errorf("%w: interface %s set itself to type %d, filter %d", ErrUnsupported, ifname, got.Tx_type, got.Rx_filter), restore())
	}
	return restore, nil
}

// get reads what the adapter is set to; a driver that cannot tell counts as off.
func get(ifname string) (unix.HwTstampConfig, error) {
	var c unix.HwTstampConfig
	err := withSocket(func(fd int) error {
		got, err := unix.IoctlGetHwTstamp(fd, ifname)
		if err == nil {
			c = *got
		}
		return err
	})
	if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return c, fmt.Errorf("hwstamp: read how interface %s stamps: %w", ifname, err)
	}
	return c, nil
}

// set returns what the driver made of c.
func set(ifname string, c unix.HwTstampConfig) (unix.HwTstampConfig, error) {
	err := withSocket(func(fd int) error { return unix.IoctlSetHwTstamp(fd, ifname, &c) })
	switch {
	case errors.Is(err, unix.EPERM):
		return c, fmt.Errorf("%w (%w): set interface %s beforehand: hwstamp_ctl -i %s -t 1 -r 1", ErrPrivilege, err, ifname, ifname)
	case err != nil:
		return c, fmt.Errorf("hwstamp: set how interface %s stamps: %w", ifname, err)
	}
	return c, nil
}

// withSocket runs f with a socket to ask the kernel about interfaces.
func withSocket(f func(fd int) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return f(fd)
}
