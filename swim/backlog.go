package swim

// A priority says which updates go first.
type priority uint8

// The priorities, most urgent first. Our own record has none: it is no member
// of the roster.
const (
	prioRefute  priority = iota // an alive that refutes a suspicion
	prioDown                    // a member is down or left
	prioVerdict                 // a suspect is down, of whom all others judge too
	prioSuspect                 // a member is doubted
	prioConfirm                 // somebody else accuses a suspect too
	prioAlive                   // any other news
	numPriorities
)

// A backlog is the updates still being told: at most one for each member, by
// its slot. It holds no update itself, which is read from the record when it
// is sent. The zero value is empty.
type backlog struct {
	rings [numPriorities]ring
}

// What a backlog needs to know of the records: where each is queued, which is
// kept in them. What they say is true only if the ring agrees.
type queuedRecords interface {
	mover
	queued(slot uint32) (place uint32, p priority)
	queue(slot uint32, place uint32, p priority)
}

// len returns the number of updates that wait to be told.
func (b *backlog) len() int {
	n := 0
	for p := range b.rings {
		n += b.rings[p].len()
	}
	return n
}

// anyUrgent reports whether there is anything that was never told and should be
// soon.
func (b *backlog) anyUrgent() bool {
	for p := range b.rings {
		if b.rings[p].live[0] > 0 && priority(p) != prioConfirm {
			return true
		}
	}
	return false
}

// push queues news about a member, to be told as often as the limit allows.
// It replaces what was queued about it; if that was never told and is no more
// or less urgent, the news takes its place.
func (b *backlog) push(r queuedRecords, slot uint32, p priority) {
	if ring, place := b.locate(r, slot); ring != nil && planted != queueTwice {
		if b.fresh(slot, place, p) {
			return
		}
		ring.remove(place)
	}
	r.queue(slot, b.rings[p].push(slot, r), p)
}

// fresh reports whether news about a member of that priority is queued at a
// place and was never told: then news of the same priority changes nothing.
func (b *backlog) fresh(slot, place uint32, p priority) bool {
	ring := &b.rings[p]
	return ring.untold(place) && *ring.at(place) == slot
}

// remove takes a member that is forgotten out, if it is queued.
func (b *backlog) remove(r queuedRecords, slot uint32) {
	if ring, place := b.locate(r, slot); ring != nil {
		ring.remove(place)
	}
}

// locate returns where a member is queued, or no ring. A ring holds a slot
// only where its record says so, hence what leaves a ring by being told often
// enough needs nothing to be cleared.
func (b *backlog) locate(r queuedRecords, slot uint32) (*ring, uint32) {
	place, p := r.queued(slot)
	if p >= numPriorities {
		return nil, 0 // no such priority
	}
	if ring := &b.rings[p]; ring.holds(slot, place) {
		return ring, place
	}
	return nil, 0
}

// none is no slot.
const none = 1<<32 - 1

// gather returns what is to be told next, at most that many, in the memory of
// out: by priority, then fewest transmissions, then longest waiting. What was
// told limit times or more leaves the backlog. The slot skip, or [none], is
// left out; it is told anyway and loses nothing by that. No record is read.
func (b *backlog) gather(limit budget, most int, out []uint32, skip uint32) []uint32 {
	out = out[:0]
	for p := range b.rings {
		out = b.rings[p].gather(limit[p], most, out, skip)
	}
	return out
}

// A budget is how often updates are told, by priority.
type budget [numPriorities]int

// sent settles the last gather, since which the backlog must not have changed.
// It asks for the index of each of those gathered whether it was really
// told, perhaps more than once. One that found no room goes first the next time.
func (b *backlog) sent(r queuedRecords, gathered []uint32, told func(i int) bool) {
	i := 0
	for p := range b.rings {
		i = b.rings[p].sent(gathered, i, told, r)
	}
}

// each yields what is queued in the order of gather, and how often each was
// told.
func (b *backlog) each(yield func(slot uint32, p priority, told int)) {
	for p := range b.rings {
		b.rings[p].each(func(slot uint32, told int) { yield(slot, priority(p), told) })
	}
}

// clone returns a backlog of its own with the same updates, for a clone of the
// records.
func (b *backlog) clone() backlog {
	var c backlog
	for p := range b.rings {
		c.rings[p] = b.rings[p].clone()
	}
	return c
}

// The roster keeps the places of the backlog in its records.

func (r *roster[ID, Addr]) queued(slot uint32) (place uint32, p priority) {
	rec := r.at(slot)
	return rec.queued, rec.priority
}

func (r *roster[ID, Addr]) queue(slot, place uint32, p priority) {
	rec := r.at(slot)
	rec.queued, rec.priority = place, p
}

func (r *roster[ID, Addr]) moved(slot, place uint32) { r.at(slot).queued = place }
