package swim

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
// low the others tell us of; one that is too high is as good as any, unless it
// can not be written: then the next life begins.
func (c *Core[ID, Addr]) auditOurselves() {
	u := &c.us
	if c.synchronises() && c.view.known && c.view.ours != c.partOf(u.id, u.meta) {
		c.recountView()
	}
	stood := u.stood()
	if u.stands[0] != stood || u.stands[1] != stood {
		u.stands = [2]standing{stood, stood}
		c.mended()
	}
	if u.phase > undead || u.phase.standing() != stood {
		c.mended()
		c.restore(stood)
	}
	if u.inc > c.limits.Incarnation && u.present() && !c.renewal.wanted {
		c.fell(u.id)
		c.mended()
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
