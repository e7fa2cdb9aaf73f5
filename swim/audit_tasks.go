package swim

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
