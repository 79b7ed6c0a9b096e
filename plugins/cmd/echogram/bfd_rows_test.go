package main

import (
	"fmt"

	"echogram/plugins/schema"
)

// Hand-made rows: a session between two routers that flapped once, with echoes of both over a way of 12 ms.

const bfdStart = 1_700_000_000_000_000_000

func bfdSeries(local, peer string) schema.BFDSeries {
	return schema.BFDSeries{Host: "prober", Instance: "bfd", VLAN: "100", Local: local, Peer: peer, Hop: "single", Family: "ipv4"}
}

func bfdDirection(local, peer string) *schema.BFDSessionRow {
	return &schema.BFDSessionRow{
		BFDSeries: bfdSeries(local, peer), Time: bfdStart, State: "Up", StateCode: 3, Diagnostic: "No Diagnostic",
		Discriminator: 3686154791, PeerDiscriminator: 2649500503, DesiredMinTX: 300e6, RequiredMinRX: 300e6, RequiredMinEchoRX: 50e6,
		DetectMult: 3, Interval: schema.Some(300e6), DetectionTime: schema.Some(900e6), TTL: 255, Packets: 1043, Polls: 1, Finals: 2,
		Intervals: schema.Intervals{
			Count: 1030, Min: schema.Some(226.1e6), Mean: schema.Some(262.4e6), Max: schema.Some(601.2e6), Stddev: schema.Some(21.4e6),
			RatioMin: schema.OptFloat{F: .7537, Set: true}, RatioMax: schema.OptFloat{F: 2.004, Set: true},
			Late: 3, LateMax: schema.Some(301.2e6), EarlyMax: schema.Some(0),
		},
		Missing: 3, MaxGap: schema.Some(601.2e6), DetectMargin: schema.OptFloat{F: .332, Set: true}, NearMisses: 2,
		ControlRTT: schema.Some(13.7e6), ControlRTTs: 1, Transitions: 5, Flaps: 1, FlapsTotal: 1, Outage: schema.Some(1.874e9),
	}
}

func bfdEchoes(local, peer, role string, rtt int64) *schema.BFDEchoRow {
	return &schema.BFDEchoRow{
		BFDEchoSeries: schema.BFDEchoSeries{
			BFDSeries: bfdSeries(local, peer), InitiatorMAC: "02:00:00:00:00:01", ReflectorMAC: "02:00:00:00:00:02",
			Layout: "frr-ts", TapRole: role,
		},
		Time: bfdStart, Sent: 6210, Returned: 6201, Unanswered: 9, InFlight: 1, Duplicates: 1, Window: 1e9, Pairing: "identity",
		RTTMin: schema.Some(rtt), RTTMean: schema.Some(rtt + rtt/16), RTTP50: schema.Some(rtt + rtt/20), RTTP95: schema.Some(rtt + rtt/8),
		RTTP99: schema.Some(rtt + rtt/4), RTTMax: schema.Some(2 * rtt), PDVP95: schema.Some(rtt / 8), PDVMax: schema.Some(rtt),
		IPDVMean: schema.Some(rtt / 32), RTTFull: schema.Some(12_345_678),
		Intervals: schema.Intervals{Count: 6200, Min: schema.Some(37.6e6), Mean: schema.Some(43.9e6), Max: schema.Some(50.3e6),
			RatioMin: schema.OptFloat{F: .752, Set: true}, RatioMax: schema.OptFloat{F: 1.006, Set: true}},
	}
}

// bfdSample is a session between a and b as seen at a, and all that comes with it.
func bfdSample(a, b string) []schema.Row {
	there, back := bfdDirection(a, b), bfdDirection(b, a)
	back.NoJitter, back.SlowTimerEcho, back.AuthType, back.MissingSequence = 20, 1, 5, schema.Some(3)
	back.DetectionMeasured = schema.Some(900.1e6)
	event := func(kind string, at int64, local, peer, from, to string) *schema.BFDEventRow {
		return &schema.BFDEventRow{BFDSeries: bfdSeries(local, peer), Event: kind, Time: bfdStart + at, From: from, To: to}
	}
	flap := event(schema.BFDEventFlap, 101_500_100_000, b, a, "Up", "Down")
	flap.DiagnosticCode, flap.Diagnostic, flap.PeerDiagnostic = schema.Some(1), "Control Detection Time Expired", "Neighbor Signaled Session Down"
	flap.PeerState, flap.DetectionMeasured, flap.DetectionTime = "Down", schema.Some(900.1e6), schema.Some(900e6)
	state := *flap
	state.Event = schema.BFDEventState
	up := event(schema.BFDEventUp, 103_374_000_000, a, b, "Init", "Up")
	up.Outage = schema.Some(1.874e9)
	near := event(schema.BFDEventNearMiss, 3_800_000_000_000, a, b, "", "")
	near.Gap, near.DetectionTime, near.Missed = schema.Some(601.2e6), schema.Some(900e6), schema.Some(1)
	timers := event(schema.BFDEventTimers, 4_000_000_000_000, b, a, "", "")
	timers.Text = "other timers: desired min TX 300 ms, required min RX 300 ms, required min echo RX 50 ms, detect multiplier 3"
	return []schema.Row{
		event(schema.BFDEventState, 0, a, b, "", "Down"), event(schema.BFDEventState, 204_512_000, a, b, "Down", "Up"), &state, flap, up, near, timers,
		there, back, bfdEchoes(a, b, "initiator", 12_100_000), bfdEchoes(b, a, "reflector", 13_234),
		&schema.BFDStatsRow{Time: bfdStart, Packets: 26901, Control: 2086, Echo: 24815, OtherFrames: 14, QuotedInICMP: 3, Truncated: 2,
			InvalidDetectMult: 4, Sessions: 1, EchoStreams: 2},
	}
}

// oneWay is a capture of one direction, without echoes.
func oneWay() []schema.Row {
	r := bfdDirection("2001:db8::1", "2001:db8:0:1:2:3:4444:5555")
	r.Interval, r.DetectionTime, r.Intervals, r.MaxGap, r.DetectMargin = schema.Opt{}, schema.Opt{}, schema.Intervals{}, schema.Opt{}, schema.OptFloat{}
	r.ControlRTT, r.Outage, r.Flaps, r.FlapsTotal, r.VLAN, r.Tap, r.Hop = schema.Opt{}, schema.Opt{}, 0, 0, "", "core", "multi"
	return []schema.Row{r, &schema.BFDStatsRow{Time: bfdStart, Packets: 43, Control: 43, Sessions: 1}}
}

// manySessions are n healthy sessions but for a few.
func manySessions(n int) []schema.Row {
	rows := []schema.Row{&schema.BFDStatsRow{Time: bfdStart, Packets: 2 * int64(n), Control: 2 * int64(n)}}
	for i := range n {
		a, b := fmt.Sprintf("10.%d.%d.1", i/250, i%250), fmt.Sprintf("10.%d.%d.2", i/250, i%250)
		for _, r := range []*schema.BFDSessionRow{bfdDirection(a, b), bfdDirection(b, a)} {
			if i != 7 {
				r.Flaps, r.FlapsTotal, r.NearMisses, r.Missing = 0, 0, 0, 0
				r.DetectMargin.F = .66 + float64(i%10)/1000
			}
			if i == 3 {
				r.State = "Down"
			}
			r.VLAN = ""
			rows = append(rows, r)
		}
	}
	e := bfdEchoes("10.0.7.1", "10.0.7.2", "initiator", 13_234)
	e.VLAN = ""
	return append(rows, e)
}
