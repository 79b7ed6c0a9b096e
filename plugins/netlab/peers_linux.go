package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Peers is two namespaces joined by one link, which carries both IP versions: for tests of the kernel edges.
type Peers struct {
	*Lab
	A, B *Namespace
}

// The ends of the peers' link. IPv6 has a range of its own for benchmarks (RFC 5180).
const (
	PeerLinkA = "pair-a"
	PeerLinkB = "pair-b"
)

// The addresses of the peers' ends with their networks.
var (
	PeerA4 = netip.MustParsePrefix("198.19.7.1/24")
	PeerB4 = netip.MustParsePrefix("198.19.7.2/24")
	PeerA6 = netip.MustParsePrefix("2001:2:0:7::1/64")
	PeerB6 = netip.MustParsePrefix("2001:2:0:7::2/64")
)

// NewPeers makes peers whose addresses can be used when it returns. The caller must Close it.
func NewPeers() (*Peers, error) {
	lab, err := New()
	if err != nil {
		return nil, err
	}
	p := &Peers{Lab: lab}
	if err := p.build(); err != nil {
		return nil, errors.Join(err, lab.Close())
	}
	return p, nil
}

func (p *Peers) build() error {
	var err error
	if p.A, err = p.namespace("a"); err != nil {
		return err
	}
	if p.B, err = p.namespace("b"); err != nil {
		return err
	}
	if err := Connect(End{p.A, PeerLinkA, PeerA4}, End{p.B, PeerLinkB, PeerB4}); err != nil {
		return err
	}
	return errors.Join(
		p.A.Do(func() error { return addUsable(PeerLinkA, PeerA6) }),
		p.B.Do(func() error { return addUsable(PeerLinkB, PeerB6) }))
}

// addUsable gives a link of the calling thread's namespace an IPv6 address and waits until all that it has can be
// used: the kernel gets to that later, even where it asks nobody.
func addUsable(name string, address netip.Prefix) error {
	if err := addAddress(name, address); err != nil {
		return err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("netlab: link %s: %w", name, err)
	}
	tentative := func(a netlink.Addr) bool { return a.Flags&unix.IFA_F_TENTATIVE != 0 }
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		list, err := netlink.AddrList(link, netlink.FAMILY_V6)
		if err != nil {
			return fmt.Errorf("netlab: addresses of %s: %w", name, err)
		}
		if len(list) == 2 && !slices.ContainsFunc(list, tentative) { // the link-local one, too
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("netlab: the IPv6 addresses of %s are not ready: %v", name, list)
		}
	}
}

// namespace makes a namespace that takes an IPv6 address at once, without asking whether another host has it, and
// answers without limits.
func (p *Peers) namespace(role string) (*Namespace, error) {
	n, err := p.Namespace(role)
	if err != nil {
		return nil, err
	}
	return n, errors.Join(
		n.Sysctl("ipv6/conf/all/accept_dad", "0"), n.Sysctl("ipv6/conf/default/accept_dad", "0"),
		n.Sysctl("ipv4/icmp_ratelimit", "0"), n.Sysctl("ipv6/icmp/ratelimit", "0"))
}
