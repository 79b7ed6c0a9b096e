package path

import (
	"fmt"
	"math"
)

// Estimate says what m tells beside cal, which may be nil. The error is a *FactsError: what was measured under different
// facts is not compared.
func (cfg Config) Estimate(m *Measurement, cal *Calibration) (*Estimate, error) {
	cfg = cfg.withDefaults()
	e := &Estimate{Measurement: m}
	if cal == nil {
		cal = &Calibration{}
	}
	for i := range cal.Known {
		if err := m.Facts.Differ(&cal.Known[i].Facts); err != nil {
			err.Reference = cal.Known[i].Name
			return nil, err
		}
	}
	if len(m.Sizes) == 0 {
		e.fail("no probe was answered")
		return e, nil
	}
	cfg.readSlope(e, cal)
	cfg.readOffset(e, cal)
	e.combine()
	if len(e.Reasons) == 0 && e.Hops == nil && e.Cable == nil {
		e.fail("one frame size shows no slope, and there is no reference")
	}
	e.Told = len(e.Reasons) == 0
	return e, nil
}

func (e *Estimate) fail(format string, args ...any) {
	e.Reasons = append(e.Reasons, fmt.Sprintf(format, args...))
}

func (e *Estimate) note(format string, args ...any) {
	e.Notes = append(e.Notes, fmt.Sprintf(format, args...))
}

// readSlope counts by the slope over frame size.
func (cfg *Config) readSlope(e *Estimate, cal *Calibration) {
	s, ok := e.slope()
	if !ok {
		return
	}
	e.Slope, e.SlopeErr = s.interval(), s.sd
	var known *Known
	for i := range cal.Known {
		if k := &cal.Known[i]; k.Hops >= 0 && len(k.Sizes) > 1 && known == nil {
			known = k
		}
	}
	e.BySlope = cfg.bySlope(e.Measurement, known)
}

// readOffset sets the target's smallest size against the reference's.
func (cfg *Config) readOffset(e *Estimate, cal *Calibration) {
	own := &e.Sizes[0]
	model := cfg.learn(cal, own)
	base := (*Known)(nil)
	if model != nil {
		base = model.base
	}
	for i := range cal.Known { // one of unknown hops serves, too, for metres
		if base == nil && cal.Known[i].at(own.Payload) != nil {
			base = &cal.Known[i]
		}
	}
	if base == nil {
		if len(cal.Known) > 0 {
			e.fail("no reference was measured with %d bytes of payload", own.Payload)
		}
		return
	}
	reference := base.at(own.Payload)
	offset := own.Level.minus(&reference.Level, base.Paired)
	e.Reference = base.Name
	if math.IsInf(offset.sd, 1) {
		e.fail("too few RTTs for an error: at least %d to the target and to its reference", leastBatchSize*leastBatches)
		return
	}
	e.Offset = offset.interval()
	if model == nil || model.delay.mean == 0 {
		if base.Hops >= 0 && e.BySlope != nil && (!e.BySlope.Told || e.BySlope.Hops != base.Hops) {
			return // nothing says what the switches between take, or that there are none
		}
		e.note("as many switches as to the reference %q are assumed: nothing says what one delays by", base.Name)
		e.Cable = cfg.cable(offset, base.Metres)
		return
	}
	e.HopDelay = model.delay.interval()
	level := normal{mean: own.Level.Value, sd: own.Level.err(), freedom: offset.freedom}
	switch {
	case model.own != nil:
		level = *model.own
	case model.base.Paired && cfg.HopDelay > 0: // the difference is known better than both
		level = normal{mean: reference.Level.Value + offset.mean, sd: offset.sd, freedom: offset.freedom}
		model.level.sd = 0
	case !model.paired:
		level.sd *= betweenRuns
	}
	e.ByOffset = cfg.byOffset(level, model, &e.Facts)
	if e.ByOffset.Told {
		rest := model.beyond(level, e.ByOffset.Hops)
		rest.mean -= base.Metres * cfg.NsPerMetre
		e.Cable = cfg.cable(rest, base.Metres)
	}
}

// cable is metres one way, of what remains beyond a reference and the switches.
func (cfg *Config) cable(rest normal, reference float64) *Interval {
	i := rest.interval()
	metres := reference + i.Value/cfg.NsPerMetre
	half := math.Hypot(i.High-i.Value, 1.96*cfg.Velocity*i.Value) / cfg.NsPerMetre
	return &Interval{metres, metres - half, metres + half}
}

// combine makes one count of two.
func (e *Estimate) combine() {
	slope, offset := e.BySlope, e.ByOffset
	switch {
	case slope == nil && offset == nil:
		return
	case slope == nil || offset != nil && offset.Told && !slope.Told:
		e.Hops = offset
	case offset == nil || slope.Told && !offset.Told:
		e.Hops = slope
	case slope.Told && slope.Hops != offset.Hops:
		e.Hops = &Count{Hops: slope.Hops, RunnerUp: offset.Hops, Rate: slope.Rate, Why: fmt.Sprintf(
			"the slope tells of %d switches, the offset of %d: some cut through, or something else delays", slope.Hops, offset.Hops)}
		e.Cable = nil
	case slope.Confidence > offset.Confidence:
		e.Hops = slope
	default:
		e.Hops = offset
	}
	if !e.Hops.Told {
		e.fail("%s", e.Hops.Why)
	}
	if offset != nil && !offset.Told && e.Hops.Told {
		e.note("by the offset: %s", offset.Why)
	}
	if slope != nil && !slope.Told && e.Hops.Told {
		e.note("by the slope: %s", slope.Why)
	}
}
