package swim

import "time"

// A renewal is the change to the next identity, slowed down when it repeats:
// two live processes at one address would otherwise renew in turns for ever.
type renewal[ID any] struct {
	wanted   bool
	newest   ID // the newest identity of our address that was heard of
	heard    bool
	last     Instant
	trigger  Instant // when a renewal was last wanted
	wait     time.Duration
	reported bool // a conflict was notified
	demander ID   // who last demanded a renewal, and is told of it
	demanded bool
}

// maxRenewalWait bounds the time between two renewals, and is the quiet time
// after which the first is free again.
const maxRenewalWait = 10 * time.Minute

// fell handles that our identity is down, or taken: from here on this life
// never raises its incarnation again.
func (c *Core[ID, Addr]) fell(newest ID) {
	w := &c.renewal
	if !w.heard || newest.Supersedes(w.newest) {
		w.newest, w.heard = newest, true
	}
	if w.wait > 0 && c.now.Sub(max(w.trigger, w.last)) > maxRenewalWait {
		w.wait = 0
		w.reported = false
	}
	w.trigger = c.now
	if !w.wanted && newest == c.us.id {
		c.doubtOurselves(1) // we were declared down, and could not refute in time
	}
	w.wanted = true
}

// rival handles a newer identity of our address. Once is our own past or a
// mistake; again, before the back-off is over, is a second live process.
func (c *Core[ID, Addr]) rival(newer ID) {
	c.fell(newer)
	if w := &c.renewal; c.now < w.last.Add(w.wait) && !w.reported && planted != hushConflict {
		w.reported = true
		c.stats.Conflicts++
		c.notify(Notification[ID]{Kind: NotifyConflict, Member: c.Self(), Old: newer})
	}
}

// renewIfAllowed carries out a renewal that is wanted, when its time has come.
func (c *Core[ID, Addr]) renewIfAllowed() {
	w := &c.renewal
	if !w.wanted || !c.us.present() || c.now < w.last.Add(w.wait) && planted != renewAtOnce {
		return
	}
	w.wanted = false
	next, ok := c.successor()
	if !ok {
		c.die()
		return
	}
	w.last = c.now
	w.wait = min(max(c.cfg.Period, 2*w.wait), maxRenewalWait)
	c.stats.Renewals++
	old := c.us.id
	c.takeIdentity(next)
	c.notify(Notification[ID]{Kind: NotifyRejoin, Member: c.Self(), Old: old})
	c.todo.gossip = true
	if w.demanded {
		w.demanded = false
		c.announceTo(w.demander, firstPage)
	}
}

// successor is the identity to go on with: one above the newest heard of, so
// that nobody takes it for an old one.
func (c *Core[ID, Addr]) successor() (next ID, ok bool) {
	if c.renewal.heard && c.renewal.newest.Supersedes(c.us.id) && planted != renewBelowNewest {
		next, ok = c.renewal.newest.Renew()
		if ok && c.succeeds(next) {
			return next, true
		}
		// The newest one is the last that there can be. Whoever remembers it
		// will forget it; the others can know us already.
	}
	next, ok = c.us.id.Renew()
	return next, ok && c.succeeds(next)
}

// succeeds reports whether next can follow our identity.
func (c *Core[ID, Addr]) succeeds(next ID) bool {
	return next != c.us.id && next.Addr() == c.us.id.Addr() && next.Supersedes(c.us.id)
}

// heardUndead obeys those who hold us down, even if we hold them down: at
// least one of us is wrong, and a new identity settles it.
func (c *Core[ID, Addr]) heardUndead(h *Header[ID]) error {
	switch {
	case !c.us.present():
		return c.drop(DropDefunct)
	case h.About.Addr() != c.us.addr:
		return c.drop(DropMalformed)
	case h.AboutIncarnation < c.us.inc:
		return c.drop(DropStaleUndead)
	}
	if h.About.Supersedes(c.us.id) {
		c.rival(h.About)
	} else {
		c.fell(h.About)
	}
	c.renewal.demander, c.renewal.demanded = h.Src, true
	c.heardSomebody()
	c.settle()
	return nil
}
