package frame

import (
	"encoding/binary"

	"echogram/plugins/internal/capture"
)

// Ether types.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad
)

// Lengths of the link headers.
const (
	ethernetLen = 14
	vlanLen     = 4
	sllLen      = 16
	sll2Len     = 20
	nullLen     = 4
)

// anyVersion stands for the IP version of a link that does not name it.
const anyVersion = 0

// skipLink takes the link header and up to two VLAN tags off, and returns the IP version that they announce.
func skipLink(data []byte, link capture.LinkType) (rest []byte, version uint8, err error) {
	switch link {
	case capture.LinkEthernet:
		return skipTags(data, 12, ethernetLen)
	case capture.LinkSLL:
		return skipTags(data, 14, sllLen)
	case capture.LinkSLL2:
		return skipTags(data, 0, sll2Len)
	case capture.LinkNull:
		return skipNull(data)
	case capture.LinkOther:
		return nil, 0, ErrNotIP
	}
	return data, anyVersion, nil
}

// skipTags takes a header of n bytes off that has its ether type at offset at, and VLAN tags behind it.
func skipTags(data []byte, at, n int) (rest []byte, version uint8, err error) {
	if len(data) < n {
		return nil, 0, ErrShort
	}
	etherType := binary.BigEndian.Uint16(data[at:])
	data = data[n:]
	for range 2 {
		if etherType != etherVLAN && etherType != etherQinQ {
			break
		}
		if len(data) < vlanLen {
			return nil, 0, ErrShort
		}
		etherType = binary.BigEndian.Uint16(data[2:])
		data = data[vlanLen:]
	}
	switch etherType {
	case etherIPv4:
		return data, 4, nil
	case etherIPv6:
		return data, 6, nil
	}
	return nil, 0, ErrNotIP
}

// skipNull takes the address family of a BSD loopback off: four bytes in the order of whatever host wrote them, and
// of AF_INET6 each system has a number of its own.
func skipNull(data []byte) (rest []byte, version uint8, err error) {
	if len(data) < nullLen {
		return nil, 0, ErrShort
	}
	family := binary.BigEndian.Uint32(data)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(data)
	}
	switch family {
	case 2:
		return data[nullLen:], 4, nil
	case 10, 24, 28, 30: // Linux; NetBSD and OpenBSD; FreeBSD; macOS
		return data[nullLen:], 6, nil
	}
	return nil, 0, ErrNotIP
}
