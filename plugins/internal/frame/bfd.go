package frame

import (
	"golang.org/x/net/bpf"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/ipheader"
)

// Jump targets of BFDFilter, behind those of EchoFilter.
const (
	toTag1 = toID - 1 - iota
	toTag2
	toType
)

// BFDOptions are what a filter for BFD lets pass beside it.
type BFDOptions struct {
	Tunnels bool // what may carry BFD inside: MPLS, PPPoE, GRE, IP in IP, VXLAN, Geneve
}

// BFDFilter returns the BPF program that lets pass, on Ethernet and on links without a header (no other comes from a
// kernel), what may be BFD of either family: UDP to one of its ports, or from S-BFD's, whose replies go to any port
// (RFC 7881). Up to two VLAN tags may have been left in the frame. Later fragments stay in the kernel, IPv6 packets with
// extension headers pass: user space walks these. snap is the number of bytes to keep of a frame.
//
// The program keeps in X the length of the VLAN tags, and of IPv4's header when that has been read.
func BFDFilter(link capture.LinkType, snap uint32, o BFDOptions) []bpf.Instruction {
	if link != capture.LinkEthernet {
		return join(snap,
			part{code: []bpf.Instruction{
				bpf.LoadConstant{Dst: bpf.RegX, Val: 0},
				bpf.LoadAbsolute{Off: 0, Size: 1},
				bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
				bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: toIPv4},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 6, SkipTrue: toDrop},
			}},
			part{code: bfdIPv6(0, o)}, part{toIPv4, bfdIPv4(0, o)})
	}
	return join(snap,
		part{code: typeBehind(0, toTag1)}, part{toTag1, typeBehind(vlanLen, toTag2)}, part{toTag2, typeBehind(2*vlanLen, toDrop)},
		part{toType, ipBehind(o)},
		part{code: bfdIPv6(ethernetLen, o)}, part{toIPv4, bfdIPv4(ethernetLen, o)})
}

// typeBehind loads the ether type behind n bytes of tags, and goes to tag if it announces another.
func typeBehind(n uint32, tag uint8) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegX, Val: n},
		bpf.LoadAbsolute{Off: 12 + n, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherVLAN, SkipTrue: tag},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherQinQ, SkipTrue: tag},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherOldQinQ, SkipTrue: tag, SkipFalse: toType},
	}
}

// ipBehind goes by the ether type in A; for IPv6 it runs into what follows.
func ipBehind(o BFDOptions) []bpf.Instruction {
	code := []bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv4, SkipTrue: toIPv4}}
	if o.Tunnels {
		code = append(code, passIf(etherMPLS, etherMPLSGroup, etherPPPoE)...)
	}
	return append(code, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: toDrop})
}

func bfdIPv6(ip uint32, o BFDOptions) []bpf.Instruction {
	code := append([]bpf.Instruction{bpf.LoadIndirect{Off: ip + 6, Size: 1}}, passCarriers(o)...)
	ports, extension := bfdPorts(ip+ipheader.V6Len, o), passExtension(ip+ipheader.V6Len)
	code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: protoUDP, SkipTrue: uint8(len(extension))})
	return append(append(code, extension...), ports...)
}

func bfdIPv4(ip uint32, o BFDOptions) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.LoadIndirect{Off: ip + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: toDrop}, // the fragment's offset
		bpf.LoadIndirect{Off: ip + 9, Size: 1},
	}
	code = append(code, passCarriers(o)...)
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoUDP, SkipTrue: toDrop},
		bpf.LoadIndirect{Off: ip, Size: 1}, // version and header length
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
	)
	return append(code, bfdPorts(ip, o)...)
}

// passCarriers lets pass the protocols that may carry BFD inside.
func passCarriers(o BFDOptions) []bpf.Instruction {
	if !o.Tunnels {
		return nil
	}
	return passIf(protoGRE, protoIPv4, protoIPv6, protoMPLS)
}

// bfdPorts decides by the ports of the UDP header that stands at X + udp.
func bfdPorts(udp uint32, o BFDOptions) []bpf.Instruction {
	code := append([]bpf.Instruction{bpf.LoadIndirect{Off: udp + 2, Size: 2}},
		passIf(bfdwire.PortControl, bfdwire.PortEcho, bfdwire.PortMultihop, bfdwire.PortMicro, bfdwire.PortSBFD)...)
	if o.Tunnels {
		code = append(code, passIf(portVXLAN, portOldVXLAN, portGeneve, portMPLS)...)
	}
	return append(code,
		bpf.LoadIndirect{Off: udp, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: bfdwire.PortSBFD, SkipTrue: toAccept, SkipFalse: toDrop})
}

// passIf accepts if A is one of values.
func passIf(values ...uint32) []bpf.Instruction {
	code := make([]bpf.Instruction, len(values))
	for i, v := range values {
		code[i] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: toAccept}
	}
	return code
}
