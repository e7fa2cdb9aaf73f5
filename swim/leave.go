package swim

import (
	"slices"
	"time"
)

// leaving is a goodbye under way: pings to random members until enough of
// them have acked one.
type leaving[ID any] struct {
	until Instant
	first uint32 // number of its first ping
	acked []ID
}

// Leave says goodbye. From now on every header says that we left; when some
// members have acked that, or after Config.LeaveTimeout, NotifyDefunct comes.
// The way back is [Core.ChangeIdentity]. A second call is [ErrLeft]. One who is
// alone, or down for good, has left at once.
func (c *Core[ID, Addr]) Leave(rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if c.us.phase == saysGoodbye || c.us.phase == gone {
		return ErrLeft
	}
	before := c.us.phase
	c.us.phase = saysGoodbye
	c.us.stand()
	c.renewal.wanted = false
	c.stopTasks()
	c.disarm(TimerAnnounceDown)
	if before != connected {
		c.goodbyeDone()
		return nil
	}
	c.leaving = leaving[ID]{until: c.now.Add(c.cfg.LeaveTimeout), first: c.limits.number(c.probe.number)}
	c.sayGoodbye()
	return nil
}

// sayGoodbye pings some random members; their acks say that they know.
func (c *Core[ID, Addr]) sayGoodbye() {
	if c.now >= c.leaving.until || c.roster.active.len() == 0 {
		c.goodbyeDone()
		return
	}
	c.arm(TimerGossip, min(c.goodbyeEvery(), c.leaving.until.Sub(c.now)))
	c.probe.number = c.limits.number(c.probe.number)
	c.sample = c.roster.sample(&c.roster.active, c.goodbyeNeeds(), c.rnd, c.sample, func(slot uint32) bool {
		return slices.Contains(c.leaving.acked, c.roster.at(slot).id)
	})
	for _, slot := range c.sample {
		c.post(slot, Header[ID]{Dst: c.roster.at(slot).id, Message: MessagePing, Number: c.probe.number}, c.cfg.MaxPacket, full)
	}
}

func (c *Core[ID, Addr]) goodbyeEvery() time.Duration {
	if c.cfg.Gossip.Every == Off {
		return c.cfg.Period
	}
	return c.cfg.Gossip.Every
}

// goodbyeNeeds is how many members have to know before we may go.
func (c *Core[ID, Addr]) goodbyeNeeds() int {
	return min(max(c.cfg.IndirectProbes, 1), c.roster.active.len())
}

// goodbyeAcked handles that a member knows.
func (c *Core[ID, Addr]) goodbyeAcked(h *Header[ID], r *record[ID]) error {
	l := &c.leaving
	if !c.limits.between(l.first, h.Number, c.probe.number) || slices.Contains(l.acked, h.Src) {
		return c.drop(DropStaleAck)
	}
	r.flags |= isVerified
	l.acked = append(l.acked, h.Src)
	if len(l.acked) >= c.goodbyeNeeds() {
		c.goodbyeDone()
	}
	return nil
}

// goodbyeDone ends the goodbye.
func (c *Core[ID, Addr]) goodbyeDone() {
	c.us.phase = gone
	c.disarm(TimerGossip)
	c.leaving.acked = nil
	c.leaving.until = c.now
	c.notify(Notification[ID]{Kind: NotifyDefunct, Member: c.Self()})
}
