package block

import (
	"time"

	"echogram/plugins/schema"
)

// use is how the addresses of a block are used, by the measures of Heidemann et al. (Census and Survey of the Visible
// Internet, IMC '08) and Cai and Heidemann (Understanding Block-level Address Usage, SIGCOMM '10), each of an address
// since it was first seen and over the sweeps that tell:
//
//   - A: the share of sweeps in which it was up. sessions tells up from lost, so A is free of the loss that the block
//     shows: of a server that is always there, A is 1 at any loss.
//   - V: how many times it came up again for each sweep. Neither loss nor the first time it is seen counts.
//   - U: whether at least half of the times that it was up, those that last included, were of LongUptime or more. This is
//     where a median of them lies, without keeping them.
//
// Every Span days what is older counts half, and an address that has not answered since the last time is forgotten.
type use struct {
	Sessions     sessions
	Told         uint32 // sweeps that told something
	Habits       []habit
	Ever, Recent Set // places that answered within memory, and since it was halved
	Halved       int64
	Uptimes      lengths // of sessions that ended
}

// habit is what is remembered of an address. Sweeps are counted by use.Told.
type habit struct {
	First       uint32 // sweep in which it was first seen; 0: never
	Mark        uint32 // while it is down: the first sweep of that
	Down        uint32 // sweeps in which it was down before Mark
	Unknown     uint32 // sweeps since First that say nothing of it
	Rises       uint16 // times it came up again
	Long, Short uint16 // times that it was up for LongUptime or more, and for less
}

// observe takes in one sweep.
func (u *use) observe(cfg *Config, l *Look, v Verdict) {
	if !u.Sessions.observe(cfg, l, v) {
		return
	}
	u.Told++
	u.remember(cfg, l.Time)
	for len(u.Habits) < len(u.Sessions.Since) {
		u.Habits = append(u.Habits, habit{})
	}
	for _, place := range u.Sessions.unknown {
		u.Habits[place].Unknown++
	}
	for _, place := range u.Sessions.came {
		u.Habits[place].rise(u.Told)
	}
	for _, e := range u.Sessions.left {
		u.fall(cfg, e)
	}
	u.Ever.Join(l.Answered)
	u.Recent.Join(l.Answered)
}

func (h *habit) rise(sweep uint32) {
	if h.First == 0 {
		h.First = sweep
		return
	}
	h.Down += sweep - h.Mark
	h.Rises++
}

// fall takes in a session that is over. One that has no seen beginning counts only if it was long as far as it was seen.
func (u *use) fall(cfg *Config, e ended) {
	h := &u.Habits[e.place]
	h.Mark = u.Told + 1 - uint32(e.misses)
	switch long := lasted(e.since, e.until) >= cfg.LongUptime; {
	case long:
		h.Long++
	case e.whole:
		h.Short++
	default:
		return
	}
	u.Uptimes.add(e.until-e.since, 1)
}

func lasted(since, until uint32) time.Duration { return time.Duration(until-since) * time.Second }

// remember halves what is known every Span days, and drops what has not answered since.
func (u *use) remember(cfg *Config, now int64) {
	switch {
	case u.Halved == 0:
		u.Halved = now
	case now-u.Halved >= int64(cfg.Span)*int64(24*time.Hour):
		u.Halved = now
		u.Recent.Join(u.Sessions.On)
		for place := range u.Habits {
			u.Habits[place].halve(u.Told, u.Sessions.On.Has(place), u.Recent.Has(place))
		}
		u.Uptimes.halve()
		u.Ever, u.Recent = u.Recent, nil
		u.Recent.Join(u.Sessions.On)
	}
}

// halve sets First so that half of the sweeps up to told remain, told not included.
func (h *habit) halve(told uint32, up, recent bool) {
	if h.First == 0 || !recent {
		*h = habit{}
		return
	}
	if !up {
		h.Down, h.Mark = h.Down+told-h.Mark, told
	}
	known := told - h.First - h.Unknown
	h.First, h.Unknown = told-known/2, 0
	h.Down, h.Rises, h.Long, h.Short = h.Down/2, h.Rises/2, h.Long/2, h.Short/2
}

// window fills in what the block's memory shows of use: Ever, A, V, U and classes. How many Targets there are stands in the
// row. Nothing is of the window alone.
func (u *use) window(cfg *Config, row *schema.BlockStateRow) {
	row.Ever = int64(u.Ever.Len())
	u.sum(cfg, row)
	row.Class = u.class(cfg, row)
}

// sum counts the classes of the addresses and pools their A, V and U.
func (u *use) sum(cfg *Config, row *schema.BlockStateRow) {
	var known, up, rises uint64
	uptimes := append(lengths(nil), u.Uptimes...)
	for place := range u.Ever.All {
		h, a := &u.Habits[place], u.account(cfg, place)
		known, up, rises = known+uint64(a.known), up+uint64(a.up), rises+uint64(h.Rises)
		if a.lasts > 0 {
			uptimes.add(uint32(a.lasts/time.Second), 1)
		}
		if count := a.class(cfg, row); count != nil {
			*count++
		}
	}
	if known > 0 {
		row.Availability = schema.OptFloat{F: float64(up) / float64(known), Set: true}
		row.Volatility = schema.OptFloat{F: float64(rises) / float64(known), Set: true}
	}
	if n, ok := uptimes.quantile(50); ok {
		row.Uptime = schema.Some(n)
	}
}

// account is what an address comes to: sweeps known and up, how often it came up again, and its times up by length.
type account struct {
	known, up, rises, long, short uint32
	lasts                         time.Duration // that it is up; 0: it is down
}

func (u *use) account(cfg *Config, place int) account {
	h, s := &u.Habits[place], &u.Sessions
	a := account{
		known: u.Told + 1 - h.First - h.Unknown,
		rises: uint32(h.Rises), long: uint32(h.Long), short: uint32(h.Short),
	}
	down := h.Down
	if s.On.Has(place) {
		a.lasts = lasted(s.Since[place], s.Last)
	} else {
		down += u.Told + 1 - h.Mark
	}
	if a.lasts >= cfg.LongUptime {
		a.long++
	}
	a.up = a.known - min(down, a.known)
	return a
}

// class returns where an address of its class is counted; nil while it has not been up long enough to tell.
func (a *account) class(cfg *Config, row *schema.BlockStateRow) *int64 {
	share := float64(a.up) / float64(a.known)
	switch {
	case a.known == 0 || a.long+a.short == 0:
		return nil
	case share < cfg.Underused:
		return &row.Underused
	case a.long < a.short:
		return &row.Intermittent
	case share > cfg.Stable && float64(a.rises) < cfg.Volatile*float64(a.known):
		return &row.Always
	}
	return &row.Sometimes
}

// class is that of most of the block's addresses, the more stable one of two.
func (u *use) class(cfg *Config, row *schema.BlockStateRow) string {
	if row.Targets == 0 || float64(row.Ever) < cfg.Classified*float64(row.Targets) {
		return schema.UseUnclassifiable
	}
	class, most := schema.UseUnclassifiable, int64(0)
	for _, c := range []struct {
		name string
		n    int64
	}{
		{schema.UseAlways, row.Always}, {schema.UseSometimes, row.Sometimes},
		{schema.UseIntermittent, row.Intermittent}, {schema.UseUnderused, row.Underused},
	} {
		if c.n > most {
			class, most = c.name, c.n
		}
	}
	return class
}
