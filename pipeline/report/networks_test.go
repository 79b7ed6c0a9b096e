package report

import (
	"bytes"
	"flag"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// begun is when the network of these tests was first swept: a Monday, 00:00 UTC.
const begun = int64(1768176000e9)

// worldConfig is a small network with a day's rhythm, outages and a pool whose addresses move.
type worldConfig struct {
	network  netip.Prefix
	sweeps   int
	interval time.Duration
	seed     uint64
}

var small = worldConfig{network: netip.MustParsePrefix("198.18.16.0/21"), sweeps: 14 * 24, interval: time.Hour, seed: 7}

// rows hands each target's row, sweep by sweep.
func (w worldConfig) rows(take func(*schema.RTTSeries, *schema.SweepRow)) {
	rng := rand.New(rand.NewPCG(w.seed, 0))
	n := 1 << (32 - w.network.Bits())
	all := make([]schema.RTTSeries, n)
	base := make([]float64, n) // ns; 0: never answers
	for i := range all {
		addr := addrAt(w.network, i)
		all[i].Series = schema.Series{Host: "edge1", Instance: "lab", Network: w.network.String(), Block: blockOf(addr), Target: addr.String()}
		if block := i >> 8; rng.Float64() < []float64{0.55, 0.1, 0.8, 0.02, 0.35, 0.6, 0, 0.25}[block&7] {
			base[i] = 4e6 * math.Exp(1.3*math.Sin(2.3*float64(block))+0.25*rng.NormFloat64())
		}
	}
	for sweep := range w.sweeps {
		at := begun + int64(sweep)*int64(w.interval)
		evening := math.Pow(math.Max(0, math.Cos((time.Duration(at-begun).Hours()-20)/24*2*math.Pi)), 3)
		for i := range all {
			row := schema.SweepRow{Time: at, Sent: 1, ResultCode: schema.ResultSilent}
			switch draw := rng.Float64(); {
			case i>>8&7 == 6 && i&63 == 0:
				row.ResultCode = schema.ResultICMPError
			case base[i] == 0 || w.out(i>>8, at):
			case i>>8&7 == 5 && draw > 0.3+0.6*evening: // people who come home
			case draw < 0.97:
				row.Received, row.ResultCode = 1, schema.ResultAnswered
				row.RTT = schema.Some(int64(base[i] * (1 + evening*0.6*float64(i>>8&1) + 0.05*rng.ExpFloat64())))
			case draw < 0.98:
				row.Late = 1
			}
			take(&all[i], &row)
		}
	}
}

// outages are the blocks that are out, from and to in hours.
var outages = []struct {
	block    int
	from, to float64
	half     bool
	open     bool
}{{0, 30, 41, false, false}, {2, 100, 101, false, false}, {2, 210, 230, true, false}, {4, 300, 336, false, true}}

func (w worldConfig) out(block int, at int64) bool {
	hour := time.Duration(at - begun).Hours()
	for _, o := range outages {
		if block == o.block && hour >= o.from && hour < o.to && !o.half {
			return true
		}
	}
	return false
}

// analytics are rows of block analytics about it.
func (w worldConfig) analytics(take func(schema.Row)) {
	block := func(i int) schema.BlockSeries {
		return schema.BlockSeries{Host: "edge1", Instance: "lab", Group: schema.GroupBlock, Network: w.network.String(),
			Block: blockOf(addrAt(w.network, i<<8))}
	}
	hours := func(h float64) int64 { return int64(h * float64(time.Hour)) }
	for _, o := range outages {
		s := block(o.block)
		row := schema.BlockOutageRow{BlockSeries: s, Event: schema.EventOutage, Time: begun + hours(o.from), Prefix: s.Block,
			Open: o.open, Duration: hours(o.to - o.from), Uncertain: hours(1), Addresses: 120}
		if o.half {
			row.Prefix = netip.PrefixFrom(netip.MustParsePrefix(s.Block).Addr(), 25).String()
		}
		if !o.open {
			begins := row
			begins.Open, begins.Duration = true, 0
			take(&begins)
		}
		take(&row)
	}
	take(&schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Host: "edge1", Instance: "lab", Group: schema.GroupNetwork, Network: w.network.String()},
		Event: schema.EventVantage, Time: begun + hours(150), Duration: hours(5), Uncertain: hours(1)})
	take(&schema.BlockOutageRow{BlockSeries: block(5), Event: schema.EventRenumbering, Time: begun + hours(171), Duration: hours(2),
		Uncertain: hours(1), To: block(7).Block})
	take(&schema.BlockOutageRow{BlockSeries: block(7), Event: schema.EventRateLimit, Time: begun + hours(60), Duration: hours(9), Uncertain: hours(1)})
	rng := rand.New(rand.NewPCG(w.seed, 1))
	for d := range 14 {
		for b := range 8 {
			row := schema.BlockChurnRow{BlockSeries: block(b), Time: begun + int64(d)*int64(day), Days: int64(d + 1), Addresses: int64(20*b + rng.IntN(9)),
				Peak: int64(18 * b), Joined: int64(3*b + rng.IntN(9)), Left: int64(3*b + rng.IntN(9)), Sessions: int64(3*b + rng.IntN(5)),
				Static: int64(9 * b), Dynamic: int64(8 * b), Class: schema.ChurnMixed}
			if b == 5 && d%3 == 1 {
				row.Renumbered, row.RenumberingHour, row.Period = 77, schema.OptFloat{F: 3, Set: true}, schema.Some(3*int64(day))
			}
			take(&row)
		}
	}
}

// collected is all of it in a Collection.
func (w worldConfig) collected(t *testing.T, c CollectionConfig) *Collection {
	t.Helper()
	all := NewCollection(c)
	w.rows(all.Add)
	w.analytics(all.Row)
	all.Finish()
	return all
}

var picturesTo = flag.String("pictures", "", "write the pictures of an example network into this folder")

// TestExamplePictures draws all kinds but animations. The README's are made by: go test ./pipeline/report -run ExamplePictures -pictures DIR
func TestExamplePictures(t *testing.T) {
	w := worldConfig{network: netip.MustParsePrefix("198.18.16.0/20"), sweeps: small.sweeps, interval: small.interval, seed: small.seed}
	kinds := Kinds()
	if *picturesTo == "" {
		kinds = slices.DeleteFunc(kinds, func(k Kind) bool { return k == Animation }) // it takes long, and has its own tests
	}
	pictures := w.collected(t, CollectionConfig{}).Pictures(kinds, 0)
	if len(pictures) != len(kinds) {
		t.Errorf("%d pictures of %d kinds", len(pictures), len(kinds))
	}
	for _, p := range pictures {
		var b bytes.Buffer
		f := p.Formats()[0]
		if err := p.Write(&b, f); err != nil {
			t.Fatal(err)
		}
		if f == PNG && b.Len() > 150_000 {
			t.Errorf("%s has %d bytes", p.Name, b.Len())
		}
		if *picturesTo == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(*picturesTo, p.Name+"."+string(f)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
