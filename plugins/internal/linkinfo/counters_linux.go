package linkinfo

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Count reads an interface's counters.
func Count(ifindex int) (Counters, error) {
	link, err := netlink.LinkByIndex(ifindex)
	if err != nil {
		return Counters{}, fmt.Errorf("linkinfo: interface number %d: %w", ifindex, err)
	}
	var c Counters
	if s := link.Attrs().Statistics; s != nil {
		c.NICDrops = new(int64(s.RxDropped + s.TxDropped + s.RxErrors + s.TxErrors + s.RxMissedErrors))
	}
	c.QdiscDrops, err = qdiscDrops(ifindex)
	return c, err
}

// qdiscDrops reads the drops of an interface's root queue, which include those of the queues below it.
func qdiscDrops(ifindex int) (*int64, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETQDISC, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(ifindex)})
	msgs, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWQDISC)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("linkinfo: queues of interface number %d: %w", ifindex, err)
	}
	for _, m := range msgs {
		msg := nl.DeserializeTcMsg(m)
		if msg.Ifindex == int32(ifindex) && msg.Parent == netlink.HANDLE_ROOT {
			return drops(m[msg.Len():])
		}
	}
	return nil, nil
}

// drops finds the drops among a queue's attributes.
func drops(b []byte) (*int64, error) {
	const statsQueue = 3 // TCA_STATS_QUEUE of linux/gen_stats.h: queue length, backlog, drops …
	outer, err := parse(b)
	if err != nil {
		return nil, err
	}
	stats, err := parse(outer[nl.TCA_STATS2])
	if err != nil || len(stats[statsQueue]) < 12 {
		return nil, err
	}
	return new(int64(binary.NativeEndian.Uint32(stats[statsQueue][8:]))), nil
}
