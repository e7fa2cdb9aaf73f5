package swim

import "time"

// bury remembers that a member is down or left, for a time, so that old news
// of it do not bring it back.
func (c *Core[ID, Addr]) bury(slot uint32, r *record[ID], state State, remaining uint32) {
	if r.state.Active() && c.tally[Down]+c.tally[Left] >= c.cfg.MaxTombstones {
		c.evict()
	}
	rested := !r.state.Active()
	c.become(r, state, false)
	c.stir(slot)
	if state == Left {
		r.inc = 0 // a goodbye is about the whole life
	}
	times := c.roster.times(slot)
	before := times.until
	times.until = c.now.Add(c.memory(remaining))
	if state == Left && r.flags&inLost != 0 {
		c.roster.leave(&c.roster.lost, slot)
	}
	if state == Down && r.flags&(inLost|inActive) == 0 {
		c.roster.enter(&c.roster.lost, slot, true)
		c.armContact()
	}
	if !rested || times.until != before {
		c.dig(slot) // otherwise it lies there already
	}
}

// memory is how long to remember: our own time, or what is left of it
// elsewhere if that is less.
func (c *Core[ID, Addr]) memory(remaining uint32) time.Duration {
	left := time.Duration(remaining) * time.Millisecond
	if left == 0 || left > c.cfg.ForgetAfter {
		return c.cfg.ForgetAfter
	}
	return left
}

// remember extends the time of a tombstone whose equal is remembered longer
// elsewhere.
func (c *Core[ID, Addr]) remember(slot uint32, remaining uint32) {
	if remaining == 0 {
		return
	}
	times := c.roster.times(slot)
	if until := c.now.Add(c.memory(remaining)); until > times.until {
		times.until = until
		c.dig(slot)
	}
}

// dig enters a tombstone into the queue of those to forget. Entries are not
// taken out when a member returns: they find nothing to do, and when they
// outnumber the tombstones the queue is made anew.
func (c *Core[ID, Addr]) dig(slot uint32) {
	c.tidyGraves()
	c.graves.push(c.roster.times(slot).until, 0, slot)
	if next, _ := c.graves.top(); !c.tasks[TimerForget].armed || next.at < c.tasks[TimerForget].due {
		c.arm(TimerForget, next.at.Sub(c.now))
	}
}

// tidyGraves drops the entries that find nothing to do, when they are too many.
func (c *Core[ID, Addr]) tidyGraves() {
	if c.graves.len() <= 2*(c.tally[Down]+c.tally[Left]+c.tally[tallyLone])+64 {
		return
	}
	old := c.graves.clone()
	c.graves = heap{}
	for old.len() > 0 {
		if e := old.pop(); c.rests(e.ref, e.at) {
			c.graves.push(e.at, 0, e.ref)
		}
	}
}

// rests reports whether a slot still holds a member that is gone, and is
// forgotten at that instant. One with a lone verdict is gone for us.
func (c *Core[ID, Addr]) rests(slot uint32, at Instant) bool {
	r := c.roster.at(slot)
	return r.flags&(isKnown|inActive) == isKnown && (!r.state.Active() || r.flags&isLone != 0) && c.roster.times(slot).until == at
}

// forgetDue forgets those whose time is over, and waits for the next.
func (c *Core[ID, Addr]) forgetDue() {
	for {
		next, any := c.graves.top()
		if !any {
			return
		}
		if next.at > c.now && planted != forgetEarly {
			c.arm(TimerForget, next.at.Sub(c.now))
			return
		}
		c.graves.pop()
		if c.rests(next.ref, next.at) && planted != forgetNobody {
			c.forget(next.ref)
		}
	}
}

// evict forgets the tombstone whose time would be over first. Members with a
// lone verdict lie among them, but are none.
func (c *Core[ID, Addr]) evict() {
	var lone []entry
	for c.graves.len() > 0 {
		e := c.graves.pop()
		if !c.rests(e.ref, e.at) {
			continue
		}
		if c.roster.at(e.ref).flags&isLone != 0 {
			lone = append(lone, e)
			continue
		}
		c.stats.Evicted++
		c.forget(e.ref)
		break
	}
	for _, e := range lone {
		c.graves.push(e.at, e.rank, e.ref)
	}
}

// forget drops a record, whatever its state, without a word.
func (c *Core[ID, Addr]) forget(slot uint32) {
	c.forgot(slot)
	r := c.roster.at(slot)
	if r.flags&inLost != 0 {
		c.roster.leave(&c.roster.lost, slot)
	}
	if r.doubt != 0 {
		c.doubts.drop(r.doubt)
		r.doubt = 0
	}
	c.backlog.remove(c.roster, slot)
	c.unsee(slot)
	c.tally[tallyOf(r)]--
	c.roster.remove(slot)
	c.tidyGraves()
}

// expel drops the record of an address that becomes our own.
func (c *Core[ID, Addr]) expel(slot uint32) {
	r := c.roster.at(slot)
	c.mend(slot, r)
	if r.flags&inActive != 0 {
		c.deactivate(slot, r, Left, false)
	}
	c.forget(slot)
}
