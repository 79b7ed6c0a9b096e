package netlab

import (
	"encoding/binary"
	"time"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// delayState is the state map's one value, in the program's layout.
type delayState struct {
	Packets, Spent uint64
	Ring           [DelaysKept]uint32 // nanoseconds, by packet
}

func (v *delayState) stats() DelayStats { return DelayStats{v.Packets, time.Duration(v.Spent)} }

// Offsets in delayState.
const (
	offDelayed = 8 * iota
	offDelays
	offRing
)

// Offsets in struct xdp_md (linux/bpf.h).
const (
	xdpData    = 0
	xdpDataEnd = 4
)

// delayEchoes is the program. R6: the frame; R7: when the program began; R8: when the frame passes, later what was
// spent; R9: the round. All times are CLOCK_MONOTONIC.
func delayEchoes(delay, state int) asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.FnKtimeGetNs.Call(),
		asm.Mov.Reg(asm.R7, asm.R0),
	}
	p = append(p, passUnlessEcho()...)
	return append(p,
		asm.LoadMapValue(asm.R1, delay, 0).WithSymbol("echo"),
		asm.LoadMem(asm.R8, asm.R1, 0, asm.DWord),
		asm.Add.Reg(asm.R8, asm.R7),
		asm.Mov.Imm(asm.R9, 0),
		asm.FnKtimeGetNs.Call().WithSymbol("spin"),
		asm.JGE.Reg(asm.R0, asm.R8, "over"),
		asm.Add.Imm(asm.R9, 1),
		asm.JLT.Imm(asm.R9, spinRounds, "spin"),

		asm.Mov.Reg(asm.R8, asm.R0).WithSymbol("over"),
		asm.Sub.Reg(asm.R8, asm.R7),
		asm.LoadMapValue(asm.R1, state, 0),
		asm.Mov.Reg(asm.R2, asm.R8),
		asm.AddAtomic.Mem(asm.R1, asm.R2, asm.DWord, offDelays),
		asm.Mov.Imm(asm.R2, 1),
		fetchAdd(asm.R1, asm.R2, offDelayed), // frames may come on several CPUs
		asm.And.Imm(asm.R2, DelaysKept-1),
		asm.LSh.Imm(asm.R2, 2),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R1, offRing, asm.R8, asm.Word),

		asm.Mov.Imm(asm.R0, 2).WithSymbol("pass"), // XDP_PASS
		asm.Return(),
	)
}

// fetchAdd adds src to a word and leaves in src what the word was.
func fetchAdd(dst, src asm.Register, offset int16) asm.Instruction {
	i := asm.FetchAdd.Mem(dst, src, asm.DWord, offset)
	i.Constant = 1 // BPF_FETCH, which Instruction.Marshal loses (v0.22.0)
	return i
}

// passUnlessEcho goes to "echo" or "pass". R2: the frame's first byte; R3: its end.
func passUnlessEcho() asm.Instructions {
	const ethernet, ipv4, ipv6 = 14, 20, 40
	// holds goes to "pass" unless the frame has more than n bytes.
	holds := func(n int32) asm.Instructions {
		return asm.Instructions{
			asm.Mov.Reg(asm.R4, asm.R2),
			asm.Add.Imm(asm.R4, n+1),
			asm.JGT.Reg(asm.R4, asm.R3, "pass"),
		}
	}
	field := func(at int16, size asm.Size) asm.Instruction { return asm.LoadMem(asm.R5, asm.R2, at, size) }
	p := asm.Instructions{
		asm.LoadMem(asm.R2, asm.R6, xdpData, asm.Word),
		asm.LoadMem(asm.R3, asm.R6, xdpDataEnd, asm.Word),
	}
	p = append(p, holds(ethernet+ipv4)...)
	p = append(p,
		field(ethernet-2, asm.Half),
		asm.JEq.Imm(asm.R5, etherType(unix.ETH_P_IPV6), "ipv6"),
		asm.JNE.Imm(asm.R5, etherType(unix.ETH_P_IP), "pass"),
		field(ethernet, asm.Byte),
		asm.JNE.Imm(asm.R5, 4<<4|ipv4/4, "pass"),
		field(ethernet+9, asm.Byte),
		asm.JNE.Imm(asm.R5, unix.IPPROTO_ICMP, "pass"),
		field(ethernet+ipv4, asm.Byte),
		asm.JNE.Imm(asm.R5, icmpEchoRequest, "pass"),
		asm.Ja.Label("echo"),
	)
	v6 := holds(ethernet + ipv6)
	v6[0] = v6[0].WithSymbol("ipv6")
	p = append(p, v6...)
	return append(p,
		field(ethernet+6, asm.Byte),
		asm.JNE.Imm(asm.R5, unix.IPPROTO_ICMPV6, "pass"),
		field(ethernet+ipv6, asm.Byte),
		asm.JNE.Imm(asm.R5, icmp6Request, "pass"),
	)
}

// etherType is a type as a program loads it from a frame.
func etherType(t uint16) int32 {
	return int32(binary.NativeEndian.Uint16([]byte{byte(t >> 8), byte(t)}))
}
