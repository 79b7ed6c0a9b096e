package route

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Watch tells that routes, links, addresses or followed neighbours have changed.
type Watch struct {
	// Changed gets a value when something changed since it was last received from. It is never closed.
	Changed <-chan struct{}
	changed chan<- struct{}
	events  *os.File
	follow  atomic.Pointer[map[Hop]Neighbour]
}

// NewWatch opens a watch, which notes what changes from its return on. Run serves it and Close ends it.
func NewWatch() (*Watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("route: watch: %w", err)
	}
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_NEIGH |
		unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("route: watch: %w", err)
	}
	c := make(chan struct{}, 1)
	w := &Watch{Changed: c, changed: c, events: os.NewFile(uintptr(fd), "rtnetlink")}
	w.Follow(nil)
	return w, nil
}

// Follow says which neighbours matter, and what is known of them: a change is another MAC, or that the kernel has
// no MAC any more, or has one again. The map must not be changed afterwards.
func (w *Watch) Follow(known map[Hop]Neighbour) { w.follow.Store(&known) }

// Run reads what the kernel tells until ctx is done, and then returns nil.
func (w *Watch) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.events.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		n, err := w.events.Read(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS): // more was told than there was room for
			w.tell()
		case err != nil:
			return fmt.Errorf("route: watch: %w", err)
		case w.matters(buf[:n]):
			w.tell()
		}
	}
}

func (w *Watch) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// matters tells whether there is news among the messages of one reading.
func (w *Watch) matters(b []byte) bool {
	msgs, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return true
	}
	for _, m := range msgs {
		switch m.Header.Type {
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			if w.otherNeighbour(m) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

func (w *Watch) otherNeighbour(m syscall.NetlinkMessage) bool {
	h, told, err := parseNeighbour(m.Data)
	if err != nil {
		return false
	}
	known, followed := (*w.follow.Load())[h]
	if m.Header.Type == unix.RTM_DELNEIGH {
		told = Neighbour{}
	}
	return followed && (told.Known() != known.Known() || told.Known() && told.MAC != known.MAC)
}

// Close ends the watch. Run must have returned.
func (w *Watch) Close() error { return w.events.Close() }
