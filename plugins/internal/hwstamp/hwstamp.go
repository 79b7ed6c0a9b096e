// Package hwstamp is the kernel edge that asks a network adapter whether it can stamp echo requests and replies by
// its own clock, and sets it to do so. The stamps themselves come with what sockets send and receive: package
// pingsock reads them.
//
// Unverified: no such adapter was at hand. What is tested is the refusal.
package hwstamp

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that a caller decides on.
var (
	// ErrUnsupported says that an adapter lacks what hardware stamps need.
	ErrUnsupported = errors.New("hwstamp: not supported")
	// ErrPrivilege says that the adapter does not stamp, and that setting it needs CAP_NET_ADMIN.
	ErrPrivilege = errors.New("hwstamp: missing privilege CAP_NET_ADMIN")
)

// Info is what an adapter can do.
type Info struct {
	Interface string
	Clock     int  // N of /dev/ptpN, whose time the stamps are; -1: none
	Send      bool // stamps any packet that leaves
	Receive   bool // stamps every packet that comes in, not only PTP's
}

// Check refuses an adapter that cannot stamp both ways by one clock: an error that is ErrUnsupported, names the
// interface and says what it lacks.
func (i Info) Check() error {
	var lacks []string
	for _, c := range []struct {
		has  bool
		what string
	}{
		{i.Send, "stamps of what it sends"},
		{i.Receive, "stamps of all it receives"},
		{i.Clock >= 0, "a clock"},
	} {
		if !c.has {
			lacks = append(lacks, c.what)
		}
	}
	if lacks == nil {
		return nil
	}
	return fmt.Errorf("%w: interface %s lacks in hardware: %s", ErrUnsupported, i.Interface, strings.Join(lacks, ", "))
}
