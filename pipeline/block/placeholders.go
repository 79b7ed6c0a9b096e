package block

import "echogram/plugins/schema"

// The analysers of one block. These stand in for the real ones, which have the same methods.

type use struct{ Sweeps int64 }

func (u *use) observe(_ *Config, _ *Look, v Verdict) {
	if v != Doubted {
		u.Sweeps++
	}
}

func (u *use) window(_ *Config, row *schema.BlockStateRow) {
	row.Class = schema.UseUnclassifiable
	u.Sweeps = 0
}

type churn struct{ Sweeps int64 }

func (c *churn) observe(_ *Config, _ *Look, v Verdict) {
	if v != Doubted {
		c.Sweeps++
	}
}

func (c *churn) day(_ *Config, _ int64) churnDay {
	d := churnDay{sweeps: c.Sweeps}
	c.Sweeps = 0
	return d
}

type churnDay struct{ sweeps int64 }

func (d *churnDay) merge(o *churnDay)              { d.sweeps += o.sweeps }
func (d *churnDay) fill(row *schema.BlockChurnRow) { row.Peak = d.sweeps }

type daily struct{ Sweeps int64 }

func (d *daily) observe(_ *Config, _ *Look, v Verdict) {
	if v != Doubted {
		d.Sweeps++
	}
}

func (d *daily) day(_ *Config, _ int64) dailyDay { return dailyDay{slots: d.Sweeps} }

func sumDaily(_ *Config, _ int64, blocks []*daily) (sum dailyDay) {
	for _, d := range blocks {
		sum.slots += d.Sweeps
	}
	return sum
}

type dailyDay struct{ slots int64 }

func (d *dailyDay) fill(row *schema.BlockDailyRow) { row.Slots = d.slots }

func (d *daily) targets(_ *Config, _ int64) []targetDay {
	return []targetDay{{place: 1, amplitude: float64(d.Sweeps), dailyDay: dailyDay{slots: d.Sweeps}}}
}

// targetDay is a dailyDay of one place; its amplitude is in ns of RTT.
type targetDay struct {
	place     int
	amplitude float64
	dailyDay
}
