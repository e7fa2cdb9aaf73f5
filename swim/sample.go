package swim

import (
	"math/bits"
	"math/rand/v2"
)

// leastWalk is how many places a sample looks at one after the other, at
// least, when its draws found too few.
const leastWalk = 256

// sample returns up to k different members of an order that are not rejected,
// drawn at random, in the memory of out. It changes nothing, above all not
// whose turn comes next.
//
// How many members it looks at depends on k alone, so among very many that are
// nearly all rejected it may find fewer than there are.
func (r *roster[ID, Addr]) sample(o *order, k int, rnd *rand.Rand, out []uint32, reject func(slot uint32) bool) []uint32 {
	n := len(o.slots)
	if n <= 2*k+2 {
		return r.sampleFew(o, k, rnd, out[:0], reject)
	}
	out = out[:0]
	r.drawn.reset(k)
	// More than half of the members are not drawn yet, whatever happened so
	// far. So as long as none is rejected, these draws fall short less than
	// once in a billion samples.
	for draws := 8*k + 32; draws > 0 && len(out) < k; draws-- {
		out = r.accept(out, o.slots[int(below(rnd, uint64(n)))], reject)
	}
	if len(out) == k {
		return out
	}
	place := int(below(rnd, uint64(n)))
	for walk := min(n, max(leastWalk, 2*k)); walk > 0 && len(out) < k; walk-- {
		out = r.accept(out, o.slots[place], reject)
		if place++; place == n {
			place = 0
		}
	}
	return out
}

// accept appends a member to a sample, unless it is in it or rejected.
func (r *roster[ID, Addr]) accept(out []uint32, slot uint32, reject func(slot uint32) bool) []uint32 {
	place, has := r.drawn.find(slot)
	if has || reject != nil && reject(slot) {
		return out
	}
	r.drawn.table[place] = slot + 1
	return append(out, slot)
}

// sampleFew draws from a copy of the order until it is used up, so that none
// is drawn twice and none is missed.
func (r *roster[ID, Addr]) sampleFew(o *order, k int, rnd *rand.Rand, out []uint32, reject func(slot uint32) bool) []uint32 {
	r.urn = append(r.urn[:0], o.slots...)
	for left := len(r.urn); left > 0 && len(out) < k; left-- {
		i := int(below(rnd, uint64(left)))
		slot := r.urn[i]
		r.urn[i] = r.urn[left-1]
		if reject == nil || !reject(slot) {
			out = append(out, slot)
		}
	}
	return out
}

// A slotSet holds the slots of one sample. It is cleared for each, which is
// why it is no larger than that sample needs.
type slotSet struct {
	table []uint32 // slot+1, or 0; a power of two, at most half full
}

// reset empties the set and makes room for k slots.
func (s *slotSet) reset(k int) {
	size := 1 << bits.Len(uint(2*k))
	if cap(s.table) < size {
		s.table = make([]uint32, size)
	}
	s.table = s.table[:size]
	clear(s.table)
}

// find returns the place of a slot in the table, or the one where it belongs.
func (s *slotSet) find(slot uint32) (place uint32, has bool) {
	mask := uint32(len(s.table) - 1)
	// The upper half of the product depends on all bits of the slot.
	place = uint32(uint64(slot)*0x9e3779b97f4a7c15>>32) & mask
	for s.table[place] != 0 {
		if s.table[place] == slot+1 {
			return place, true
		}
		place = (place + 1) & mask
	}
	return place, false
}
