package swim

import "time"

// An audit mends what can not be true. Memory fails now and then, and a member
// that goes on with what a failed bit made of its state would be wrong for
// ever: waiting for an event that never comes, or refusing what a moment in
// the future forbids. Nobody can know what was there before, so what is mended
// becomes what does least harm and is corrected by the protocol: a member
// whose state contradicts its place becomes a suspect, who may refute; a
// moment that no configuration could have set becomes now.
//
// What is of fixed size is looked at once in four periods, a part in each, by
// whatever input comes then, and of the members a few in turn. Records are also looked at when
// something happens to them.
type audit struct {
	last Instant // when it was looked
	turn uint32  // how often
	slot uint32  // whose turn it is in the roster
	late uint8   // which tasks were overdue
}

// auditSlots is how many slots of the roster are looked at every fourth time.
const auditSlots = 16

// limits are the longest times that any configuration so far could set.
type limits struct {
	members   int // that there may be
	tasks     [numTimerKinds]time.Duration
	period    time.Duration
	least     time.Duration // to refute
	suspicion time.Duration // while nobody confirms it
	spread    time.Duration
	memory    time.Duration
	leave     time.Duration
}

// cover extends the limits to those of a configuration.
func (l *limits) cover(cfg *Config) {
	// Those who are known stay when there may be fewer.
	l.members = max(l.members, cfg.Members, cfg.MaxMembers+1)
	most := l.members
	l.period = max(l.period, cfg.Period)
	doubt := 1 + max(cfg.MaxHealth, 0) // as a factor, when it is greatest
	least := suspicionTime(most, cfg.SuspicionFactor, cfg.Period)
	l.least = max(l.least, least)
	l.suspicion = max(l.suspicion, multiple(least, cfg.MaxSuspicion))
	l.spread = max(l.spread, spreadTime(most, max(cfg.Period, cfg.Gossip.Every)))
	l.memory = max(l.memory, cfg.ForgetAfter)
	l.leave = max(l.leave, cfg.LeaveTimeout)
	for k, every := range [numTimerKinds]time.Duration{
		TimerIndirect:     multiple(cfg.RoundTrip, doubt),
		TimerNack:         multiple(cfg.Period, maxRelayPeriods),
		TimerProbe:        multiple(cfg.Period, doubt),
		TimerAnnounce:     cfg.Announce.Every,
		TimerAnnounceDown: cfg.AnnounceDown.Every,
		TimerGossip:       cfg.Gossip.Every,
		TimerForget:       cfg.ForgetAfter,
	} {
		l.tasks[k] = max(l.tasks[k], every, cfg.Period)
	}
}

// past reports whether a moment is one that may lie behind us.
func (c *Core[ID, Addr]) past(t Instant) bool { return t >= 0 && t <= c.now }

// within reports whether a moment is at most so far ahead.
func (c *Core[ID, Addr]) within(t Instant, ahead time.Duration) bool {
	return t >= 0 && t <= c.now.Add(ahead)
}

// mended counts what was mended.
func (c *Core[ID, Addr]) mended() { c.stats.Mended++ }

// auditInTurn looks, if a period has passed, and reports whether. A last time
// that lies in the future counts as long ago.
func (c *Core[ID, Addr]) auditInTurn() (looked bool) {
	if uint64(c.now-c.audit.last) < uint64(c.cfg.Period) {
		return false
	}
	c.look()
	return true
}

// look is one audit: a quarter of everything, so that it costs a probe round
// little.
func (c *Core[ID, Addr]) look() {
	c.audit.last = c.now
	c.audit.turn++
	switch c.audit.turn % 4 {
	case 0:
		c.auditOurselves()
		c.auditMoments()
	case 1:
		c.auditTasks()
	case 2:
		c.auditBacklog()
		c.auditTally()
	default:
		c.auditMembers()
	}
}

// auditMembers looks at the members whose turn it is.
func (c *Core[ID, Addr]) auditMembers() {
	for range min(auditSlots, c.roster.slots) {
		if c.audit.slot >= c.roster.slots {
			c.audit.slot = 0
		}
		c.auditMember(c.audit.slot)
		c.audit.slot++
	}
}

// rewind takes the time from the clock when ours got lost. What was decided in a
// wrong time lies ahead now and would wait for ever, so all is looked at.
func (c *Core[ID, Addr]) rewind(now Instant) {
	c.mended()
	c.now, c.again = now, now
	c.graves = heap{}
	for slot, r := range c.roster.each {
		if c.auditMember(slot); !r.state.Active() || r.flags&isLone != 0 {
			times := c.roster.times(slot)
			times.until = min(times.until, now.Add(c.longest.memory))
			c.dig(slot)
		}
	}
	for range 4 {
		c.look()
	}
}

// A standing is how we stand to the cluster, in words that differ in many
// bits: no failed bit makes one from another. It is kept beside the phase,
// twice, because nobody else knows that our owner said goodbye.
type standing uint64

const (
	standsIn   standing = 0x5a17c3e96b0f84d2
	standsOut  standing = 0xc6d80b7495e3a13f
	standsDead standing = 0x39b2f6184cad507e
)

// standing of a phase.
func (p phase) standing() standing {
	switch p {
	case disconnected, connected:
		return standsIn
	case saysGoodbye, gone:
		return standsOut
	default:
		return standsDead
	}
}

// stand notes how we stand from now on.
func (u *ourselves[ID, Addr]) stand() {
	u.stands = [2]standing{u.phase.standing(), u.phase.standing()}
}

// stood is how we stood when that was last noted. If both notes are lost we
// take part: then an owner who said goodbye can say it again.
func (u *ourselves[ID, Addr]) stood() standing {
	for _, s := range u.stands {
		if s == standsIn || s == standsOut || s == standsDead {
			return s
		}
	}
	return standsIn
}

// auditOurselves mends our own record. An incarnation or version that is too
// low the others tell us of; one that is too high is as good as any.
func (c *Core[ID, Addr]) auditOurselves() {
	u := &c.us
	stood := u.stood()
	if u.stands[0] != stood || u.stands[1] != stood {
		u.stands = [2]standing{stood, stood}
		c.mended()
	}
	if u.phase > undead || u.phase.standing() != stood {
		c.mended()
		c.restore(stood)
	}
	if u.addr != u.id.Addr() {
		u.addr = u.id.Addr()
		c.mended()
	}
	if slot, known := c.roster.find(u.addr); known {
		c.mend(slot, c.roster.at(slot))
		c.expel(slot)
		c.mended()
	}
	if u.untold < 0 || u.untold > MaxTransmissions {
		u.untold = c.size().transmissions
		c.mended()
	}
}

// restore takes us to a phase of the standing.
func (c *Core[ID, Addr]) restore(stood standing) {
	switch {
	case stood == standsIn:
		c.us.phase = disconnected // the end of the input connects us
	case stood == standsDead:
		c.us.phase = undead
	case c.leaving.until > c.now:
		c.us.phase = saysGoodbye
	default:
		c.us.phase = gone
	}
}

// auditMoments mends the moments of what there is only once.
func (c *Core[ID, Addr]) auditMoments() {
	w := &c.renewal
	if !c.past(w.last) || !c.past(w.trigger) || w.wait < 0 || w.wait > maxRenewalWait {
		w.last, w.trigger, w.wait = c.now, c.now, 0
		c.mended()
	}
	if !c.within(c.pause.frozen, c.longest.suspicion) {
		c.pause.frozen = 0
		c.mended()
	}
	if !c.past(c.pause.heard) {
		c.pause.heard = c.now
		c.mended()
	}
	if h := &c.health; h.doubt < 0 || h.doubt > maxHealth {
		h.doubt = 0
		c.mended()
	}
	c.roster.active.bound()
	c.roster.lost.bound()
	if q := &c.queue; q.credit < 0 || q.credit > maxDatagram {
		q.credit = 0
		c.mended()
	}
	if c.todo.refuted > c.now {
		c.todo.refuted = c.now
		c.mended()
	}
	if !c.within(c.leaving.until, c.longest.leave) {
		c.leaving.until = c.now.Add(c.cfg.LeaveTimeout)
		c.mended()
	}
	for i := range c.relays {
		most := c.longest.tasks[TimerNack]
		if r := &c.relays[i]; !c.within(r.until, most) || !c.within(r.nackAt, most) {
			r.until, r.nackAt = c.now, 0
			c.mended()
		}
	}
	if c.audit.turn%64 == 0 {
		c.sized = sized{} // it costs more to check it than to work it out
	}
}

// auditTasks makes sure that the tasks run that should, and no others.
func (c *Core[ID, Addr]) auditTasks() {
	for k := range TimerKind(numTimerKinds) {
		c.auditTask(k)
	}
	if c.us.phase == connected {
		if !c.tasks[TimerProbe].armed {
			c.arm(TimerProbe, c.cfg.Period)
			c.mended()
		}
		if !c.tasks[TimerAnnounce].armed && c.cfg.Announce.Every != Off {
			c.arm(TimerAnnounce, c.cfg.Announce.Every)
			c.mended()
		}
		if !c.tasks[TimerNack].armed {
			c.armNack()
		}
	}
	if c.us.phase == saysGoodbye && !c.tasks[TimerGossip].armed {
		c.arm(TimerGossip, c.goodbyeEvery())
		c.mended()
	}
	if c.us.present() {
		c.armContact()
	}
	forget := &c.tasks[TimerForget]
	if next, any := c.graves.top(); any && (!forget.armed || forget.due > max(next.at, c.now)) {
		c.arm(TimerForget, max(0, next.at.Sub(c.now)))
		c.mended()
	}
}

// auditTask mends one task. An event that is overdue by more than a period, and
// was the last time, got lost, or we stood still for long. It is submitted again
// as it was, so that one that is only late counts too, and shows how late it is.
func (c *Core[ID, Addr]) auditTask(k TimerKind) {
	t, bit := &c.tasks[k], uint8(1)<<k
	late := c.audit.late&bit != 0
	c.audit.late &^= bit
	if !c.within(t.left.at, c.longest.tasks[k]) {
		t.left = event{}
		c.mended()
	}
	if !t.armed {
		return
	}
	if !c.runs(k) {
		c.disarm(k)
		c.mended()
		return
	}
	c.boundTask(k)
	switch {
	case !t.outstanding || t.at < 0 || t.at > max(t.due, c.now):
		t.outstanding = false // nobody knows when it comes
		c.submit(k)
		c.mended()
	case c.now.Sub(t.at) <= c.longest.period:
	case !late:
		c.audit.late |= bit
	default:
		c.rt.SubmitAfter(Timer[ID]{Kind: k, Token: t.token}, 0)
	}
}

// runs reports whether a task may run in our phase.
func (c *Core[ID, Addr]) runs(k TimerKind) bool {
	switch k {
	case TimerIndirect, TimerNack, TimerProbe:
		return c.us.phase == connected
	case TimerGossip:
		return c.us.phase == connected || c.us.phase == saysGoodbye
	case TimerAnnounce, TimerAnnounceDown:
		return c.us.present()
	default:
		return true
	}
}

// boundTask bounds when a task is due.
func (c *Core[ID, Addr]) boundTask(k TimerKind) {
	t := &c.tasks[k]
	if !c.past(t.since) {
		t.since = c.now
		c.mended()
	}
	if !c.within(t.due, c.longest.tasks[k]) {
		t.due = c.now
		c.mended()
	}
}

// lostEvent handles an event that no task waits for. It may be the one that the
// task should wait for.
func (c *Core[ID, Addr]) lostEvent(k TimerKind) {
	t := &c.tasks[k]
	if !t.armed {
		if k == TimerProbe && c.us.phase == connected {
			c.arm(k, c.cfg.Period)
			c.mended()
		}
		return
	}
	c.boundTask(k)
	switch {
	case !t.outstanding:
		c.submit(k)
		c.mended()
	case t.at <= c.now: // and its event has not come before this one
		c.rt.SubmitAfter(Timer[ID]{Kind: k, Token: t.token}, 0)
	}
}

// auditBacklog counts anew what waits to be told, one priority in turn.
func (c *Core[ID, Addr]) auditBacklog() {
	if c.backlog.rings[c.audit.turn/4%uint32(numPriorities)].recount() {
		c.mended()
	}
}

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

// sweep mends the records that were to be told and can not be written. Those
// of nobody leave the backlog.
func (c *Core[ID, Addr]) sweep(slots []uint32) {
	for _, slot := range slots {
		if r := c.roster.at(slot); r.flags&isKnown == 0 {
			c.backlog.purge(slot)
			c.mended()
		} else {
			c.mend(slot, r)
		}
	}
}

// purge takes out whatever is queued about a slot, wherever it is.
func (b *backlog) purge(slot uint32) {
	for p := range b.rings {
		r := &b.rings[p]
		for place := r.bound[MaxTransmissions]; place != r.bound[0]; place++ {
			if *r.at(place) == slot {
				r.remove(place)
			}
		}
	}
}

// recount counts the items anew if the counts do not add up, and reports
// whether they were wrong.
func (r *ring) recount() (wrong bool) {
	sum := r.live[MaxTransmissions]
	wrongs := sum // negative as soon as one is: every core does this in every period
	for told := range MaxTransmissions {
		n := r.live[told]
		sum += n
		wrongs |= n | (int(r.bound[told]-r.bound[told+1]) - n)
	}
	if sum == r.count && wrongs >= 0 {
		return false
	}
	r.live, r.count = [MaxTransmissions + 1]int{}, 0
	for told := range MaxTransmissions {
		for place := r.bound[told+1]; place != r.bound[told]; place++ {
			if *r.at(place) != hole {
				r.live[told]++
				r.count++
			}
		}
	}
	return true
}
