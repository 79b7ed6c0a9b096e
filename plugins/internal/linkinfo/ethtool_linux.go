package linkinfo

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Read returns the settings of an interface. The ethtool family leaves out what a driver does not know, which the
// older ioctl shows as zero; a kernel without the family (before 5.7) tells nothing.
func Read(ifindex int) (Settings, error) {
	family, err := netlink.GenlFamilyGet("ethtool")
	if errors.Is(err, unix.ENOENT) {
		return Settings{}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("linkinfo: ethtool: %w", err)
	}
	coalesce, err := ask(family.ID, unix.ETHTOOL_MSG_COALESCE_GET, ifindex)
	if err != nil {
		return Settings{}, err
	}
	eee, err := ask(family.ID, unix.ETHTOOL_MSG_EEE_GET, ifindex)
	if err != nil {
		return Settings{}, err
	}
	return settings(coalesce, eee), nil
}

// attributes are those of one answer, by type.
type attributes map[uint16][]byte

// ask sends one request about an interface. A driver that cannot answer gives none.
func ask(family uint16, command uint8, ifindex int) (attributes, error) {
	req := nl.NewNetlinkRequest(int(family), 0)
	req.AddData(&nl.Genlmsg{Command: command, Version: unix.ETHTOOL_GENL_VERSION})
	// Every request of the family has its header as its first attribute.
	header := nl.NewRtAttr(unix.NLA_F_NESTED|unix.ETHTOOL_A_COALESCE_HEADER, nil)
	header.AddRtAttr(unix.ETHTOOL_A_HEADER_DEV_INDEX, nl.Uint32Attr(uint32(ifindex)))
	req.AddData(header)
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("linkinfo: ethtool request %d about interface number %d: %w", command, ifindex, err)
	case len(msgs) == 0 || len(msgs[0]) < nl.SizeofGenlmsg:
		return nil, nil
	}
	return parse(msgs[0][nl.SizeofGenlmsg:])
}

// parse walks attributes (struct nlattr: length with its own four bytes, type; each aligned to four bytes).
func parse(b []byte) (attributes, error) {
	a := attributes{}
	for len(b) >= unix.NLA_HDRLEN {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.NLA_HDRLEN || n > len(b) {
			return nil, fmt.Errorf("linkinfo: an attribute of %d bytes among %d", n, len(b))
		}
		kind := binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		a[kind] = b[unix.NLA_HDRLEN:n]
		b = b[min(len(b), (n+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1)):]
	}
	return a, nil
}

func settings(coalesce, eee attributes) Settings {
	return Settings{
		RxUsecs:  coalesce.number(unix.ETHTOOL_A_COALESCE_RX_USECS),
		TxUsecs:  coalesce.number(unix.ETHTOOL_A_COALESCE_TX_USECS),
		Adaptive: either(coalesce.flag(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX), coalesce.flag(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX)),
		EEE:      eee.flag(unix.ETHTOOL_A_EEE_ACTIVE),
	}
}

func (a attributes) number(kind uint16) *int64 {
	v, ok := a[kind]
	if !ok || len(v) < 4 {
		return nil
	}
	return new(int64(binary.NativeEndian.Uint32(v)))
}

func (a attributes) flag(kind uint16) *bool {
	v, ok := a[kind]
	if !ok || len(v) < 1 {
		return nil
	}
	return new(v[0] != 0)
}

func either(a, b *bool) *bool {
	if a == nil || b != nil && *b {
		return b
	}
	return a
}
