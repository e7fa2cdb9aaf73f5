package swim

import (
	"math/rand/v2"
	"slices"
)

// A record is what we know about one member. With the ready-made [ID] it takes
// 64 bytes without padding, one line of the cache, and holds no pointer, so
// that the garbage collector never looks into a roster. What is rarely read
// lies apart, see [times].
type record[ID any] struct {
	id       ID
	inc      Incarnation
	meta     uint64
	doubt    uint32 // its suspicion: 0, or one more than a place in a table of the core's
	pos      uint32 // its place in the order that it is in
	queued   uint32 // its place in the backlog, if it is there
	state    State
	flags    recordFlags
	priority priority // its class in the backlog, if it is there
	_        uint8
}

// times are the moments in the life of a member.
type times struct {
	heard Instant // when a packet from it last reached us
	until Instant // of one that is gone: when it is forgotten
	part  uint64  // of the digest; 0 if it is not in it
}

// member is the record in the form that the owner gets.
func (r *record[ID]) member() Member[ID] {
	return Member[ID]{ID: r.id, Incarnation: r.inc, State: r.state, Metadata: r.meta}
}

// recordFlags are facts about a record that are true or not.
type recordFlags uint8

const (
	isKnown    recordFlags = 1 << iota // the slot is taken
	inActive                           // in the roster's order active
	inLost                             // in the roster's order lost
	isVerified                         // it answered us, so it is where it says
	isLone                             // down for our owner, a suspect to everybody else
	isBehind                           // its header said less of it than we know
	isStirred                          // its part of the digest may be wrong

	inOrder = inActive | inLost
)

// pageBits is the logarithm of the number of records in a page.
const pageBits = 7

type page[ID any] struct {
	records [1 << pageBits]record[ID]
	times   [1 << pageBits]times
}

// A roster is everybody we know, not ourselves: at most one identity for each
// address. A member has a slot, a small number, until it is removed; a slot
// that became vacant is used again.
type roster[ID Identity[ID, Addr], Addr comparable] struct {
	hash   func(at Addr) uint32
	index  index       // addresses to slots
	pages  []*page[ID] // records, which never move
	slots  uint32      // how many slots were ever used
	vacant uint32      // one more than the last slot that became vacant, which names the one before; 0 if none
	count  int

	active, lost order

	changes uint32      // how often a slot got or lost an identity
	touched recordFlags // keeps the reads of hint and touch from being left out
	drawn   slotSet     // of the last sample
	urn     []uint32    // of the last sample
}

// An order is some of a roster's members, in the order in which they take
// turns. A round gives each of them one turn.
//
// Those before the cursor had theirs. The others wait in no order at all: a
// member is drawn when it gets its turn, which is a Fisher-Yates shuffle as
// slow as the round itself. So a new member enters at a random place by being
// appended, and no moment has to shuffle everybody.
type order struct {
	slots  []uint32
	cursor int
	flag   recordFlags // set in the records of its members
	soon   []uint32    // the last that entered to be next in turn; some may have left, or had it
}

// maxSoon bounds order.soon. When more enter to be next in turn, the earliest
// of them wait like everybody else.
const maxSoon = 1024

func (o *order) len() int { return len(o.slots) }

func (o *order) clone() order {
	return order{slices.Clone(o.slots), o.cursor, o.flag, slices.Clone(o.soon)}
}

func newRoster[ID Identity[ID, Addr], Addr comparable]() *roster[ID, Addr] {
	return &roster[ID, Addr]{
		hash:   newHash[Addr](),
		active: order{flag: inActive},
		lost:   order{flag: inLost},
	}
}

// clone returns a roster of its own with the same members in the same slots
// and orders.
func (r *roster[ID, Addr]) clone() *roster[ID, Addr] {
	c := *r
	c.index = r.index.clone()
	c.pages = make([]*page[ID], len(r.pages))
	for i, p := range r.pages {
		records := *p
		c.pages[i] = &records
	}
	c.active = r.active.clone()
	c.lost = r.lost.clone()
	c.drawn = slotSet{}
	c.urn = nil
	return &c
}

// len returns the number of members.
func (r *roster[ID, Addr]) len() int { return r.count }

// at returns the record of a member. It stays the member's until it is removed.
func (r *roster[ID, Addr]) at(slot uint32) *record[ID] {
	return &r.pages[slot>>pageBits].records[slot&(1<<pageBits-1)]
}

// times returns the moments of a member, which lie beside its record.
func (r *roster[ID, Addr]) times(slot uint32) *times {
	return &r.pages[slot>>pageBits].times[slot&(1<<pageBits-1)]
}

// find returns the slot of the member at an address, if there is one.
func (r *roster[ID, Addr]) find(at Addr) (slot uint32, ok bool) {
	hash := r.hash(at)
	for i := hash; ; {
		slot, i, ok = r.index.seek(hash, i)
		if !ok || r.at(slot).id.Addr() == at {
			return slot, ok
		}
	}
}

// hintBatch is how many updates are looked up ahead.
const hintBatch = 16

// hint finds the slots of some updates about identities that are known, nearly
// always; for the others it says [none]. It reads the table for all of them,
// then the records, so that waiting for memory overlaps: among many members
// nothing takes longer.
func (r *roster[ID, Addr]) hint(updates []Update[ID], hints *[hintBatch]uint32) {
	for i := range updates {
		hints[i] = r.index.first(r.hash(updates[i].ID.Addr()))
	}
	touched := recordFlags(0)
	for i := range updates {
		if hints[i] == none {
			continue
		}
		rec := r.at(hints[i])
		touched |= rec.flags
		if rec.id != updates[i].ID {
			hints[i] = none
		}
	}
	r.touched = touched
}

// touch reads a little of some records, one independent of the other, so that
// they are at hand when they are read in full. It reports whether all of them
// can be told.
func (r *roster[ID, Addr]) touch(slots []uint32) (tellable bool) {
	all, most := isKnown, Alive
	for _, slot := range slots {
		rec := r.at(slot)
		all &= rec.flags
		most = max(most, rec.state)
	}
	return all != 0 && most < numStates
}

// insert adds a member, at an address that is not known, and returns its slot.
// It knows nothing about it but its identity; it is in no order.
func (r *roster[ID, Addr]) insert(id ID) uint32 {
	slot := r.take()
	*r.at(slot) = record[ID]{id: id, flags: isKnown}
	r.index.insert(r.hash(id.Addr()), slot)
	r.count++
	return slot
}

// take returns a slot that is vacant.
func (r *roster[ID, Addr]) take() uint32 {
	if r.vacant != 0 {
		slot := r.vacant - 1
		r.vacant = r.at(slot).pos
		return slot
	}
	if int(r.slots>>pageBits) == len(r.pages) {
		r.pages = append(r.pages, new(page[ID]))
	}
	r.slots++
	return r.slots - 1
}

// rename gives a member the next identity of its address.
func (r *roster[ID, Addr]) rename(slot uint32, id ID) {
	r.at(slot).id = id
	r.changes++
}

// remove forgets a member, which must be in no order and not in the backlog.
func (r *roster[ID, Addr]) remove(slot uint32) {
	rec := r.at(slot)
	if rec.flags&inOrder != 0 {
		panic("swim: removed a member that is in an order")
	}
	r.index.remove(r.hash(rec.id.Addr()), slot)
	*rec = record[ID]{pos: r.vacant}
	*r.times(slot) = times{}
	r.vacant = slot + 1
	r.count--
	r.changes++
}

// each yields every member and its slot, in the order of slots. The loop may
// remove the member that it is at.
func (r *roster[ID, Addr]) each(yield func(slot uint32, rec *record[ID]) bool) {
	for slot := range r.slots {
		if rec := r.at(slot); rec.flags&isKnown != 0 && !yield(slot, rec) {
			return
		}
	}
}

// enter adds a member, which is in no order, to those that wait for their turn
// in this round. If soon, it is next in turn.
func (r *roster[ID, Addr]) enter(o *order, slot uint32, soon bool) {
	rec := r.at(slot)
	if rec.flags&inOrder != 0 {
		panic("swim: a member entered a second order")
	}
	rec.flags |= o.flag
	rec.pos = uint32(len(o.slots))
	o.slots = append(o.slots, slot)
	if soon {
		if len(o.soon) == maxSoon {
			o.soon = o.soon[:copy(o.soon, o.soon[maxSoon/2:])]
		}
		o.soon = append(o.soon, slot)
	}
}

// leave takes a member out of an order, where it must be.
func (r *roster[ID, Addr]) leave(o *order, slot uint32) {
	rec := r.at(slot)
	if rec.flags&o.flag == 0 {
		panic("swim: a member left an order that it is not in")
	}
	rec.flags &^= o.flag
	o.bound()
	hole := int(rec.pos)
	if hole < o.cursor {
		// Of those that had their turn one closes the hole, so that the new one
		// is at the border, where one that waits may close it.
		o.cursor--
		r.move(o, o.cursor, hole)
		hole = o.cursor
	}
	last := len(o.slots) - 1
	r.move(o, last, hole)
	o.slots = o.slots[:last]
}

// bound brings back a cursor that is beyond the order: then the next round
// begins.
func (o *order) bound() {
	if o.cursor < 0 || o.cursor > len(o.slots) {
		o.cursor = 0
	}
}

// move puts the member at one place of an order to another.
func (r *roster[ID, Addr]) move(o *order, from, to int) {
	if from != to {
		slot := o.slots[from]
		o.slots[to] = slot
		r.at(slot).pos = uint32(to)
	}
}

// next returns the member whose turn it is, if the order has any members. When
// all had their turn, the next round begins.
func (r *roster[ID, Addr]) next(o *order, rnd *rand.Rand) (slot uint32, ok bool) {
	if len(o.slots) == 0 {
		return 0, false
	}
	if o.bound(); o.cursor == len(o.slots) || planted == skipLastOfRound && o.cursor == len(o.slots)-1 {
		o.cursor = 0
	}
	turn, soon := r.nextSoon(o)
	if !soon {
		turn = o.cursor + int(below(rnd, uint64(len(o.slots)-o.cursor)))
	}
	slot, other := o.slots[turn], o.slots[o.cursor]
	o.slots[turn], o.slots[o.cursor] = other, slot
	r.at(other).pos = uint32(turn)
	r.at(slot).pos = uint32(o.cursor)
	o.cursor++
	return slot, true
}

// nextSoon returns the place of the member that entered last to be next in
// turn, unless it left or had its turn meanwhile.
func (r *roster[ID, Addr]) nextSoon(o *order) (turn int, ok bool) {
	for n := len(o.soon); n > 0; n-- {
		rec := r.at(o.soon[n-1])
		o.soon = o.soon[:n-1]
		if rec.flags&o.flag != 0 && int(rec.pos) >= o.cursor {
			return int(rec.pos), true
		}
	}
	return 0, false
}
