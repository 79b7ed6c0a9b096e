package report

import "echogram/plugins/schema"

// sessionKey names a session, whichever end a row describes.
type sessionKey struct {
	host, instance, tap, vlan, tunnel, vni, hop, parallel string
	a, b                                                  [2]string // inner and outer address
}

func sessionOf(s *schema.BFDSeries) sessionKey {
	k := sessionKey{s.Host, s.Instance, s.Tap, s.VLAN, s.Tunnel, s.VNI, s.Hop, s.Parallel,
		[2]string{s.Local, s.OuterLocal}, [2]string{s.Peer, s.OuterPeer}}
	if k.b[0] < k.a[0] || k.b[0] == k.a[0] && k.b[1] < k.a[1] {
		k.a, k.b = k.b, k.a
	}
	return k
}

// events are the times of what happened to one session.
type events struct {
	flap, nearMiss, silent, admin series
}

// eventSessions is of how many sessions events are kept, for each stream that may be drawn: events can come before
// the rows of their session.
const eventSessions = 20

func (r *Report) addEvent(row *schema.BFDEventRow) {
	key := sessionOf(&row.BFDSeries)
	e := r.events[key]
	if e == nil {
		if r.config.Streams > 0 && len(r.events) >= eventSessions*r.config.Streams {
			return
		}
		e = new(events)
		r.events[key] = e
	}
	if s := e.of(row.Event); s != nil {
		s.add(row.Time, 0)
	}
}

func (e *events) of(event string) *series {
	switch event {
	case schema.BFDEventFlap:
		return &e.flap
	case schema.BFDEventNearMiss:
		return &e.nearMiss
	case schema.BFDEventSilent:
		return &e.silent
	case schema.BFDEventAdminDown:
		return &e.admin
	}
	return nil
}

// widen makes room for all events.
func (e *events) widen(t span) span {
	if e == nil {
		return t
	}
	return t.cover(&e.flap, &e.nearMiss, &e.silent, &e.admin)
}

// layers are vertical lines.
func (e *events) layers(t span) []layer {
	if e == nil {
		return nil
	}
	return present(
		layer{mark: rules, name: "flap", color: vermillion, xys: t.points(&e.flap)},
		layer{mark: rules, name: "near miss", color: orange, dash: dashed, xys: t.points(&e.nearMiss)},
		layer{mark: rules, name: "silence", color: purple, dash: dotted, xys: t.points(&e.silent)},
		layer{mark: rules, name: "taken down by an administrator", color: black, dash: dotted, xys: t.points(&e.admin)},
	)
}
