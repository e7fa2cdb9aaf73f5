package swim

// auditTally compares the counts of the members with the orders, which are
// lists and need no count.
func (c *Core[ID, Addr]) auditTally() {
	active, lost := c.roster.active.len(), c.roster.lost.len()
	t := &c.tally
	if t[Alive]+t[Suspect] != active || t[Down]+t[tallyLone] != lost || t[Left] != c.roster.count-active-lost ||
		min(t[Alive], t[Suspect], t[Down], t[Left], t[tallyLone]) < 0 || c.audit.slot >= c.roster.slots {
		if c.recount() {
			c.mended()
		}
	}
}

// recount counts the members, and reports whether the counts were wrong.
func (c *Core[ID, Addr]) recount() (wrong bool) {
	was, count := c.tally, c.roster.count
	c.tally, c.roster.count = [numTallies]int{}, 0
	for _, r := range c.roster.each {
		c.tally[tallyOf(r)]++
		c.roster.count++
	}
	return was != c.tally || count != c.roster.count
}

// auditMember mends what we know of one member.
func (c *Core[ID, Addr]) auditMember(slot uint32) {
	r := c.roster.at(slot)
	if r.flags&isKnown == 0 {
		return
	}
	c.mend(slot, r)
	c.auditPart(slot)
	if r.flags&inActive == 0 {
		c.auditTomb(slot)
	}
	if r.flags&isKnown == 0 || r.doubt == 0 {
		return
	}
	d := c.doubts.at(r.doubt)
	c.accusers(r, d)
	switch {
	case r.flags&inActive == 0:
	case r.state != Suspect:
		c.release(r)
	default:
		c.auditDoubt(r, d)
		if d.armed && c.now.Sub(d.due) > c.longest.period {
			// Its event got lost, or is late, and then it counts too.
			c.rt.SubmitAfter(Timer[ID]{Kind: TimerSuspicion, Token: d.token, ID: r.id}, 0)
		}
	}
}

// sound reports whether the state of a member fits to the order that it is in.
// The order is right: it is a list that the member is in, not a value.
func (r *record[ID]) sound() bool {
	switch r.flags & (inOrder | isLone) {
	case inActive:
		return r.state == Alive || r.state == Suspect && r.doubt != 0
	case inLost:
		return r.state == Down
	case inLost | isLone:
		return r.state == Suspect && r.doubt != 0
	case 0:
		return r.state == Left || r.flags&isKnown == 0
	default:
		return false
	}
}

// mend makes a record sound.
func (c *Core[ID, Addr]) mend(slot uint32, r *record[ID]) {
	if r.sound() {
		return
	}
	c.mended()
	c.touch(slot)
	c.stir(slot)
	lone := r.flags&isLone != 0
	r.flags &^= isLone
	switch r.flags & inOrder {
	case inActive:
		if r.state != Alive {
			r.state = Suspect
			c.doubt(r, r.inc, nil, origin{})
		}
	case inLost:
		r.state = Down
		if !lone && !c.cfg.Rules.SoleVerdict {
			// The milder of the two: it may refute.
			r.state, r.flags = Suspect, r.flags|isLone
			c.doubtOf(r)
		}
		c.restTomb(slot)
	default:
		r.state, r.inc = Left, 0
		c.release(r)
		c.restTomb(slot)
	}
	c.recount()
}

// restTomb enters a member that is gone among those to forget.
func (c *Core[ID, Addr]) restTomb(slot uint32) {
	times := c.roster.times(slot)
	if times.until <= c.now || !c.within(times.until, c.longest.memory) {
		times.until = c.now.Add(c.cfg.ForgetAfter)
	}
	c.dig(slot)
}

// auditTomb mends until when a member that is gone is remembered. One whose
// time is long over lies in the queue under another moment, or its event got
// lost: it is forgotten now.
func (c *Core[ID, Addr]) auditTomb(slot uint32) {
	switch times := c.roster.times(slot); {
	case !c.within(times.until, c.longest.memory):
		c.mended()
		c.touch(slot)
		c.restTomb(slot)
	case times.until <= c.now-Instant(c.longest.period):
		c.forget(slot)
	}
}

// auditDoubt mends a doubt about a member that takes part, so that it ends.
func (c *Core[ID, Addr]) auditDoubt(r *record[ID], d *doubt[ID, Addr]) {
	l := &c.longest
	if !c.past(d.asked) {
		d.asked = c.now
		c.mended()
	}
	if !c.past(d.since) || d.least <= 0 || d.least > l.least || d.most < d.least || d.most > l.suspicion ||
		d.lag < 0 || d.lag > l.spread || d.enough >= MaxAccusers {
		c.sized = sized{} // it may be what is wrong
		d.patience = c.patience(c.roster.active.len() - 1)
		d.lag = c.size().spread
		c.mended()
	}
	if c.cfg.Rules.AccuserDeadline && !d.ours || c.us.phase == gone {
		return
	}
	if at := d.deadline(); !d.armed || d.due < 0 || d.due > max(at, c.now.Add(l.period)) {
		c.wake(r, d, at)
		c.mended()
	}
}

// accusers returns who accuses a member: distinct addresses, and not its own.
// Others would refuse a packet that says anything else.
func (c *Core[ID, Addr]) accusers(r *record[ID], d *doubt[ID, Addr]) []ID {
	var nobody ID
	n := min(d.n, MaxAccusers)
	for i := uint8(0); i < n; i++ {
		wrong := d.by[i] == nobody || d.by[i].Addr() == r.id.Addr()
		for _, other := range d.by[:i] {
			wrong = wrong || other.Addr() == d.by[i].Addr()
		}
		if wrong {
			n--
			d.by[i] = d.by[n]
			d.told = d.told&^(1<<i) | d.told>>n&1<<i
			d.told &^= 1 << n
			i--
		}
	}
	if n != d.n {
		d.n = n
		c.mended()
	}
	return d.by[:n]
}

// auditPart mends what a member adds to the digest.
func (c *Core[ID, Addr]) auditPart(slot uint32) {
	r := c.roster.at(slot)
	if (c.audit.turn/4+slot)%4 != 0 || !c.synchronises() {
		return // it takes a hash
	}
	if r.flags&isStirred != 0 && len(c.view.stale) > 0 {
		return // it will be, when the digest is needed
	}
	if part, want := &c.roster.times(slot).part, c.due(r); *part != want {
		*part = want // what is in the sum nobody knows
		c.recountView()
	} else if r.flags&isStirred != 0 {
		r.flags &^= isStirred
		c.stir(slot)
	}
}

// auditView compares the digest with its parts: one of them may have been wrong
// when it was taken out.
func (c *Core[ID, Addr]) auditView() {
	if sum, members := c.parts(); sum != c.view.sum || members != c.view.members {
		c.recountView()
	}
}

// parts adds up the parts of the digest.
func (c *Core[ID, Addr]) parts() (sum uint64, members uint32) {
	sum = c.view.ours
	if sum != 0 {
		members++
	}
	for slot := range c.roster.slots {
		if part := c.roster.times(slot).part; part != 0 {
			sum ^= part
			members++
		}
	}
	return sum, members
}

// recountView works the digest out anew.
func (c *Core[ID, Addr]) recountView() {
	c.mended()
	v := &c.view
	v.ours, v.known = c.partOf(c.us.id, c.us.meta), true
	v.sum, v.members = c.parts()
	v.again, v.changed = v.mark(), c.now
}
