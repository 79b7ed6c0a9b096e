package bfdwatch

// sorter puts packets in the order of their stamps, as far as they are late by no more than a window: captures of
// several interfaces, and files that were put together, are a little out of order. It holds a ring of packets, whose
// memory it uses again and again.
type sorter struct {
	window int64
	ring   []*sighting // count of them sorted by at, from head on; the others are spare
	head   int
	count  int
	extra  *sighting // lent out by spare
	newest int64     // greatest stamp that came in
	gone   int64     // nothing from before this is taken any more
}

// sorterMax bounds the packets that are held, a power of two. When there are more the oldest go out before their time.
const sorterMax = 1 << 10

// spare returns a place for the next packet, which add keeps.
func (q *sorter) spare() *sighting {
	if q.extra == nil {
		q.extra = new(sighting)
	}
	return q.extra
}

// add puts s, which spare gave, in its place. It refuses a packet that is older than one that has gone out.
func (q *sorter) add(s *sighting) bool {
	if s.at < q.gone {
		return false
	}
	if q.count == len(q.ring) {
		q.grow()
	}
	i := q.count
	q.extra = *q.slot(i)
	for ; i > 0 && (*q.slot(i - 1)).at > s.at; i-- {
		*q.slot(i) = *q.slot(i - 1)
	}
	*q.slot(i) = s
	q.count++
	q.newest = max(q.newest, s.at)
	return true
}

func (q *sorter) slot(i int) **sighting { return &q.ring[(q.head+i)&(len(q.ring)-1)] }

func (q *sorter) grow() {
	ring := make([]*sighting, max(16, 2*len(q.ring)))
	for i := range q.count {
		ring[i] = *q.slot(i)
	}
	q.ring, q.head = ring, 0
}

// batch is how many packets go out at once.
const batch = 16

// ready returns how many of the oldest packets go out: no older ones are expected, or there is no room. Where packets
// come fast a whole batch is waited for.
func (q *sorter) ready() int {
	switch {
	case q.count >= sorterMax:
		return batch
	case q.count >= fast && (*q.slot(batch - 1)).at >= q.newest-q.window:
		return 0
	}
	return q.before(q.newest - q.window)
}

// fast is how many packets are held when they come fast.
const fast = sorterMax / 4

// before returns how many packets are from before t, a batch at most.
func (q *sorter) before(t int64) (n int) {
	for n < min(q.count, batch) && (*q.slot(n)).at < t {
		n++
	}
	return n
}

// pop takes the oldest packet out. It is valid until the next add.
func (q *sorter) pop() *sighting {
	s := *q.slot(0)
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	q.gone = s.at
	return s
}

// passed says that nothing from before t will come.
func (q *sorter) passed(t int64) { q.gone = max(q.gone, t) }
