package swim

import "slices"

// One Check of sweepEvery looks at sweepSlots records that no input touched. So
// a member of 64 is looked at every few seconds: what no input explains does not
// go away.
const (
	sweepSlots = 2
	sweepEvery = 4
)

// sweepSome looks now and then at a few slots, in turns, and at all that refers
// to one of them.
func (g *Guard[ID, Addr]) sweepSome() {
	slots := g.core.roster.slots
	if slots == 0 || g.turn%sweepEvery != 0 {
		return
	}
	turn := uint32(g.turn) / sweepEvery
	if turn%16 == 0 {
		g.checkDigest()
	}
	for i := range uint32(sweepSlots) {
		g.checkSlot((turn*sweepSlots + i) % slots)
	}
	slot := turn % slots
	if r := g.core.roster.at(slot); r.flags&isKnown != 0 {
		g.checkRecord(slot, r)
	}
}

// checkSlot: a record that no input touched is as it was.
func (g *Guard[ID, Addr]) checkSlot(slot uint32) {
	r, s := g.core.roster.at(slot), g.shadow(slot)
	if (r.flags^s.flags)&seenFlags != 0 {
		g.violated("S1", "flags of %v are %b and were %b", r.member(), r.flags, s.flags)
		return
	}
	if !s.known() {
		return
	}
	is := &s.is
	if r.id != is.id || r.inc != is.inc || r.meta != is.meta || r.state != is.state || g.core.roster.times(slot).until != s.until {
		g.violated("S1", "%v %v %d was %v %v %d, and no input changed it", r.id, r.state, r.inc, is.id, is.state, is.inc)
	}
}

// checkRecord: a record is consistent with all that refers to it.
func (g *Guard[ID, Addr]) checkRecord(slot uint32, r *record[ID]) {
	c := g.core
	at := r.id.Addr()
	if at == c.us.addr {
		g.violated("S9", "the roster holds %v of our own address", r.id)
	}
	if found, ok := c.roster.find(at); !ok || found != slot {
		g.violated("S25", "%v is at slot %d, found at %d (%v)", r.id, slot, found, ok)
	}
	lone := r.flags&isLone != 0
	active, lost := r.state.Active() && !lone, r.state == Down || lone
	if (r.flags&inActive != 0) != active || (r.flags&inLost != 0) != lost || lone && r.state != Suspect {
		g.violated("S7", "%v has flags %b", r.member(), r.flags)
	}
	switch {
	case active:
		g.checkPlace(&c.roster.active, slot, r)
		if id, up := g.up[at]; !up || id != r.id {
			g.violated("S7", "%v takes part; of that address the owner knows %v (%v)", r.member(), id, up)
		}
	case lost:
		g.checkPlace(&c.roster.lost, slot, r)
	}
	if r.doubt != 0 {
		g.checkDoubt(r)
	} else if r.state == Suspect {
		g.violated("S8", "%v is a suspect without a deadline", r.member())
	}
}

// checkPlace: a member is at its place in the order that it is in.
func (g *Guard[ID, Addr]) checkPlace(o *order, slot uint32, r *record[ID]) {
	if int(r.pos) >= len(o.slots) || o.slots[r.pos] != slot {
		g.violated("L9", "%v is not at its place %d of %d", r.id, r.pos, len(o.slots))
	}
}

// checkDoubt: accusers are of distinct addresses, not the accused's, and a
// suspicion that has to end has an event outstanding.
func (g *Guard[ID, Addr]) checkDoubt(r *record[ID]) {
	c := g.core
	if r.doubt > c.doubts.used {
		g.violated("S16", "%v has doubt %d of %d", r.id, r.doubt, c.doubts.used)
		return
	}
	d := c.doubts.at(r.doubt)
	for i, id := range d.by[:d.n] {
		same := func(other ID) bool { return other.Addr() == id.Addr() }
		if id.Addr() == r.id.Addr() || slices.ContainsFunc(d.by[:i], same) {
			g.violated("S5", "accusers %v of %v", d.by[:d.n], r.id)
		}
	}
	if r.state != Suspect {
		return
	}
	waits := r.flags&isLone == 0 && c.us.phase != gone && (d.ours || !c.cfg.Rules.AccuserDeadline)
	if waits && !d.armed {
		g.violated("D6", "nothing will end the suspicion of %v", r.id)
	}
	if waits && d.armed && d.due > d.deadline() && c.pause.frozen == 0 && d.due > c.now.Add(g.most.Period) {
		g.violated("D6", "%v is judged at %v instead of %v", r.id, d.due, d.deadline())
	}
	if d.since > c.now {
		g.violated("S18", "the suspicion of %v begins at %v, now is %v", r.id, d.since, c.now)
	}
}

// sweepAll looks at every record, and at what only fits together as a whole.
func (g *Guard[ID, Addr]) sweepAll() {
	c := g.core
	owned := make([]bool, c.doubts.used+1)
	own := func(ref uint32) {
		if ref > c.doubts.used || owned[ref] {
			g.violated("S16", "doubt %d of %d is in use twice, or free and in use", ref, c.doubts.used)
			return
		}
		owned[ref] = true
	}
	used := len(c.doubts.free)
	for slot := range c.roster.slots {
		g.checkSlot(slot)
		r := c.roster.at(slot)
		if r.flags&isKnown == 0 {
			continue
		}
		g.checkRecord(slot, r)
		if r.doubt != 0 {
			used++
			own(r.doubt)
		}
	}
	for _, ref := range c.doubts.free {
		own(ref)
	}
	if used != int(c.doubts.used) {
		g.violated("S16", "%d doubts, of which %d are in use or free", c.doubts.used, used)
	}
	g.checkOrders()
	g.checkBacklog()
	g.checkDigest()
}

// checkDigest: the digest is that of who takes part, but for those of whom it is
// noted that they changed.
func (g *Guard[ID, Addr]) checkDigest() {
	c := g.core
	if !c.synchronises() {
		return
	}
	sum, members := c.parts()
	for slot := range c.roster.slots {
		r, part := c.roster.at(slot), c.roster.times(slot).part
		if want := c.due(r); part != want && (r.flags&isStirred == 0 || !slices.Contains(c.view.stale, slot)) {
			g.violated("L3", "%v is %#x in the digest, and should be %#x", r.member(), part, want)
		}
	}
	if sum != c.view.sum || members != c.view.members {
		g.violated("L3", "the digest is %#x of %d, and should be %#x of %d", c.view.sum, c.view.members, sum, members)
	}
}

// checkOrders: each order holds its members, at their places.
func (g *Guard[ID, Addr]) checkOrders() {
	c := g.core
	for _, o := range []*order{&c.roster.active, &c.roster.lost} {
		if o.cursor < 0 || o.cursor > len(o.slots) || len(o.soon) > maxSoon {
			g.violated("L9", "cursor %d of %d, %d soon", o.cursor, len(o.slots), len(o.soon))
		}
		for place, slot := range o.slots {
			if r := c.roster.at(slot); int(r.pos) != place || r.flags&inOrder != o.flag {
				g.violated("L9", "%v at place %d says %d, flags %b", r.id, place, r.pos, r.flags)
			}
		}
	}
}

// checkBacklog: each member is queued once, and only those are who are known.
func (g *Guard[ID, Addr]) checkBacklog() {
	c := g.core
	queued := 0
	seen := make([]bool, c.roster.slots)
	c.backlog.each(func(slot uint32, p priority, told int) {
		queued++
		if slot >= c.roster.slots || seen[slot] || c.roster.at(slot).flags&isKnown == 0 {
			g.violated("S15", "slot %d is queued twice or unknown", slot)
			return
		}
		seen[slot] = true
	})
	if queued > c.roster.len() || queued > c.backlog.len() {
		g.violated("S15", "%d queued, %d counted, %d members", queued, c.backlog.len(), c.roster.len())
	}
}
