package afpacket

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
)

// Ring is a live capture. One goroutine reads it; Stats and Close may be called once Read is no longer running.
type Ring struct {
	fd      int
	mem     []byte
	block   int // size of a block
	blocks  int
	next    int  // block to read next
	held    bool // the block before next belongs to us
	down    bool // the interface went down since the last bind, and may have been removed; frames from before may still come
	link    capture.LinkType
	packets []capture.Packet

	promiscuous, hardware bool
}

// Open makes a ring and lets it see frames: from its return on, none that passes the filter is missed but for
// those that Stats counts as dropped. It needs CAP_NET_RAW; without it the error is unix.EPERM.
func Open(c Config) (*Ring, error) {
	c.defaults()
	// Protocol 0 receives nothing: the filter and the ring are in place before bind names the protocol.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("afpacket: socket: %w", err)
	}
	r := &Ring{fd: fd, block: c.BlockSize, blocks: c.Blocks, link: c.Link, promiscuous: c.Promiscuous, hardware: c.Hardware}
	if err := r.setUp(c); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Ring) setUp(c Config) error {
	if err := setFilter(r.fd, c.Filter); err != nil {
		return fmt.Errorf("afpacket: filter: %w", err)
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("afpacket: TPACKET_V3: %w", err)
	}
	if err := r.setStamps(); err != nil {
		return err
	}
	const frameSize = 2048 // TPACKET_V3 packs frames as they come; the kernel only wants the arithmetic to fit
	req := unix.TpacketReq3{
		Block_size: uint32(c.BlockSize), Block_nr: uint32(c.Blocks),
		Frame_size: frameSize, Frame_nr: uint32(c.BlockSize / frameSize * c.Blocks),
		Retire_blk_tov: retireMillis,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("afpacket: ring of %d MiB: %w", c.BlockSize*c.Blocks>>20, err)
	}
	var err error
	r.mem, err = unix.Mmap(r.fd, 0, c.BlockSize*c.Blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("afpacket: map ring: %w", err)
	}
	return r.bind(c.IfIndex)
}

func setFilter(fd int, prog []bpf.RawInstruction) error {
	if len(prog) == 0 {
		return errors.New("no program")
	}
	filter := make([]unix.SockFilter, len(prog))
	for i, ins := range prog {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{
		Len: uint16(len(filter)), Filter: &filter[0],
	})
}

// Read gives the frames of the next block, waiting up to timeout for one; none is no error. What it returned
// before goes back to the kernel: neither the slice nor the frames' bytes may be used after the next Read.
func (r *Ring) Read(timeout time.Duration) ([]capture.Packet, error) {
	r.release()
	b := r.blockAt(r.next)
	if !ready(b) {
		if err := r.wait(timeout); err != nil {
			return nil, err
		}
		if !ready(b) {
			if r.down && r.gone() {
				return nil, ErrGone
			}
			return nil, nil
		}
	}
	r.held = true
	r.next = (r.next + 1) % r.blocks
	return r.walk(b), nil
}

// release hands the block that was read last back to the kernel.
func (r *Ring) release() {
	if !r.held {
		return
	}
	r.held = false
	b := r.blockAt((r.next + r.blocks - 1) % r.blocks)
	atomic.StoreUint32(&header(b).Block_status, unix.TP_STATUS_KERNEL)
}

func (r *Ring) blockAt(i int) []byte { return r.mem[i*r.block : (i+1)*r.block] }

// header is the part of a block's descriptor behind its version and offset (struct tpacket_hdr_v1).
func header(b []byte) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&b[unsafe.Offsetof(unix.TpacketBlockDesc{}.Hdr)]))
}

// ready tells whether the kernel has given a block to us; the load orders what follows behind it.
func ready(b []byte) bool {
	return atomic.LoadUint32(&header(b).Block_status)&unix.TP_STATUS_USER != 0
}

func (r *Ring) wait(timeout time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}}
	_, err := unix.Poll(fds, int(timeout.Milliseconds()))
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return fmt.Errorf("afpacket: poll: %w", err)
	case fds[0].Revents&unix.POLLERR != 0:
		return r.failure()
	}
	return nil
}

// failure says why the socket is in error, and clears that. An interface that is removed goes down first, and the
// kernel reports only that.
func (r *Ring) failure() error {
	errno, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return fmt.Errorf("afpacket: SO_ERROR: %w", err)
	case errno == 0:
		return nil
	case unix.Errno(errno) == unix.ENETDOWN:
		r.down = true
		return ErrDown
	}
	return fmt.Errorf("afpacket: %w", unix.Errno(errno))
}

// walk lists the frames of a block.
func (r *Ring) walk(b []byte) []capture.Packet {
	r.packets = r.packets[:0]
	h := header(b)
	at := int(h.Offset_to_first_pkt)
	for range h.Num_pkts {
		f := (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[at]))
		r.packets = append(r.packets, r.packet(b[at:], f))
		at += int(f.Next_offset)
	}
	return r.packets
}

// addrOffset is where a frame's sockaddr_ll stands: behind its header, aligned to 16 bytes.
const addrOffset = (int(unsafe.Sizeof(unix.Tpacket3Hdr{})) + 15) &^ 15

func (r *Ring) packet(b []byte, f *unix.Tpacket3Hdr) capture.Packet {
	addr := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&b[addrOffset]))
	p := capture.Packet{
		Data:      b[f.Mac : uint32(f.Mac)+f.Snaplen],
		Stamp:     int64(f.Sec)*1_000_000_000 + int64(f.Nsec),
		OrigLen:   f.Len,
		IfIndex:   addr.Ifindex,
		Kind:      capture.StampSoftware,
		Direction: direction(addr.Pkttype),
		Link:      r.link,
	}
	if f.Status&unix.TP_STATUS_VLAN_VALID != 0 {
		p.VLAN, p.HasVLAN = uint16(f.Hv1.Vlan_tci), true
	}
	if f.Status&unix.TP_STATUS_TS_RAW_HARDWARE != 0 {
		p.Kind = capture.StampHardware
	}
	return p
}

func direction(pkttype uint8) capture.Direction {
	switch pkttype {
	case unix.PACKET_OUTGOING:
		return capture.Out
	case unix.PACKET_OTHERHOST:
		return capture.Other
	}
	return capture.In
}

// Stats returns what has passed and what was lost since the last call.
func (r *Ring) Stats() (capture.Stats, error) {
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return capture.Stats{}, fmt.Errorf("afpacket: statistics: %w", err)
	}
	return capture.Stats{Packets: uint64(s.Packets), Drops: uint64(s.Drops), Freezes: uint64(s.Freeze_q_cnt)}, nil
}

// Carrier tells whether the interface called name, which is the ring's, is up and its link works.
func (r *Ring) Carrier(name string) bool {
	req, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(r.fd, unix.SIOCGIFFLAGS, req) != nil {
		return false
	}
	return req.Uint16()&unix.IFF_RUNNING != 0
}

// Close takes the ring away from the kernel.
func (r *Ring) Close() error {
	if r.mem != nil {
		unix.Munmap(r.mem)
		r.mem = nil
	}
	return unix.Close(r.fd)
}
