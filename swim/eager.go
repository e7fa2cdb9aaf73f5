package swim

// News that reach a member are passed on at once, not only with the next round of
// gossip: a round that tells what was never told comes within a twentieth of the
// time between two, so that what arrives together goes out together. In a long run
// there is one such round for each ordinary one.
type eager struct {
	used Instant // until when they are used up
	next bool    // the next round is one
}

const (
	eagerPart  = 20 // of the time between two rounds, as a divisor
	eagerBurst = 4  // rounds that may follow each other
	// eagerFactor is to how many times as many members they go: those who hear
	// something twice do not pass it on.
	eagerFactor = 2
	// eagerSpread is how many times sooner news reach everybody, by far.
	eagerSpread = 4
)

// hurry brings the next round of gossip forward if there is something that was
// never told.
func (c *Core[ID, Addr]) hurry() {
	every, e := c.cfg.Gossip.Every, &c.eager
	soon := c.now.Add(every / eagerPart)
	if c.cfg.Rules.LazyGossip || c.tasks[TimerGossip].due <= soon || !c.urgent() {
		return
	}
	used := max(e.used, c.now)
	if used.Sub(c.now) > (eagerBurst-1)*every {
		return
	}
	e.used, e.next = used.Add(every), true
	c.arm(TimerGossip, every/eagerPart)
}

// urgent reports whether there is anything to tell at once.
func (c *Core[ID, Addr]) urgent() bool {
	return c.backlog.anyUrgent() || c.queue.anyFresh() || c.us.untold >= c.size().transmissions
}

// gossipWidth is to how many members a round of gossip goes.
func (c *Core[ID, Addr]) gossipWidth() int {
	if c.eager.next {
		c.eager.next = false
		return eagerFactor * c.cfg.Gossip.Num
	}
	return c.cfg.Gossip.Num
}
