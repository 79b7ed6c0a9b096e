//go:build integration

package linkinfo

import (
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"echogram/plugins/netlab"
)

// TestKernel reads a veth link, whose driver knows no coalescing, and sees its queue drop.
func TestKernel(t *testing.T) {
	netlab.InPeers(t, func(*netlab.Peers) {
		link, err := netlink.LinkByName(netlab.PeerLinkA)
		if err != nil {
			t.Fatal(err)
		}
		index := link.Attrs().Index
		if s, err := Read(index); err != nil || s != (Settings{}) {
			t.Errorf("settings: %+v, %v", s, err)
		}
		if _, err := Read(9999); err == nil {
			t.Error("settings of an interface that is not there")
		}
		err = netlink.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate:       1000, Buffer: netlink.Xmittime(1000, 2000), Limit: 2000,
		})
		if err != nil {
			t.Fatal(err)
		}
		before, err := Count(index)
		if err != nil || before.NICDrops == nil || before.QdiscDrops == nil || *before.QdiscDrops != 0 {
			t.Errorf("counters: %+v, %v", before, err)
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		for range 100 {
			unix.Sendto(fd, make([]byte, 900), 0, &unix.SockaddrInet4{Port: 9, Addr: netlab.PeerB4.Addr().As4()})
		}
		after, err := Count(index)
		if err != nil || after.QdiscDrops == nil || *after.QdiscDrops < 50 {
			t.Errorf("counters: %+v, %v", after, err)
		}
	})
}
