package main

import (
	"context"
	"fmt"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// bfdUpTime is how long the session may take to come up.
const bfdUpTime = 20 * time.Second

// startBFD starts FRR at both ends of the lab's link, and waits for their session. The prober's end sends echoes.
func (r *run) startBFD(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bfdUpTime)
	defer cancel()
	routers := r.lab.Routers()
	// FRR must not miss its detection time while sweeps and database have the machine.
	const detectMult = 10
	for _, end := range []struct{ of, other netlab.Router }{{routers.A, routers.B}, {routers.B, routers.A}} {
		peer := end.of.Peer(end.other, false)
		peer.DetectMult = detectMult
		peer.Echo, peer.EchoTransmit, peer.EchoReceive = end.of.Link == netlab.ProberLink, 100*time.Millisecond, 100*time.Millisecond
		frr, err := routers.StartFRR(ctx, end.of, netlab.FRRConfig{Peers: []netlab.FRRPeer{peer}})
		if err != nil {
			return err
		}
		r.frr = append(r.frr, frr)
	}
	for _, frr := range r.frr {
		if err := frr.WaitUp(ctx); err != nil {
			return err
		}
	}
	r.out.line("    FRR at %v and %v: up", netlab.ProberAddress, netlab.ResponderAddress)
	return nil
}

// checkBFD prints what the tap on the link saw of the session, and notes if it is not up or none came back.
// A flap is printed: on a busy machine it is the truth.
func (r *run) checkBFD(ctx context.Context) error {
	where := fmt.Sprintf("%s AND local = '%v'", r.span().where(), netlab.ProberAddress)
	series, err := r.db.Query(ctx, rawDB, fmt.Sprintf(
		"SELECT last(state) AS state, sum(control_packets) AS packets, sum(flaps) AS flaps, min(detect_margin) AS margin FROM %s WHERE %s;"+
			"SELECT sum(echo_packets_returned) AS returned, sum(echo_unanswered) AS unanswered, mean(rtt_p50_ns) AS rtt FROM %s WHERE %s",
		schema.BFDSession, where, schema.BFDEcho, where))
	if err != nil {
		return err
	}
	if len(series) != 2 {
		r.differs("BFD: %d of the measurements %s and %s have rows", len(series), schema.BFDSession, schema.BFDEcho)
		return nil
	}
	session, echo := series[0], series[1]
	r.out.line("  BFD: %s, %s control packets, %d flaps, least margin %.2f; %s echoes back, %s not, RTT p50 %.1f µs", session.String(0, "state"),
		count(session.Int(0, "packets")), session.Int(0, "flaps"), session.Float(0, "margin"), count(echo.Int(0, "returned")), count(echo.Int(0, "unanswered")), echo.Float(0, "rtt")/1e3)
	if session.String(0, "state") != "Up" || echo.Int(0, "returned") == 0 {
		r.differs("BFD: state %s, %d echoes back", session.String(0, "state"), echo.Int(0, "returned"))
	}
	return nil
}
