package swim

import "slices"

// A ring is items that are told several times, those told least often first
// and among them those that wait longest. Whoever keeps the items keeps the
// place of each in the ring, too. The zero value is empty.
//
// How often an item was told is not written down: it follows from its place.
// Boundaries divide the ring into classes, and telling the one that waits
// longest in its class only moves the boundary behind it, which makes it the
// one that waits shortest in the next class:
//
//	 told twice      told once      never told
//	| a  b  c     | d  .  e      | f  g  h  i |
//	↑             ↑              ↑            ↑
//	bound[3]      bound[2]       bound[1]     bound[0]
//
// An item that is replaced or removed leaves a hole, drawn as a dot; holes lie
// until something was told and they outnumber the items, or until the ring is
// full and they are a quarter of it.
type ring struct {
	// items are those from place bound[MaxTransmissions] up to bound[0], each
	// at its place modulo the length, which is a power of two. Places only
	// grow, so that a larger ring leaves them as they are; they may wrap
	// around, and only differences of them are ever compared.
	items []uint32
	// bound[t] is the place behind the items that were told t times, and the
	// first of those told t-1 times.
	bound [MaxTransmissions + 1]uint32
	// live[t] is the number of items that were told t times, without holes.
	// Those told MaxTransmissions times are on their way out.
	live  [MaxTransmissions + 1]int
	count int // sum of live

	limit   int      // of the last gather
	skipped bool     // it left an item out
	waiting []uint32 // scratch of settle
}

// A mover is told when an item of a ring moves to another place.
type mover interface{ moved(item, place uint32) }

const (
	hole      = 1<<32 - 1 // no item
	leastRing = 16
)

func (r *ring) clone() ring {
	c := *r
	c.items = slices.Clone(r.items)
	c.waiting = nil
	return c
}

// len returns the number of items.
func (r *ring) len() int { return r.count }

func (r *ring) at(place uint32) *uint32 { return &r.items[place&uint32(len(r.items)-1)] }

// span returns the number of places in use, by items and holes.
func (r *ring) span() int { return int(r.bound[0] - r.bound[MaxTransmissions]) }

// holds reports whether an item is at a place.
func (r *ring) holds(item, place uint32) bool {
	head := r.bound[MaxTransmissions]
	return place-head < r.bound[0]-head && *r.at(place) == item
}

// untold reports whether a place is one of those that were never told.
func (r *ring) untold(place uint32) bool { return place-r.bound[1] < r.bound[0]-r.bound[1] }

// class returns how often the item at a place was told.
func (r *ring) class(place uint32) int {
	head := r.bound[MaxTransmissions]
	told := 0
	for place-head < r.bound[told+1]-head {
		told++
	}
	return told
}

// push appends an item that was never told, and returns its place.
func (r *ring) push(item uint32, m mover) uint32 {
	if span := r.span(); span == len(r.items) {
		if holes := span - r.count; holes > span/4 {
			r.squeeze(m)
		}
		if r.span() == len(r.items) {
			r.grow()
		}
	}
	place := r.bound[0]
	*r.at(place) = item
	r.bound[0]++
	r.live[0]++
	r.count++
	return place
}

// grow doubles the ring. The places stay.
func (r *ring) grow() {
	larger := ring{items: make([]uint32, max(leastRing, 2*len(r.items)))}
	for place := r.bound[MaxTransmissions]; place != r.bound[0]; place++ {
		*larger.at(place) = *r.at(place)
	}
	r.items = larger.items
}

// remove takes the item at a place out. The hole stays until the ring is told
// from or is full: often all items go one by one, and no other has to move.
func (r *ring) remove(place uint32) {
	*r.at(place) = hole
	r.live[r.class(place)]--
	if r.count--; r.count == 0 {
		for told := range r.bound {
			r.bound[told] = r.bound[0]
		}
	}
}

// tidy squeezes the holes out if they are many, which takes as long as making
// them did.
func (r *ring) tidy(m mover) {
	if span := r.span(); span-r.count > max(span/2, leastRing) {
		r.squeeze(m)
	}
}

// squeeze moves all items together, over the holes, towards the first.
func (r *ring) squeeze(m mover) {
	from := r.bound[MaxTransmissions]
	to := from
	for told := MaxTransmissions - 1; told >= 0; told-- {
		for ; from != r.bound[told]; from++ {
			if item := *r.at(from); item != hole {
				r.move(item, from, to, m)
				to++
			}
		}
		r.bound[told] = to
	}
}

// move puts an item that was at one place at another.
func (r *ring) move(item, from, to uint32, m mover) {
	if from != to {
		*r.at(to) = item
		m.moved(item, to)
	}
}

// expire discards the items that were told so often or more.
func (r *ring) expire(limit int) {
	if r.bound[limit] == r.bound[MaxTransmissions] && r.live[MaxTransmissions] == 0 {
		return // nobody is so far
	}
	for told := limit; told <= MaxTransmissions; told++ {
		r.count -= r.live[told]
		r.live[told] = 0
		r.bound[told] = r.bound[limit]
	}
}

// gather appends the items to be told next, until there are that many in out.
// Those told limit times or more are discarded; skip is left out.
func (r *ring) gather(limit, most int, out []uint32, skip uint32) []uint32 {
	r.limit = min(max(limit, 0), MaxTransmissions)
	r.skipped = false
	if r.count == 0 {
		return out
	}
	r.expire(r.limit)
	for told := 0; told < r.limit && len(out) < most; told++ {
		if r.live[told] == 0 {
			continue
		}
		for place := r.bound[told+1]; place != r.bound[told] && len(out) < most; place++ {
			switch item := *r.at(place); item {
			case hole:
			case skip:
				r.skipped = true
			default:
				out = append(out, item)
			}
		}
	}
	return out
}

// sent settles the last gather, of which this ring's part begins at index i of
// what was gathered. It returns the index where the next ring's part begins.
func (r *ring) sent(gathered []uint32, i int, ok func(i int) bool, m mover) int {
	behind, live := r.bound[0], r.live[0]
	for told := 0; told < r.limit && i < len(gathered); told++ {
		// Those of this class that were gathered lie before the ones that have
		// just come from the class before.
		first, next := r.bound[told+1], r.live[told+1]
		if live > 0 {
			i = r.settle(told, behind, live, gathered, i, ok, m)
		}
		behind, live = first, next
	}
	r.expire(r.limit)
	r.tidy(m)
	return i
}

// settle goes through the items of one class, up to a place, as gather did. It brings those
// that were told together at its beginning, in front of those that wait on,
// and moves the boundary behind them.
func (r *ring) settle(told int, behind uint32, live int, gathered []uint32, i int, ok func(i int) bool, m mover) int {
	first := r.bound[told+1]
	if n := min(live, len(gathered)-i); !r.skipped && int(behind-first) == live {
		// No holes among them: nearly always only the boundary moves.
		if sent := leading(i, i+n, ok); sent >= 0 {
			r.live[told] -= sent
			r.live[told+1] += sent
			r.bound[told+1] += uint32(sent)
			return i + n
		}
	}
	to := first  // where the next one that was told belongs
	after := to  // the place behind the last one that was told
	overrun := 0 // how many of those that wait stood before it
	waiting := r.waiting[:0]
	for place := first; place != behind && i < len(gathered); place++ {
		item := *r.at(place)
		if item == hole {
			continue
		}
		if item != gathered[i] { // it was left out
			waiting = append(waiting, item)
			continue
		}
		if ok(i) {
			r.move(item, place, to, m)
			to++
			after, overrun = place+1, len(waiting)
		} else {
			waiting = append(waiting, item)
		}
		i++
	}
	r.waiting = waiting
	n := int(to - first)
	r.live[told] -= n
	r.live[told+1] += n
	// Holes among them end up behind those that were told, so that they are
	// passed once in each class, however often it is gathered.
	r.bound[told+1] = after - uint32(overrun)
	for ; to != r.bound[told+1]; to++ {
		*r.at(to) = hole
	}
	for _, item := range waiting[:overrun] {
		*r.at(to) = item
		m.moved(item, to)
		to++
	}
	return i
}

// leading returns how many were told of those from index i to j, if they are
// the first of them; else it returns -1.
func leading(i, j int, ok func(i int) bool) int {
	sent := 0
	for i+sent < j && ok(i+sent) {
		sent++
	}
	for k := i + sent; k < j; k++ {
		if ok(k) {
			return -1
		}
	}
	return sent
}

// each yields the items in the order of gather, and how often each was told.
func (r *ring) each(yield func(item uint32, told int)) {
	for told := range MaxTransmissions {
		for place := r.bound[told+1]; place != r.bound[told]; place++ {
			if item := *r.at(place); item != hole {
				yield(item, told)
			}
		}
	}
}
