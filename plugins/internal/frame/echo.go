package frame

import (
	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
)

// Jump targets by name: link puts the distances in their place. As skips, real programs here stay far below them.
const (
	toDrop = 255 - iota
	toAccept
	toEcho
	toQuote
)

// EchoFilter returns the BPF program that lets pass, on links of the given type: ICMPv4 echo requests and
// replies with the identifier id, and ICMPv4 errors that quote an echo request with it. All else, later
// fragments included, stays in the kernel. snap is the number of bytes to keep of a frame.
func EchoFilter(id uint16, link capture.LinkType, snap uint32) []bpf.Instruction {
	ip := uint32(0)
	head := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 4, SkipTrue: toDrop},
	}
	if link == capture.LinkEthernet {
		ip = ethernetLen
		head = []bpf.Instruction{
			bpf.LoadAbsolute{Off: 12, Size: 2},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv4, SkipTrue: toDrop},
		}
	}
	icmp := []bpf.Instruction{
		bpf.LoadAbsolute{Off: ip + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMP, SkipTrue: toDrop},
		bpf.LoadAbsolute{Off: ip + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: toDrop},
		bpf.LoadMemShift{Off: ip}, // X = length of the IP header
		bpf.LoadIndirect{Off: ip, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: toEcho},   // echo reply
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 8, SkipTrue: toEcho},   // echo request
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 3, SkipTrue: toQuote},  // destination unreachable
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: toQuote},  // source quench
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 11, SkipTrue: toQuote}, // time exceeded
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 12, SkipTrue: toQuote, SkipFalse: toDrop},
	}
	echo := []bpf.Instruction{
		bpf.LoadIndirect{Off: ip + 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipTrue: toAccept, SkipFalse: toDrop},
	}
	quote := []bpf.Instruction{
		bpf.LoadIndirect{Off: ip + 8 + 9, Size: 1}, // quoted protocol
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ProtoICMP, SkipTrue: toDrop},
		bpf.LoadIndirect{Off: ip + 8, Size: 1}, // quoted version and header length
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{}, // X = both IP headers
		bpf.LoadIndirect{Off: ip + 8 + 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipTrue: toAccept, SkipFalse: toDrop},
	}
	return join(append(head, icmp...), echo, quote, snap)
}

// join joins the parts of a program, ends it with accept and drop, and resolves the named jumps.
func join(head, echo, quote []bpf.Instruction, snap uint32) []bpf.Instruction {
	at := map[uint8]int{toEcho: len(head), toQuote: len(head) + len(echo)}
	prog := append(append(head, echo...), quote...)
	at[toAccept], at[toDrop] = len(prog), len(prog)+1
	prog = append(prog, bpf.RetConstant{Val: snap}, bpf.RetConstant{Val: 0})
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
