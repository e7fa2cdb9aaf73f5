package swim

// A phase says how far we take part.
type phase uint8

const (
	disconnected phase = iota // nobody to talk to
	connected                 // at least one active member
	saysGoodbye               // leaving
	gone                      // left
	undead                    // declared down, and not renewed
)

// ourselves is our own record, which the roster never holds. Every header
// tells it, so it is never queued as an update.
type ourselves[ID Identity[ID, Addr], Addr comparable] struct {
	id    ID
	addr  Addr
	inc   Incarnation
	meta  uint64
	phase phase
	// stands is how we stand, see [standing].
	stands [2]standing
	// untold is how many more packets should be sent for the sake of their
	// header alone, because something in it is new.
	untold int
	// overheard counts how often somebody else spoke for us.
	overheard int
}

// take begins a life.
func (u *ourselves[ID, Addr]) take(id ID) {
	u.id, u.addr, u.inc = id, id.Addr(), 0
}

// state is what our headers say: every one of them refutes, until we leave.
func (u *ourselves[ID, Addr]) state() State {
	if u.phase == saysGoodbye && planted != leaveAlive || u.phase == gone {
		return Left
	}
	return Alive
}

// present reports whether we may still speak for our identity.
func (u *ourselves[ID, Addr]) present() bool {
	return u.phase == disconnected || u.phase == connected
}

// maxJump is how far above our incarnation an accusation may name us. Only we
// raise it, so anything beyond is no news but damage.
const maxJump = 1 << 16

// aboutUs handles a record of our own address. It reports whether it made us
// say something new.
func (c *Core[ID, Addr]) aboutUs(u *Update[ID]) bool {
	if !c.us.present() {
		return false
	}
	if u.ID != c.us.id {
		return c.aboutNamesake(u)
	}
	if u.Incarnation > c.us.inc && u.Incarnation-c.us.inc > maxJump {
		c.count(DropJump)
		return false
	}
	overheard := false // somebody else spoke for us
	if u.Metadata > c.us.meta {
		c.us.meta = max(u.Metadata, u.Metadata+1)
		c.view.known = false
		c.us.untold = c.size().transmissions
		overheard = true
	}
	switch {
	case u.State == Left || u.State == Down && (u.Incarnation >= c.us.inc || c.cfg.Rules.FinalDown) && planted != refuteDown:
		c.fell(u.ID)
	case u.State == Alive && u.Incarnation > c.us.inc:
		// Nobody but us may raise it: another process uses our identity, or we
		// lost our state.
		overheard = true
		c.outlive(u.Incarnation)
	case u.State == Alive:
	case planted == refuteWithoutRaising || u.Incarnation < c.us.inc && planted != refuteOldNews:
		c.todo.explain = true
	default:
		if c.outlive(u.Incarnation) {
			c.doubtOurselves(1)
		}
		c.refute()
	}
	if overheard {
		c.overheard(u.ID)
	}
	return overheard || u.State != Alive
}

// outlive raises our incarnation above one that somebody named, and reports
// whether it could.
func (c *Core[ID, Addr]) outlive(accused Incarnation) bool {
	if c.renewal.wanted {
		return false // we know that we are down: this life says nothing more
	}
	next := max(accused, c.us.inc) + 1
	if (next == 0 || next > c.limits.Incarnation) && planted != wrapIncarnation {
		c.fell(c.us.id)
		return false
	}
	c.us.inc = next
	c.us.untold = c.size().transmissions
	c.stats.Refutations++
	return true
}

// refute tells some members at once, through the header, but not more often
// than gossip goes out.
func (c *Core[ID, Addr]) refute() {
	every := max(c.cfg.Gossip.Every, 0)
	if c.now >= c.todo.refuted.Add(every) {
		c.todo.refuted = c.now
		c.todo.gossip = true
	}
}

// overheard counts that somebody else spoke for us. Once may be our own past;
// twice is a conflict.
func (c *Core[ID, Addr]) overheard(claimed ID) {
	c.stats.Conflicts++
	c.us.overheard++
	if c.us.overheard == 2 {
		c.notify(Notification[ID]{Kind: NotifyConflict, Member: c.Self(), Old: claimed})
	}
}

// aboutNamesake handles a record of another identity of our address.
func (c *Core[ID, Addr]) aboutNamesake(u *Update[ID]) bool {
	ours, theirs := c.us.id.Supersedes(u.ID), u.ID.Supersedes(c.us.id)
	switch {
	case ours == theirs:
		c.count(DropUnordered)
		return false
	case ours && u.State.Active():
		c.us.untold = c.size().transmissions
		c.todo.explain = true
		return true
	case ours:
		c.count(DropOldIdentity)
		return false
	default:
		c.rival(u.ID)
		return true
	}
}

// takeIdentity begins the next life at once: what we know stays, what was
// under way under the old name ends.
func (c *Core[ID, Addr]) takeIdentity(next ID) {
	if next.Addr() != c.us.addr {
		c.renewal = renewal[ID]{} // all that was heard of was at the old address
	}
	c.us.take(next)
	c.view.known = false
	c.fed = newLedger[Addr]() // those who held us down did not hear what we told them
	c.us.overheard = 0
	c.us.untold = c.size().transmissions
	c.renewal.wanted = false
	c.stopTasks()
	if c.us.phase == connected {
		c.startTasks()
	}
}

// die ends a life that can not be renewed.
func (c *Core[ID, Addr]) die() {
	c.us.phase = undead
	c.us.stand()
	c.stopTasks()
	c.disarm(TimerAnnounceDown)
	c.notify(Notification[ID]{Kind: NotifyDefunct, Member: c.Self()})
}

// ChangeIdentity becomes next, which begins at incarnation 0. At the same
// address it must supersede the current identity; at another one it must
// supersede whoever is known there; else [ErrNotSuperseding]. The current one is
// [ErrSameIdentity], and one that the codec can not write [ErrEncode]. It is the
// way back after [Core.Leave].
func (c *Core[ID, Addr]) ChangeIdentity(next ID, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if next == c.us.id {
		return ErrSameIdentity
	}
	if !c.writable(next) {
		return ErrEncode
	}
	if next.Addr() == c.us.addr {
		if !next.Supersedes(c.us.id) {
			return ErrNotSuperseding
		}
	} else if slot, known := c.roster.find(next.Addr()); known {
		if !next.Supersedes(c.roster.at(slot).id) {
			return ErrNotSuperseding
		}
		c.expel(slot)
	}
	if !c.us.present() {
		c.us.phase = disconnected
		c.us.stand()
		c.leaving = leaving[ID]{}
		c.doubtAnew()
	}
	c.takeIdentity(next)
	c.renewal.demanded = false
	c.todo.gossip = true
	c.settle()
	c.rearmContact()
	return nil
}

// ReuseIdentity goes on with an identity that was declared down and could not
// be renewed. Members that remember the verdict will repeat it. It returns
// [ErrNotUndead] if nothing was declared, [ErrLeft] after [Core.Leave].
func (c *Core[ID, Addr]) ReuseIdentity(rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	switch c.us.phase {
	case undead:
		c.us.phase = disconnected
		c.us.stand()
		c.renewal.wanted, c.renewal.demanded = false, false
		c.settle()
		c.rearmContact()
		return nil
	case saysGoodbye, gone:
		return ErrLeft
	default:
		return ErrNotUndead
	}
}
