package swim

import "time"

// A task is something that runs by timer events.
type task struct {
	armed bool
	since Instant // when it was armed
	due   Instant // when it runs

	// An event can not be taken back, so the one that is outstanding stays in
	// use if it comes no later than the task is due: it is submitted again
	// when it comes. One that comes later is left behind, and of use again when
	// the task is due after it; what takes its place comes at half its time at
	// the latest. However often a task is armed anew, few are on their way. One
	// that is overdue may have got lost.
	outstanding bool
	event
	left   event  // stale unless it is of use again; the latest, if there are several
	newest uint32 // token
}

// An event is what a task knows of one that it submitted.
type event struct {
	token uint32  // every other one is stale
	at    Instant // when it comes
}

// arm lets a task run after a time, and not when it was armed for before.
func (c *Core[ID, Addr]) arm(k TimerKind, after time.Duration) {
	t := &c.tasks[k]
	t.armed = true
	t.since, t.due = c.now, c.now.Add(after)
	if !t.outstanding || t.at < c.now || t.at > t.due {
		c.submit(k)
	}
}

// submit makes sure that an event comes when a task is due, or before. One that
// is outstanding comes too late, and is left behind.
func (c *Core[ID, Addr]) submit(k TimerKind) {
	t := &c.tasks[k]
	var late event
	if t.outstanding {
		late = t.event
	}
	t.outstanding = true
	if t.left.at > c.now && t.left.at <= t.due {
		t.event, t.left = t.left, late
		return
	}
	if late.at > t.left.at {
		t.left = late
	}
	t.newest++
	t.event = event{token: t.newest, at: t.due}
	if late.at > c.now {
		t.at = min(t.at, c.now.Add(late.at.Sub(c.now)/2))
	}
	c.rt.SubmitAfter(Timer[ID]{Kind: k, Token: t.token}, t.at.Sub(c.now))
}

// armWithin lets a task run within a time, if it would not anyway.
func (c *Core[ID, Addr]) armWithin(k TimerKind, after time.Duration) {
	if t := &c.tasks[k]; !t.armed || t.due > c.now.Add(after) {
		c.arm(k, after)
	}
}

// armEvery is arm for a task that may be switched off.
func (c *Core[ID, Addr]) armEvery(k TimerKind, every time.Duration) {
	if every != Off {
		c.arm(k, every)
	}
}

// disarm ends a task until it is armed again.
func (c *Core[ID, Addr]) disarm(k TimerKind) { c.tasks[k].armed = false }

// HandleTimer takes back what [Runtime.SubmitAfter] was given. An event that
// was replaced does nothing; one that comes early, or whose task is due later
// by now, is submitted again; one that comes much too late makes the core
// suspect itself of having stood still.
//
// It returns [ErrNotConnected] for a probe event while no active member is
// known, or we left or are down, and [ErrIncompleteProbe] if the events of a
// probe came out of order; probing goes on after both.
func (c *Core[ID, Addr]) HandleTimer(t Timer[ID], rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if t.Kind == TimerSuspicion {
		if c.suspicionDue(t) {
			c.settle()
		}
		return nil
	}
	if t.Kind >= numTimerKinds || !c.tasks[t.Kind].outstanding || c.tasks[t.Kind].token != t.Token && planted != skipTokenCheck {
		return c.stale(t)
	}
	task := &c.tasks[t.Kind]
	if mended := c.stats.Mended; c.auditInTurn() && mended != c.stats.Mended {
		c.settle()
	}
	if !task.outstanding || task.token != t.Token && planted != skipTokenCheck {
		return nil // it waits for another now
	}
	if early := task.at.Sub(c.now); early > 0 && task.at <= task.due && planted != actEarly {
		rt.SubmitAfter(t, early)
		return nil
	}
	task.outstanding = false
	if !task.armed {
		return c.stale(t)
	}
	if t.Kind != TimerForget {
		// Members are forgotten after a day; nobody is wronged if that
		// happens late.
		c.checkPause(c.now.Sub(task.at))
	}
	if task.due > c.now && planted != actEarly {
		c.boundTask(t.Kind)
		c.submit(t.Kind)
		return nil
	}
	task.armed = false
	err := c.run(t.Kind)
	c.settle()
	return err
}

// stale handles an event that no task waits for.
func (c *Core[ID, Addr]) stale(t Timer[ID]) error {
	if t.Kind < numTimerKinds {
		if task := &c.tasks[t.Kind]; task.left.token == t.Token {
			task.left = event{} // it comes now
		}
		c.lostEvent(t.Kind)
	}
	if t.Kind == TimerProbe && c.us.phase != connected {
		return ErrNotConnected
	}
	c.count(DropStaleTimer)
	return nil
}

func (c *Core[ID, Addr]) run(k TimerKind) error {
	switch k {
	case TimerIndirect:
		c.askOthers()
	case TimerNack:
		c.nackDue()
	case TimerProbe:
		return c.nextProbe()
	case TimerAnnounce:
		c.announceToActive()
	case TimerAnnounceDown:
		c.contactLost()
	case TimerGossip:
		c.gossipDue()
	case TimerForget:
		c.forgetDue()
	}
	return nil
}

// A pause remembers that this process stood still, or hears nobody: then it is
// not the others who are silent.
type pause struct {
	// frozen is until when no verdict falls, unless a packet arrives; 0 if
	// verdicts may fall.
	frozen Instant
	heard  Instant // when somebody who is not down was heard last, or we connected
}

// heardSomebody notes that a packet reached us: verdicts may fall again.
func (c *Core[ID, Addr]) heardSomebody() {
	c.pause.frozen = 0
	c.pause.heard = c.now
}

// frozen is until when no verdict falls, if nobody is heard before: after a pause,
// and after hearing nobody for so long that it is likely to be our connection.
// Neither lasts longer than a suspicion that nobody confirms: the others may
// really be gone.
func (c *Core[ID, Addr]) frozen() Instant {
	until := c.pause.frozen
	if limit := c.cfg.DeafLimit; limit != Off && c.now.Sub(c.pause.heard) > limit && planted != judgeThoughDeaf {
		until = max(until, c.pause.heard.Add(limit).Add(c.longestWait()))
	}
	return until
}

// longestWait is how long the suspicion of a member that takes part lasts if
// nobody confirms it.
func (c *Core[ID, Addr]) longestWait() time.Duration {
	p := c.patience(c.roster.active.len() - 1)
	return p.wait(0)
}

// overdue reports whether an event is so late that there must have been a
// pause, of which only packets that waited have come in.
func (c *Core[ID, Addr]) overdue() bool {
	for k := range c.tasks {
		if t := &c.tasks[k]; t.armed && TimerKind(k) != TimerForget && c.stalled(c.now.Sub(t.due)) {
			return true
		}
	}
	return false
}

// stalled reports whether an event is too late for us to have run all the time.
func (c *Core[ID, Addr]) stalled(late time.Duration) bool {
	return c.cfg.StallLimit != Off && late > c.cfg.StallLimit
}

// checkPause is told how late an event came. Too late means that this process
// did not run: every deadline moves by that time, and the running probe is
// dropped, because its ack may lie unread. Packets that waited are handled
// before events, so some of it may have begun after the pause: nothing moves
// by more than its age.
func (c *Core[ID, Addr]) checkPause(late time.Duration) {
	if !c.stalled(late) {
		return
	}
	c.stats.Pauses++
	c.doubtOurselves(1)
	for k := range c.tasks {
		if t := &c.tasks[k]; TimerKind(k) != TimerForget {
			by := min(late, c.now.Sub(t.since))
			if TimerKind(k) == TimerNack {
				by = 0 // whoever asked did not stand still
			}
			t.since, t.due = t.since.Add(by), t.due.Add(by)
			t.at = max(t.at, c.now) // that its event is late is explained
		}
	}
	c.doubts.shift(late, c.now)
	if c.probe.running {
		c.probe.clear()
		c.stats.ProbesVoid++
	}
	c.pause.heard = c.pause.heard.Add(min(late, c.now.Sub(c.pause.heard)))
	c.pause.frozen = c.now.Add(c.longestWait())
}
