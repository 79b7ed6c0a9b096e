package frame

import (
	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/ipheader"
)

// Jump targets by name: join puts the distances in their place. As skips, real programs here stay far below them.
const (
	toDrop = 255 - iota
	toAccept
	toIPv4
	toExtension
	toQuote
	toID
)

// part is a stretch of a program, and the name by which parts before it jump to it.
type part struct {
	name uint8
	code []bpf.Instruction
}

// EchoFilter returns the BPF program that lets pass, on Ethernet and on links without a header (no other comes from
// a kernel): echo requests and replies of both families with the identifier id, and errors that quote an echo
// request with it. All else, later fragments included, stays in the kernel, but for IPv6 packets, or quotes of
// them, with extension headers: user space walks these. snap is the number of bytes to keep of a frame.
//
// The program keeps in X where behind the start of the (outer) IP header the next header begins.
func EchoFilter(id uint16, link capture.LinkType, snap uint32) []bpf.Instruction {
	ip := uint32(0)
	version := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: toIPv4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 6, SkipTrue: toDrop},
	}
	if link == capture.LinkEthernet {
		ip = ethernetLen
		version = []bpf.Instruction{
			bpf.LoadAbsolute{Off: 12, Size: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv4, SkipTrue: toIPv4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: toDrop},
		}
	}
	return join(snap,
		part{code: version},
		part{code: echoIPv6(ip)},
		part{toExtension, passExtension(ip)},
		part{toIPv4, echoIPv4(ip)},
		part{toQuote, quoteIPv4(ip)},
		part{toID, []bpf.Instruction{ // X is where an echo header begins
			bpf.LoadIndirect{Off: ip + 4, Size: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipTrue: toAccept, SkipFalse: toDrop},
		}},
	)
}

// echoIPv6 goes on to the identifier of an ICMPv6 echo message, or of the one that an error quotes; with another
// header than ICMPv6 behind an IPv6 header it runs into passExtension.
func echoIPv6(ip uint32) []bpf.Instruction {
	const icmp, quote = ipheader.V6Len, ipheader.V6Len + icmpecho.HeaderLen
	return []bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegX, Val: icmp},
		bpf.LoadAbsolute{Off: ip + 6, Size: 1}, // next header
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMPv6, SkipTrue: toExtension},
		bpf.LoadAbsolute{Off: ip + icmp, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.Type6EchoRequest, SkipTrue: toID},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.Type6EchoReply, SkipTrue: toID},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: icmpecho.Type6Unreachable, SkipTrue: toDrop},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: icmpecho.Type6ParameterProblem, SkipTrue: toDrop},
		bpf.LoadConstant{Dst: bpf.RegX, Val: quote + ipheader.V6Len},
		bpf.LoadAbsolute{Off: ip + quote + 6, Size: 1}, // quoted next header
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ProtoICMPv6, SkipTrue: toID},
	}
}

// passExtension lets pass what the protocol number in A says to be an extension header, unless it is a later fragment's.
func passExtension(ip uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ipheader.ExtHopByHop, SkipTrue: toAccept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ipheader.ExtRouting, SkipTrue: toAccept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: ipheader.ExtDestination, SkipTrue: toAccept},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ipheader.ExtFragment, SkipTrue: toDrop},
		bpf.LoadIndirect{Off: ip + 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0xfff8, SkipTrue: toDrop, SkipFalse: toAccept}, // the offset
	}
}

func echoIPv4(ip uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: ip + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMP, SkipTrue: toDrop},
		bpf.LoadAbsolute{Off: ip + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: toDrop}, // the fragment's offset
		bpf.LoadMemShift{Off: ip},                                        // X = length of the IP header
		bpf.LoadIndirect{Off: ip, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeEchoReply, SkipTrue: toID},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeEchoRequest, SkipTrue: toID},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeUnreachable, SkipTrue: toQuote},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeSourceQuench, SkipTrue: toQuote},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeTimeExceeded, SkipTrue: toQuote},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpecho.TypeParameterProblem, SkipTrue: toQuote, SkipFalse: toDrop},
	}
}

// quoteIPv4 moves X from an error to the echo header that it quotes.
func quoteIPv4(ip uint32) []bpf.Instruction {
	quote := ip + icmpecho.HeaderLen
	return []bpf.Instruction{
		bpf.LoadIndirect{Off: quote + 9, Size: 1}, // quoted protocol
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMP, SkipTrue: toDrop},
		bpf.LoadIndirect{Off: quote, Size: 1}, // quoted version and header length
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: icmpecho.HeaderLen},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
	}
}

// join joins the parts of a program, ends it with accept and drop, and resolves the named jumps.
func join(snap uint32, parts ...part) []bpf.Instruction {
	parts = append(parts,
		part{toAccept, []bpf.Instruction{bpf.RetConstant{Val: snap}}},
		part{toDrop, []bpf.Instruction{bpf.RetConstant{Val: 0}}})
	at := map[uint8]int{}
	var prog []bpf.Instruction
	for _, p := range parts {
		if p.name != 0 {
			at[p.name] = len(prog)
		}
		prog = append(prog, p.code...)
	}
	for i := range prog {
		jump, ok := prog[i].(bpf.JumpIf)
		if !ok {
			continue
		}
		if to, named := at[jump.SkipTrue]; named {
			jump.SkipTrue = uint8(to - i - 1)
		}
		if to, named := at[jump.SkipFalse]; named {
			jump.SkipFalse = uint8(to - i - 1)
		}
		prog[i] = jump
	}
	return prog
}
