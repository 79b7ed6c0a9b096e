package outlier

// maxBatches bounds the batches of a series: where they do not suffice, two become one.
const maxBatches = 128

// batch sums up the kept among some values that follow each other.
type batch struct {
	n, sum, square float64 // of their distances from the batches' base
}

func (b *batch) add(c batch) { b.n, b.sum, b.square = b.n+c.n, b.sum+c.sum, b.square+c.square }

// batches are a series in the order of its time. Each stands for size values, the last for room fewer.
type batches struct {
	list       []batch
	size, room int
	base       float64
}

func (b *batches) reset(base float64, size int) {
	*b = batches{list: b.list[:0], size: size, base: base}
}

// fill makes batches of values, of which those above limit are cut.
func (b *batches) fill(values []int64, base, limit float64) {
	b.reset(base, (len(values)+maxBatches-1)/maxBatches)
	for _, v := range values {
		b.add(float64(v), float64(v) <= limit)
	}
}

// add takes the next value. One that is cut leaves its place empty, so that the distances in time stay true.
func (b *batches) add(v float64, kept bool) {
	if b.room == 0 {
		if len(b.list) == maxBatches {
			b.halve()
		}
		b.list = append(b.list, batch{})
		b.room = b.size
	}
	b.room--
	if kept {
		d := v - b.base
		b.list[len(b.list)-1].add(batch{1, d, d * d})
	}
}

// halve makes one batch of two. Their number is even and none has room.
func (b *batches) halve() {
	for i := range len(b.list) / 2 {
		pair := b.list[2*i]
		pair.add(b.list[2*i+1])
		b.list[i] = pair
	}
	b.list = b.list[:len(b.list)/2]
	b.size *= 2
}

func (b *batches) total() (t batch) {
	for _, c := range b.list {
		t.add(c)
	}
	return t
}
