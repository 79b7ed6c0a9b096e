package sweep

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

func TestRefusedAndCrowdedSends(t *testing.T) {
	refused := errors.New("network is down")
	inBubble(t, func(t *testing.T, l *lab) {
		crowded := 3
		l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
		l.network.sendErr = func(dst netip.Addr) error {
			if dst == addr("192.0.2.2") {
				return refused
			}
			if dst == addr("192.0.2.3") && crowded > 0 {
				crowded--
				return ErrNoRoom
			}
			return nil
		}
		var told []Event
		var mu sync.Mutex
		l.change = func(j *Job) {
			j.Trace = func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Kind == Refused {
					told = append(told, e)
				}
			}
		}
		sum := l.sweep(t.Context(), plan(t, "192.0.2.1-4", nil), nil)
		if len(told) != 1 || told[0].Target != 1 || told[0].Probe != 0 || !errors.Is(told[0].Err, refused) {
			t.Errorf("told of refusals: %+v", told)
		}
		if !errors.Is(sum.SendError, refused) || sum.Stats.SendErrors != 1 || sum.Stats.Sent != 3 || sum.Stats.Received != 3 || sum.Stats.Points != 4 {
			t.Errorf("%+v", sum)
		}
		if sum.Stats.Trust != "send_errors" {
			t.Errorf("trust is %s", sum.Stats.Trust)
		}
		if r := l.rows["192.0.2.2"]; r.Sent != 0 || r.ResultCode != schema.ResultNotSent {
			t.Errorf("row of the refused: %+v", r)
		}
	})
}

func TestUnseenRequests(t *testing.T) {
	for _, onLink := range []bool{false, true} {
		inBubble(t, func(t *testing.T, l *lab) {
			l.network.hidden = func(dst netip.Addr) bool { return dst == addr("192.0.2.2") }
			l.network.script = func(netip.Addr, int) []answer { return []answer{{after: time.Millisecond}} }
			p := plan(t, "192.0.2.1-2", nil)
			p.OnLink = func(int) bool { return onLink }
			s := l.sweep(t.Context(), p, nil).Stats
			if r := l.rows["192.0.2.2"]; r.Received != 1 || r.RTT.Set {
				t.Errorf("a reply whose request was not captured: %+v", r)
			}
			if onLink && (s.NeighbourFailures != 1 || s.Unseen != 0 || s.Trust != "ok") || !onLink && (s.Unseen != 1 || s.Trust != "unseen") {
				t.Errorf("on link %v: %+v", onLink, s)
			}
		})
	}
}

func TestSeveralSenders(t *testing.T) {
	inBubble(t, func(t *testing.T, l *lab) {
		l.network.script = after(time.Millisecond)
		var mu sync.Mutex
		each := [3]int{}
		l.change = func(j *Job) {
			j.Senders = nil
			for i := range each {
				j.Senders = append(j.Senders, senderFunc(func(msgs []icmpecho.Datagram) (int, error) {
					mu.Lock()
					defer mu.Unlock()
					each[i] += len(msgs)
					return l.network.Send(msgs)
				}))
			}
		}
		p := plan(t, "10.0.0.0/18", func(p *Plan) { p.Rate, p.Count, p.CountInterval = 200_000, 2, 10*time.Millisecond })
		if s := l.sweep(t.Context(), p, nil).Stats; s.Sent != 2*16384 || s.Received != s.Sent || s.Trust != "ok" {
			t.Errorf("stats: %+v", s)
		}
		if each[0] == 0 || each[1] == 0 || each[2] == 0 {
			t.Errorf("requests by sender: %v", each)
		}
	})
}

type senderFunc func([]icmpecho.Datagram) (int, error)

func (f senderFunc) Send(msgs []icmpecho.Datagram) (int, error) { return f(msgs) }
