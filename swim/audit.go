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
// whatever input comes then, and of the members a few in turn. Records are also
// looked at when something happens to them.
type audit struct {
	last Instant // when it was looked
	turn uint32  // how often
	slot uint32  // whose turn it is in the roster
	late uint8   // which tasks were overdue
}

// auditSlots is how many slots of the roster are looked at every fourth time.
const auditSlots = 16

// extremes are the longest times that any configuration so far could set.
type extremes struct {
	members   int // that there may be
	tasks     [numTimerKinds]time.Duration
	period    time.Duration
	least     time.Duration // to refute
	suspicion time.Duration // while nobody confirms it
	spread    time.Duration
	memory    time.Duration
	leave     time.Duration
}

// cover extends the extremes to those of a configuration.
func (l *extremes) cover(cfg *Config) {
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
	if every := 64 + c.roster.slots/64*4; c.audit.turn%every == 0 && c.synchronises() { // so that it costs the same among many
		c.auditView()
	}
	c.auditSync()
}

// auditSync mends the moments of what is reconciled.
func (c *Core[ID, Addr]) auditSync() {
	for _, t := range [...]*Instant{&c.view.changed, &c.sync.agreed, &c.sync.heard, &c.sync.began} {
		if !c.past(*t) {
			*t = c.now
			c.mended()
		}
	}
	if !c.within(c.eager.used, eagerBurst*c.longest.tasks[TimerGossip]) {
		c.eager.used = c.now
		c.mended()
	}
	if !c.within(c.liaison.until, 4*c.longest.spread) {
		c.liaison.until = c.now
		c.mended()
	}
}
