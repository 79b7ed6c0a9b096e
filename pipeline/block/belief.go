package block

import (
	"math"
	"time"
)

// What the belief is made of.
const (
	// stray is the probability that an address answers though its block is down: one in a hundred blocks has an address
	// that does (Trinocular, 4.2, with 256 addresses probed at once), so that whoever answers keeps a block up.
	stray = 1e-2 / 256
	// dependence is the part of the evidence that counts: people come and go together, and so do the losses on a common
	// link. It is the exponent of a power likelihood (Ibrahim, Chen 2000).
	dependence = 0.5
	// together is the least probability that a block that is up falls silent within a sweep, however many its
	// addresses: what is common to them all happens.
	together = 1e-4
	// fresh is for how many sweeps the silence of an address that did answer says something of its block.
	fresh = 6
	// memory is for how long an address that has answered counts among those that do.
	memory = 14 * 24 * time.Hour
	// halfBlock is the number of addresses of half a block of IPv4.
	halfBlock = 128
	// learning is the weight of one sweep in an address's own habits.
	learning = 1.0 / 64
)

// placeState is what is known of one address of a block.
type placeState struct {
	Seen  uint32 // minutes since 1970 of the sweep in which it answered last; 0: never
	Quiet uint8  // sweeps since then, fresh at most
	Begun bool   // it began to answer in the last sweep, after two or more without
	Taken bool   // and it had not been in use before
	Own   habits
}

// habits are those of an address, or of the addresses of a block in the mean.
type habits struct {
	Fall float32 // probability that it does not answer in the sweep after one in which it did
	Back float32 // and that it answers again in one of the sweeps that follow, each
}

func minutes(t int64) uint32 { return uint32(t / int64(time.Minute)) }

// clampTo keeps probabilities away from what a short history would claim.
func clampTo(p float32, low, high float64) float64 { return min(max(float64(p), low), high) }

// learn takes a sweep in which of was that had answered falls fell silent, and of quiet that had lately fallen silent backs
// came back.
func (h *habits) learn(was, falls, quiet, backs int) {
	const weight = 1.0 / 24
	if was > 0 {
		h.Fall += weight * (float32(falls)/float32(was) - h.Fall)
	}
	if quiet > 0 {
		h.Back += weight * (float32(backs)/float32(quiet) - h.Back)
	}
}

// silence is the logarithm of the probability that the address does not answer in this sweep, while its block is up. An
// address learns its own habits over many sweeps; where those around it fall silent more often, or come back more seldom,
// so may it: what befell them all, as a limit to the rate of answers does, is not in its own habits yet.
func (p *placeState) silence(around habits) float64 {
	switch {
	case p.Seen == 0 || p.Quiet >= fresh:
		return 0
	case p.Quiet == 0:
		return math.Log(clampTo(max(p.Own.Fall, around.Fall), 0.01, 0.95))
	default:
		return math.Log1p(-clampTo(min(p.Own.Back, around.Back), 0.02, 0.95))
	}
}

// joined are the habits of whoever falls silent as easily as one of both, and comes back as seldom.
func (h habits) joined(o habits) habits { return habits{max(h.Fall, o.Fall), min(h.Back, o.Back)} }

// observe learns from a sweep in which the block was up. What is typical of its block is where it begins.
func (p *placeState) observe(answered bool, now uint32, typical *habits) {
	got := float32(0)
	if answered {
		got = 1
	}
	switch {
	case p.Seen == 0:
		p.Own.Fall, p.Own.Back = typical.Fall, typical.Back
	case p.Quiet == 0:
		p.Own.Fall += learning * (1 - got - p.Own.Fall)
	case p.Quiet < fresh:
		p.Own.Back += learning * (got - p.Own.Back)
	}
	p.note(answered, now)
}

// note only notes whether the address answers.
func (p *placeState) note(answered bool, now uint32) {
	p.Begun = answered && p.silentFor(2)
	p.Taken = p.Begun && p.free(now)
	if answered {
		p.Seen, p.Quiet = now, 0
	} else if p.Quiet < fresh {
		p.Quiet++
	}
}

// silentFor tells whether the address has not answered in the last so many sweeps.
func (p *placeState) silentFor(sweeps uint8) bool { return p.Seen == 0 || p.Quiet >= sweeps }

// free tells whether the address has not been in use.
func (p *placeState) free(now uint32) bool {
	return p.Seen == 0 || now-p.Seen > uint32(unused/time.Minute)
}

// ever tells whether the address has answered within memory.
func (p *placeState) ever(now uint32) bool {
	return p.Seen != 0 && now-p.Seen <= uint32(memory/time.Minute)
}

// update is the belief that a unit is up after a sweep in which answers of its addresses answered, when silence is the
// logarithm of the probability that the others do not, while it is up (Bayes; Trinocular, 4.2: B' = P(answers|up)·B /
// (P(answers|up)·B + P(answers|down)·(1−B)), kept within 0.01 and 0.99 so that it can always turn).
func update(belief, silence float64, answers int) float64 {
	odds := belief / (1 - belief) * math.Exp(max(math.Log(together), dependence*silence))
	odds *= math.Pow(1/stray, float64(min(answers, 3)))
	return min(max(odds/(1+odds), 0.01), 0.99)
}
