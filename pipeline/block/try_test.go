package block

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"echogram/plugins/schema"
)

func testConfig() *Config {
	return &Config{Location: time.UTC, Window: time.Hour, Span: 14, Days: 3, Stable: .95, Volatile: .0016, LongUptime: 6 * time.Hour, Underused: .1, Classified: .2}
}

func TestTry(t *testing.T) {
	cfg := testConfig()
	for _, days := range []int{4, 14} {
		for _, m := range makers {
			cl := map[string]int{}
			hourOK, hourBad, hourNone, perOK := 0, 0, 0, 0
			for seed := range uint64(20) {
				s := &scene{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Interval: 10 * time.Minute, Days: days, Rand: rand.New(rand.NewPCG(seed, 7))}
				b := m.make(s)
				var c churn
				day := s.Start
				b.run(s, 0.03, func(l *Look, _ Set) {
					if at := time.Unix(0, l.Time).UTC(); at.Day() != day.Day() {
						c.day(cfg, day.UnixNano())
						day = day.AddDate(0, 0, 1)
					}
					c.observe(cfg, l, Up)
				})
				d := c.day(cfg, day.UnixNano())
				var row schema.BlockChurnRow
				d.fill(&row)
				cl[row.Class]++
				switch {
				case !row.RenumberingHour.Set:
					hourNone++
				case math.Abs(math.Mod(row.RenumberingHour.F-b.hour+36, 24)-12) <= 1./6:
					hourOK++
					if row.Period.N == int64(b.period)*int64(24*time.Hour) {
						perOK++
					}
				default:
					hourBad++
					fmt.Printf("   %.2f for %.2f; %d\n", row.RenumberingHour.F, b.hour, d.readdressings[0].times)
				}
			}
			fmt.Printf("%2d %-20s %v ok %d bad %d none %d period %d\n", days, m.name, cl, hourOK, hourBad, hourNone, perOK)
		}
	}
}
