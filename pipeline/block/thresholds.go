package block

import (
	"reflect"
	"time"
)

// OutageConfig holds the thresholds between a silence, an outage, and people who went home.
type OutageConfig struct {
	// Memory is for how long an address that has answered counts among those that do; 14 d, as daily patterns look back.
	Memory time.Duration
	// Stray is the probability that an address answers though its block is down; 0.01/256: one in a hundred blocks has one
	// that does (Trinocular, 4.2, with 256 addresses probed at once), so that whoever answers keeps a block up.
	Stray float64
	// Dependence is the part of the evidence that counts: people come and go together, and so do the losses on a common
	// link. It is the exponent of a power likelihood (Ibrahim, Chen 2000); 0.5, set on simulated blocks.
	Dependence float64
	// Sudden is within what time the same addresses must be back for a silence at a usual hour to have been an outage; 8 h,
	// less than a night.
	Sudden time.Duration
	// Same is which share of them must be, of 5 or more; 0.6, set on simulated blocks at 5 % loss.
	Same float64
	// Resettled is after what emptiness a unit's people are others, whose hours are not known; 72 h, longer than a weekend.
	Resettled time.Duration
	// VantageLeast is how many addresses of a block must have answered before, so that its silence says something of the
	// prober's own way; 3: at 5 % loss one silence in 8,000 is chance.
	VantageLeast int
	// SpreadLeast blocks, and SpreadShare of all, that are no neighbours, are silent in one sweep and answer in the next: what
	// they have in common is when they were probed; 20 and 0.1, set on simulated uplinks.
	SpreadLeast int
	SpreadShare float64
}

// RenumberingConfig holds the thresholds between an outage and a population that went elsewhere. To look for it is IAS's (PAM
// '24); all of them are set on simulated moves.
type RenumberingConfig struct {
	Least  int     // addresses of a population; 5
	Low    float64 // share of it that must have begun to answer elsewhere by the next sweep, for some are lost, some take longer; 0.7
	High   float64 // and that may have at most; 1.3
	AtOnce float64 // share of it that begins to answer in one sweep, 0.6,
	InTwo  float64 // or in two, where it comes while one is sent; 0.9
	Parts  int     // blocks to which one population goes at most; 8
	// Unused is for how long an address must not have answered to count as taken by somebody else: those who come back to
	// their desks in the morning have been away for less; 20 h.
	Unused time.Duration
}

// RateConfig holds the thresholds of limits to the rate of answers: fewer of them at a higher rate of requests, or as many in
// each sweep, by other addresses. All are set on simulated limits.
type RateConfig struct {
	Step           float64 // factor by which the rate of requests must change to say something; 1.5
	Sweeps         int     // at one rate of which the mean is compared with that of the next; 6: an hour, every 10 minutes
	Elasticity     float64 // from which fewer answers at a higher rate are a limit; 0.2: a hard limit has 1
	ElasticityOver float64 // below which they are none any more; 0.05
	Steps          float64 // changes of the rate that say something together, those before decayed; 1.8: one up and one down
	Sure           float64 // standard deviations by which the elasticity must lie above none; 5: hardly ever by chance in a /16
	RandomShare    float64 // of the addresses that answered, that must fall silent in each sweep for a random membership; 0.15
	RandomLeast    int     // addresses of which this is asked; 8
	RandomMemory   int     // sweeps over which is counted how often it was; 24
	OftenRandom    float64 // share of these from which membership is random; 0.5
	Capped         float64 // part of the variance of independent addresses below which the count is held by a limit; 0.25
	CappedOver     float64 // and above which it is not any more; 0.6
	CappedLeast    int     // sweeps with a random membership that say so; 24
}

// ChurnConfig holds the thresholds between static addresses and those of pools, and of the hour at which a pool hands out
// others (Padmanabhan et al., Reasons Dynamic Addresses Change, IMC '16). They are set on simulated pools; the literature has
// none for echoes.
type ChurnConfig struct {
	MostMisses int           // sweeps missed in a row that loss is taken for; 8: what a loss of 29 % makes
	Irregular  float64       // changes that no other day repeats, for each day that the address was up, from which it is dynamic; 0.4
	Absent     float64       // changes between a day up and a day absent, for each active day, likewise; 0.6
	Certain    float64       // score below which an address is static whatever its neighbours are; 0.5
	Mostly     float64       // share of dynamic addresses from which a block is a pool; 0.7
	Hardly     float64       // and up to which it is none; 0.3
	Jointly    time.Duration // within which a pool's addresses are left at a renumbering; 30 m
	Unusual    float64       // times as many must be as usual at that time; 3
	Fewest     int           // and so many more; 4
	Shuffled   float64       // of what a change of all clients would exchange, from which all take part; 0.8
}

// DiurnalConfig holds the thresholds of how many answer over the day (Quan, Heidemann, Pradkin: When the Internet Sleeps,
// IMC 2014), and of whose RTTs count.
type DiurnalConfig struct {
	Strict float64 // times that the day's amplitude must be that of any bin but its harmonics; 2 (ibid.)
	// StandsOut is how far a pattern that is not strict must stand above the root mean square of the bins around it; 2.5. Of
	// noise alone the day or its harmonic is the strongest in 5 % of spans of 14 days and 23 % of 3 days; 1 % and 5 % remain.
	StandsOut float64
	Swing     float64 // of the share that answers; less is not a habit of the block; 0.02
	// Known is in which share of the half hours in which its block was seen a target must have RTTs to count in a group; 0.25.
	// One that is there at certain hours alone must not be asked of the others: its absence is no swing.
	Known float64
}

// Defaults are the thresholds of who sets none.
func Defaults() Config {
	return Config{
		Window: time.Hour, Location: time.UTC,
		Belief: 0.99, Up: 0.9, Down: 0.1, Responders: 15, Vantage: 0.5,
		Stable: 0.95, Volatile: 0.0016, LongUptime: 6 * time.Hour, Underused: 0.1, Classified: 0.2,
		Days: 3, Span: 14, Low: 500 * time.Microsecond, Mild: time.Millisecond, Severe: 3 * time.Millisecond, Targets: 3, Top: 100,
		Outage: OutageConfig{Memory: 14 * 24 * time.Hour, Stray: 0.01 / 256, Dependence: 0.5, Sudden: 8 * time.Hour, Same: 0.6,
			Resettled: 72 * time.Hour, VantageLeast: 3, SpreadLeast: 20, SpreadShare: 0.1},
		Renumbering: RenumberingConfig{Least: 5, Low: 0.7, High: 1.3, AtOnce: 0.6, InTwo: 0.9, Parts: 8, Unused: 20 * time.Hour},
		Rate: RateConfig{Step: 1.5, Sweeps: 6, Elasticity: 0.2, ElasticityOver: 0.05, Steps: 1.8, Sure: 5, RandomShare: 0.15, RandomLeast: 8,
			RandomMemory: 24, OftenRandom: 0.5, Capped: 0.25, CappedOver: 0.6, CappedLeast: 24},
		Churn: ChurnConfig{MostMisses: 8, Irregular: 0.4, Absent: 0.6, Certain: 0.5, Mostly: 0.7, Hardly: 0.3,
			Jointly: 30 * time.Minute, Unusual: 3, Fewest: 4, Shuffled: 0.8},
		Diurnal: DiurnalConfig{Strict: 2, StandsOut: 2.5, Swing: 0.02, Known: 0.25},
	}
}

// withDefaults returns c with defaults in place of what is zero.
func (c Config) withDefaults() Config {
	fill(reflect.ValueOf(&c).Elem(), reflect.ValueOf(Defaults()))
	return c
}

// fill sets the fields of to that are zero, those of structs in it likewise.
func fill(to, defaults reflect.Value) {
	for i := range to.NumField() {
		switch f := to.Field(i); {
		case f.Kind() == reflect.Struct:
			fill(f, defaults.Field(i))
		case f.IsZero():
			f.Set(defaults.Field(i))
		}
	}
}
