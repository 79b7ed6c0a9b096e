package schema

import "math"

// PingRow is a target's row as Telegraf's inputs.ping (method = "native") writes it: names, types and units are
// its own (plugins/inputs/ping of Telegraf 1.37), so that its dashboards and alerts work.
type PingRow struct {
	URL         string // tag: the target as it was configured, an address or a host name
	Host        string
	Labels      []Tag
	Time        int64
	Transmitted int64 // requests
	Received    int64 // replies within the timeout
	TTL         Opt
	RTTMin      Opt // ns here, float milliseconds in the fields
	RTTMean     Opt
	RTTMax      Opt
	RTTStddev   Opt
	Percentiles []Percentile
	ResultCode  int64 // Ping…
}

// Result codes of inputs.ping.
const (
	PingReplied   = 0
	PingNoReply   = 1 // with no other field: the name has no address
	PingFailed    = 2 // nothing could be sent
	allLost       = 100.0
	nsPerMilli    = 1e6
	percentilePre = "percentile"
	percentileEnd = "_ms"
)

// Measurement implements Row.
func (*PingRow) Measurement() string { return Ping }

func (r *PingRow) visit(c *codec) {
	c.tag(TagHost, &r.Host)
	c.tag(TagURL, &r.URL)
	c.labels(&r.Labels, TagHost, TagURL)
	c.time(&r.Time)
	c.int("result_code", &r.ResultCode)
	if c.mode == encode && r.ResultCode == PingNoReply && r.Transmitted == 0 {
		return
	}
	c.int("packets_transmitted", &r.Transmitted)
	c.int("packets_received", &r.Received)
	if c.mode == encode && r.Transmitted == 0 {
		return
	}
	loss := allLost
	if r.Transmitted > 0 {
		loss = allLost * float64(r.Transmitted-r.Received) / float64(r.Transmitted)
	}
	c.float("percent_packet_loss", &loss)
	c.opt("ttl", &r.TTL)
	c.millis("minimum_response_ms", &r.RTTMin)
	c.millis("average_response_ms", &r.RTTMean)
	c.millis("maximum_response_ms", &r.RTTMax)
	c.millis("standard_deviation_ms", &r.RTTStddev)
	c.percentiles(percentilePre, percentileEnd, &r.Percentiles, c.millis)
}

// millis is a duration in nanoseconds that stands in its field as float milliseconds.
func (c *codec) millis(key string, v *Opt) {
	if c.mode == encode {
		if v.Set {
			c.p.Fields = append(c.p.Fields, Float(key, float64(v.N)/nsPerMilli))
		}
	} else if f, ok := c.field(key, KindFloat); ok {
		*v = Some(int64(math.Round(f.Value().(float64) * nsPerMilli)))
	}
}
