package report

import (
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// streams keeps the first ones up to a limit, by their series, and counts the others.
type streams[S any] struct {
	limit int
	known map[string]*S
	list  []*S
	left  map[uint64]struct{} // hashes of the series that were left out
	key   []byte
}

func newStreams[S any](limit int) streams[S] {
	return streams[S]{limit: limit, known: map[string]*S{}, left: map[uint64]struct{}{}}
}

// get finds the stream of the point's tags, or takes fresh if there is room; nil if there is none.
func (s *streams[S]) get(p *schema.Point, fresh func(key string) *S) *S {
	s.key = s.key[:0]
	for _, t := range p.Tags {
		s.key = append(append(append(append(s.key, t.Key...), '='), t.Value...), '\n')
	}
	if old, ok := s.known[string(s.key)]; ok {
		return old
	}
	if s.limit > 0 && len(s.list) >= s.limit {
		h := fnv.New64a()
		h.Write(s.key)
		s.left[h.Sum64()] = struct{}{}
		return nil
	}
	n := fresh(string(s.key))
	s.known[string(s.key)] = n
	s.list = append(s.list, n)
	return n
}

// about says whose stream it is.
type about struct {
	key         string
	local, peer netip.Addr // of what is no address: zero
	series      schema.BFDSeries
	session     sessionKey
}

func aboutOf(key string, s *schema.BFDSeries) about {
	a := about{key: key, series: *s, session: sessionOf(s)}
	a.local, _ = netip.ParseAddr(s.Local)
	a.peer, _ = netip.ParseAddr(s.Peer)
	return a
}

// ends names both ends, as a title has them.
func (a *about) ends() string {
	if a.series.Peer == "" {
		return a.series.Local
	}
	return a.series.Local + " → " + a.series.Peer
}

// place says where the stream runs and where it was captured.
func (a *about) place() []string {
	s := &a.series
	var facts []string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, name+" "+value)
		}
	}
	add("VLAN", s.VLAN)
	add("tunnel", s.Tunnel)
	add("VNI", s.VNI)
	if s.OuterLocal != "" {
		facts = append(facts, "outer "+s.OuterLocal+" → "+s.OuterPeer)
	}
	add("tap", s.Tap)
	add("parallel session", s.Parallel)
	return facts
}

// file makes a file name: the kind of picture, both ends and what tells apart streams of the same ends.
func (a *about) file(kind string) string {
	s := &a.series
	parts := []string{kind, s.Local, s.Peer}
	for _, p := range [][2]string{{"vlan", s.VLAN}, {"vni", s.VNI}, {"", s.Tap}, {"session", s.Parallel}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	return fileName(parts...)
}

// fileName makes a file name of the parts that are not empty.
func fileName(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, strings.Map(fileRune, p))
		}
	}
	return strings.Join(some, "_")
}

func fileRune(r rune) rune {
	switch {
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.', r == '_', r == '-':
		return r
	}
	return '-'
}

// counted writes a number with its noun: "1 flap", "3,000 flaps".
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a count with commas: 1,234,567.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
