package swim

import "time"

// A doubt is what we hold against one member: who accuses it, and until when
// it may refute. Every holder of a suspicion runs its own deadline, so that a
// suspicion ends even if its only accuser is gone.
//
// "[...] the Suspicion subprotocol [...] marks the member as suspected [...]
// treated as a non-faulty member [...] for the purposes of ping target
// selection." SWIM, section 4.2.
type doubt[ID Identity[ID, Addr], Addr comparable] struct {
	accusers[ID]
	ours bool // our own probe failed
	patience

	asked Instant // when it was asked for a last word; 0 if it was not yet
	due   Instant // when the outstanding timer event comes
	token uint32  // of that event
	armed bool
}

// deadline is when the verdict falls.
func (d *doubt[ID, Addr]) deadline() Instant { return d.patience.deadline(d.confirmed()) }

// lookAt is when the suspicion is to be looked at: in time before the verdict to ask
// the suspect for a last word, and then when the verdict falls.
func (c *Core[ID, Addr]) lookAt(d *doubt[ID, Addr]) Instant {
	at := d.deadline()
	switch {
	case c.cfg.Rules.SilentSuspicion:
		return at
	case d.asked == 0:
		return at.Add(-min(2*c.cfg.RoundTrip, d.least/2))
	default:
		return max(at, d.asked.Add(c.cfg.RoundTrip))
	}
}

// doubts is a table of doubts, with places that are used again. A place is
// named by its number + 1, so that zero is none.
type doubts[ID Identity[ID, Addr], Addr comparable] struct {
	pages []*[doubtPage]doubt[ID, Addr]
	used  uint32
	free  []uint32
	token uint32 // of the newest timer event
}

const doubtPage = 256

func (t *doubts[ID, Addr]) at(ref uint32) *doubt[ID, Addr] {
	i := ref - 1
	return &t.pages[i/doubtPage][i%doubtPage]
}

// add returns a vacant place, which is zero.
func (t *doubts[ID, Addr]) add() uint32 {
	if n := len(t.free); n > 0 {
		ref := t.free[n-1]
		t.free = t.free[:n-1]
		return ref
	}
	if t.used%doubtPage == 0 && int(t.used/doubtPage) == len(t.pages) {
		t.pages = append(t.pages, new([doubtPage]doubt[ID, Addr]))
	}
	t.used++
	return t.used
}

func (t *doubts[ID, Addr]) drop(ref uint32) {
	*t.at(ref) = doubt[ID, Addr]{}
	t.free = append(t.free, ref)
}

// shift moves every deadline by the length of a pause, or by the age of the
// suspicion if it began after it. Events that are overdue find that out when
// they come; that they are late is explained by this pause.
func (t *doubts[ID, Addr]) shift(pause time.Duration, now Instant) {
	for ref := uint32(1); ref <= t.used && planted != countPause; ref++ {
		d := t.at(ref)
		d.since = d.since.Add(min(pause, now.Sub(d.since)))
		d.due = max(d.due, now)
	}
}

// doubtOf returns the doubt of a record, making one if it has none.
func (c *Core[ID, Addr]) doubtOf(r *record[ID]) *doubt[ID, Addr] {
	if r.doubt == 0 {
		r.doubt = c.doubts.add()
	}
	return c.doubts.at(r.doubt)
}

// doubt makes a member suspect at an incarnation, and starts the time in which
// it may refute. Those who only heard of it wait for as long as gossip takes
// longer, so that a refutation reaches them first.
func (c *Core[ID, Addr]) doubt(r *record[ID], inc Incarnation, by []ID, o origin) {
	d := c.doubtOf(r)
	d.n, d.told, d.ours, d.asked = 0, 0, o.ours, 0
	if d.since == 0 || planted != inheritDeadline {
		others := c.roster.active.len()
		if r.flags&inActive != 0 {
			others--
		}
		d.patience = c.patience(others)
	}
	r.inc = inc
	c.become(r, Suspect, false)
	if o.ours {
		c.addAccuser(d, c.us.id, true)
	} else {
		d.lag = c.size().spread
		c.accuse(d, r.id, by, o)
	}
	c.watch(r, d)
}

// doubted tells an owner who asked for it that an active member is doubted.
func (c *Core[ID, Addr]) doubted(slot uint32, r *record[ID], ours bool) {
	if c.cfg.Notify.Suspect {
		c.notify(Notification[ID]{Kind: NotifySuspect, Member: r.member(), Cause: c.cause(slot, r, !ours)})
	}
}

// corroborate merges a record that says what we know already: accusers add up,
// and of two goodbyes the one that is remembered longer counts.
func (c *Core[ID, Addr]) corroborate(slot uint32, r *record[ID], u *Update[ID], o origin) bool {
	switch r.state {
	case Suspect:
		d := c.doubts.at(r.doubt)
		told := d.told
		more := c.accuse(d, r.id, u.By, o)
		if d.told != told && r.flags&isLone == 0 {
			c.watch(r, d)
		}
		if !more {
			return false
		}
		if r.flags&isLone != 0 && d.n >= 2 {
			c.bury(slot, r, Down, 0)
			c.mourn(r.id)
		}
		return true
	case Down:
		more := len(u.By) > 0 && c.accuse(c.doubtOf(r), r.id, u.By, o)
		c.remember(slot, u.Remaining)
		return more
	case Left:
		c.remember(slot, u.Remaining)
	}
	return false
}

// accuseByProbe handles that our own probe of a member failed. It counts only
// for the incarnation that was probed.
func (c *Core[ID, Addr]) accuseByProbe(slot uint32, r *record[ID], inc Incarnation) {
	c.mend(slot, r)
	if r.inc != inc && planted != accuseStaleIncarnation || !r.state.Active() {
		return
	}
	c.touch(slot)
	if planted == accuseNextIncarnation {
		inc++
	}
	if r.state == Alive {
		c.doubt(r, inc, nil, origin{ours: true})
		c.doubted(slot, r, true)
		c.backlog.push(c.roster, slot, prioSuspect)
		return
	}
	d := c.doubts.at(r.doubt)
	if d.ours {
		return
	}
	d.ours, d.lag = true, 0
	if c.addAccuser(d, c.us.id, true) {
		c.tell(slot, r, origin{ours: true, tell: true}, prioConfirm)
	}
	c.watch(r, d)
}

// watch keeps one timer event outstanding that comes no later than the
// deadline. One that comes earlier is submitted again then, so that a member
// has few, however often it is doubted.
func (c *Core[ID, Addr]) watch(r *record[ID], d *doubt[ID, Addr]) {
	if c.cfg.Rules.AccuserDeadline && !d.ours {
		return
	}
	if at := c.lookAt(d); !d.armed || at < d.due {
		c.wake(r, d, at)
	}
}

// wake submits the timer event of a suspicion. It never lies further ahead than
// the least time to refute: confirmations may move the deadline to there, and the
// event that they replace can not be taken back.
func (c *Core[ID, Addr]) wake(r *record[ID], d *doubt[ID, Addr], at Instant) {
	c.doubts.token++
	d.token = c.doubts.token
	d.due, d.armed = min(max(at, c.now), c.now.Add(max(d.least, c.cfg.Period)).Add(max(d.lag, 0))), true
	c.rt.SubmitAfter(Timer[ID]{Kind: TimerSuspicion, Token: d.token, ID: r.id}, d.due.Sub(c.now))
}

// suspicionDue handles the timer event of a suspicion, and reports whether it
// was the one that was waited for.
func (c *Core[ID, Addr]) suspicionDue(t Timer[ID]) bool {
	slot, known := c.roster.find(t.ID.Addr())
	if !known || c.roster.at(slot).doubt == 0 {
		c.count(DropStaleTimer)
		return false
	}
	r := c.roster.at(slot)
	if c.mend(slot, r); r.doubt == 0 {
		c.count(DropStaleTimer)
		return false
	}
	d := c.doubts.at(r.doubt)
	if r.state == Suspect && r.flags&inActive != 0 {
		c.auditDoubt(r, d)
	}
	if !d.armed || d.token != t.Token {
		c.count(DropStaleTimer)
		return false
	}
	if early := d.due.Sub(c.now); early > 0 {
		if planted != swallowEarlyEvent {
			c.rt.SubmitAfter(t, early)
		}
		return false
	}
	c.checkPause(c.now.Sub(d.due))
	d.armed = false
	switch {
	case r.state == Alive && planted != judgeTheRefuted || r.state == Left:
		c.release(r)
	case r.state == Down || r.flags&isLone != 0:
	case c.us.phase == gone:
		// Those who left judge nobody.
	case c.lookAt(d) > c.now:
		c.wake(r, d, c.lookAt(d))
	case c.renewal.wanted:
		// Nobody listens to this life any more: a refutation would not reach it.
		c.wake(r, d, c.now.Add(c.cfg.Period))
	case c.now < c.frozen():
		if c.now >= c.pause.frozen {
			c.stats.Deaf++
		}
		c.wake(r, d, min(c.frozen(), c.now.Add(c.cfg.Period)))
	case d.asked == 0 && !c.cfg.Rules.SilentSuspicion && planted != skipLastWord:
		c.askLast(slot, r, d)
	default:
		c.judge(slot, r, d)
	}
	return true
}

// askLast tells a suspect once more, before the verdict: gossip may have missed us
// with its refutation, and nobody else would notice.
func (c *Core[ID, Addr]) askLast(slot uint32, r *record[ID], d *doubt[ID, Addr]) {
	d.asked = max(c.now, 1)
	c.post(slot, Header[ID]{Dst: r.id, Message: MessageGossip}, c.cfg.MaxPacket, bare)
	c.wake(r, d, c.lookAt(d))
}

// judge ends a suspicion that nobody refuted. A verdict needs company: with a
// single accuser it may be that one who is cut off, so the member is down for
// our owner, but for the others it stays a suspect, and its next word brings
// it back.
func (c *Core[ID, Addr]) judge(slot uint32, r *record[ID], d *doubt[ID, Addr]) {
	c.touch(slot)
	if !c.cfg.Rules.SoleVerdict && d.n < 2 && planted != condemnAlone {
		c.stats.LoneVerdicts++
		c.become(r, Suspect, true)
		c.deactivate(slot, r, Down, false)
		c.roster.times(slot).until = c.now.Add(c.cfg.ForgetAfter)
		c.dig(slot)
		return
	}
	c.end(slot, r, Down, 0, false)
	c.backlog.push(c.roster, slot, prioVerdict)
	c.turnUndead(r.id, r.inc, r.id, c.cfg.MaxPacket)
	c.mourn(r.id)
}

// othersJudge reports whether a verdict need not reach everybody: who holds the
// suspicion judges by itself, and digests find out who does not.
func (c *Core[ID, Addr]) othersJudge() bool {
	return c.synchronises() && !c.cfg.Rules.AccuserDeadline
}

// patient reports whether a suspect has had its time to refute. While we stood
// still it had none.
func (c *Core[ID, Addr]) patient(r *record[ID]) bool {
	d := c.doubts.at(r.doubt)
	return r.flags&isLone != 0 || c.now >= d.since.Add(d.least) && !c.overdue()
}

// excuse gives a suspect that answered us its full time again: it may only not
// have heard of the suspicion yet.
func (c *Core[ID, Addr]) excuse(r *record[ID], pinged Instant) {
	if r.state != Suspect || r.doubt == 0 || c.cfg.Rules.SilentSuspicion || planted == excuseNobody {
		return
	}
	if d := c.doubts.at(r.doubt); pinged >= d.since {
		d.since, d.asked = c.now, 0
	}
}

// doubtAnew gives every suspect its full time again, after deadlines meant
// nothing: those that passed meanwhile are without an event.
func (c *Core[ID, Addr]) doubtAnew() {
	for slot, r := range c.roster.each {
		c.mend(slot, r)
		if r.state == Suspect && r.flags&isLone == 0 {
			d := c.doubts.at(r.doubt)
			d.since, d.asked = c.now, 0
			c.watch(r, d)
		}
	}
}

// release ends the doubt about a member. Its place is kept while a timer event
// is outstanding, which then finds nothing to do.
func (c *Core[ID, Addr]) release(r *record[ID]) {
	if r.doubt == 0 {
		return
	}
	d := c.doubts.at(r.doubt)
	if d.armed {
		d.n, d.told, d.ours, d.asked = 0, 0, false, 0
		return
	}
	c.doubts.drop(r.doubt)
	r.doubt = 0
}

// cause says why a member is doubted or gone.
func (c *Core[ID, Addr]) cause(slot uint32, r *record[ID], gossiped bool) Cause[ID] {
	cause := Cause[ID]{Gossiped: gossiped, LastHeard: c.roster.times(slot).heard}
	if r.doubt == 0 {
		return cause
	}
	if d := c.doubts.at(r.doubt); d.n > 0 {
		cause.Accuser = d.by[0]
		cause.Confirmed = d.n - 1
		return cause
	}
	return cause
}
