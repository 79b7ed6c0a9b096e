package netlab

import (
	"fmt"
	"math"
	"time"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// serialiserState is the map's one value, in the program's layout.
type serialiserState struct {
	Busy, Packets, Bytes, Wire, Spent, Longest, Cut uint64
}

// Offsets in serialiserState.
const (
	offBusy = 8 * iota
	offPackets
	offBytes
	offWire
	offSpent
	offLongest
	offCut
)

// Offsets in struct __sk_buff (linux/bpf.h).
const (
	skbLen    = 0
	skbTstamp = 152
)

// taiOffset is CLOCK_TAI minus CLOCK_REALTIME: programs can read the one, frames are stamped by the other.
func taiOffset() (time.Duration, error) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return 0, fmt.Errorf("netlab: adjtimex: %w", err)
	}
	return time.Duration(t.Tai) * time.Second, nil
}

// serialiseFrames is the program. R6: context, later the round; R7: when the program began; R8: when the frame passes;
// R9: the state. All times are CLOCK_REALTIME.
func serialiseFrames(state int, bitsPerSecond int64, taiOffset time.Duration) asm.Instructions {
	const nsShift = 10 // nanoseconds a byte, as a fixed point number
	perByte := int32(math.Round(8e9 * (1 << nsShift) / float64(bitsPerSecond)))
	now := asm.Instructions{
		asm.FnKtimeGetTaiNs.Call(),
		asm.LoadImm(asm.R1, int64(taiOffset), asm.DWord),
		asm.Sub.Reg(asm.R0, asm.R1),
	}
	p := asm.Instructions{asm.Mov.Reg(asm.R6, asm.R1)}
	p = append(p, now...)
	p = append(p,
		asm.Mov.Reg(asm.R7, asm.R0),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.LoadMapPtr(asm.R1, state),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.Mov.Reg(asm.R9, asm.R0),

		// R8: the arrival; a frame without a stamp arrives when the program sees it.
		asm.LoadMem(asm.R8, asm.R6, skbTstamp, asm.DWord),
		asm.JEq.Imm(asm.R8, 0, "unstamped"),
		asm.JLE.Reg(asm.R8, asm.R7, "arrived"),
		asm.Mov.Reg(asm.R8, asm.R7).WithSymbol("unstamped"),
		asm.StoreMem(asm.RFP, -16, asm.R8, asm.DWord).WithSymbol("arrived"),

		// R8: the start. Busy beyond the present comes from a clock that was set back.
		asm.LoadMem(asm.R1, asm.R9, offBusy, asm.DWord),
		asm.JGT.Reg(asm.R1, asm.R7, "idle"),
		asm.JGE.Reg(asm.R8, asm.R1, "idle"),
		asm.Mov.Reg(asm.R8, asm.R1),

		asm.LoadMem(asm.R2, asm.R6, skbLen, asm.Word).WithSymbol("idle"),
		asm.LoadMem(asm.R1, asm.R9, offBytes, asm.DWord),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R9, offBytes, asm.R1, asm.DWord),
		asm.JGE.Imm(asm.R2, minFrame, "long"),
		asm.Mov.Imm(asm.R2, minFrame),
		asm.Add.Imm(asm.R2, frameOverhead).WithSymbol("long"),
		asm.Mul.Imm(asm.R2, perByte),
		asm.RSh.Imm(asm.R2, nsShift),
		asm.Add.Reg(asm.R8, asm.R2),
		asm.StoreMem(asm.R9, offBusy, asm.R8, asm.DWord),
		asm.LoadMem(asm.R1, asm.R9, offWire, asm.DWord),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R9, offWire, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.R9, offPackets, asm.DWord),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R9, offPackets, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R6, 0),
	)
	spin := append(asm.Instructions{}, now...)
	spin[0] = spin[0].WithSymbol("spin")
	p = append(p, spin...)
	return append(p,
		asm.JGE.Reg(asm.R0, asm.R8, "over"),
		asm.Add.Imm(asm.R6, 1),
		asm.JLT.Imm(asm.R6, spinRounds, "spin"),
		asm.LoadMem(asm.R1, asm.R9, offCut, asm.DWord),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R9, offCut, asm.R1, asm.DWord),

		asm.Mov.Reg(asm.R2, asm.R0).WithSymbol("over"),
		asm.Sub.Reg(asm.R2, asm.R7),
		asm.LoadMem(asm.R1, asm.R9, offSpent, asm.DWord),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R9, offSpent, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, -16, asm.DWord),
		asm.Sub.Reg(asm.R0, asm.R1),
		asm.LoadMem(asm.R1, asm.R9, offLongest, asm.DWord),
		asm.JGE.Reg(asm.R1, asm.R0, "pass"),
		asm.StoreMem(asm.R9, offLongest, asm.R0, asm.DWord),

		asm.Mov.Imm(asm.R0, -1).WithSymbol("pass"), // TCX_NEXT
		asm.Return(),
	)
}
