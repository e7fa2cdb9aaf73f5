package swim

import "iter"

// Self returns our own record. It is down after our identity was declared
// down and could not be renewed.
func (c *Core[ID, Addr]) Self() Member[ID] {
	m := Member[ID]{ID: c.us.id, Incarnation: c.us.inc, Metadata: c.us.meta, State: c.us.state()}
	if c.us.phase == undead {
		m.State = Down
	}
	return m
}

// Config returns the configuration in force, defaults filled in.
func (c *Core[ID, Addr]) Config() Config { return c.cfg }

// Stats returns the counters and sizes.
func (c *Core[ID, Addr]) Stats() Stats {
	s := c.stats
	s.Alive = c.tally[Alive]
	s.Suspect = c.tally[Suspect]
	s.Down = c.tally[Down]
	s.Left = c.tally[Left]
	s.Lone = c.tally[tallyLone]
	s.Health = c.health.doubt
	s.Backlog = c.backlog.len()
	s.Broadcasts = len(c.queue.items)
	s.Relays = c.relaysUnderWay()
	return s
}

// NumActive returns how many members take part, not counting ourselves.
func (c *Core[ID, Addr]) NumActive() int { return c.roster.active.len() }

// Member returns the member at an address as the owner was told of it: one
// with a lone verdict is down here.
func (c *Core[ID, Addr]) Member(at Addr) (Member[ID], bool) {
	slot, ok := c.roster.find(at)
	if !ok {
		return Member[ID]{}, false
	}
	return c.seen(c.roster.at(slot)), true
}

// seen is a record as the owner was told of it.
func (c *Core[ID, Addr]) seen(r *record[ID]) Member[ID] {
	m := r.member()
	if r.flags&isLone != 0 {
		m.State = Down
	}
	return m
}

// Active yields the members that take part, in no particular order but always
// the same. The core must not be changed meanwhile.
func (c *Core[ID, Addr]) Active() iter.Seq[Member[ID]] {
	return func(yield func(Member[ID]) bool) {
		for _, slot := range c.roster.active.slots {
			if !yield(c.roster.at(slot).member()) {
				return
			}
		}
	}
}

// Known yields everybody who is remembered, down and left ones too, as the
// owner was told of them. The core must not be changed meanwhile.
func (c *Core[ID, Addr]) Known() iter.Seq[Member[ID]] {
	return func(yield func(Member[ID]) bool) {
		for _, r := range c.roster.each {
			if !yield(c.seen(r)) {
				return
			}
		}
	}
}

// State yields everything that is remembered, as it is told to others, and
// our own record first: what [Core.Apply] of another core takes. The By of an
// update is valid until the next one. The core must not be changed meanwhile.
func (c *Core[ID, Addr]) State() iter.Seq[Update[ID]] {
	return func(yield func(Update[ID]) bool) {
		if !yield(Update[ID]{Member: c.Self()}) {
			return
		}
		for slot, r := range c.roster.each {
			var u Update[ID]
			c.fill(&u, r)
			if !r.state.Active() {
				u.Remaining = c.remaining(slot)
			}
			if !yield(u) {
				return
			}
		}
	}
}
