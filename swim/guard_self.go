package swim

// Told hands over what the core told its owner. Call it from the Runtime's
// Notify, or afterwards in that order.
func (g *Guard[ID, Addr]) Told(n Notification[ID]) {
	g.input.notes++
	at := n.Member.ID.Addr()
	switch n.Kind {
	case NotifyUp:
		if known, up := g.up[at]; up {
			g.violated("S6", "%v while %v is up", n, known)
		}
		g.up[at] = n.Member.ID
	case NotifyRename:
		known, up := g.up[at]
		if !up || known != n.Old || !n.Member.ID.Supersedes(n.Old) {
			g.violated("S6", "%v while %v is up: %v", n, known, up)
		}
		g.up[at] = n.Member.ID
	case NotifyDown:
		known, up := g.up[at]
		if !up || known != n.Member.ID || n.Member.State.Active() {
			g.violated("S6", "%v while %v is up: %v", n, known, up)
		}
		delete(g.up, at)
		if n.Member.State == Left {
			g.input.goodbyes++
		}
	case NotifySuspect, NotifyUpdated:
		if known, up := g.up[at]; !up || known != n.Member.ID {
			g.violated("S6", "%v while %v is up: %v", n, known, up)
		}
	}
	g.input.fewest = min(g.input.fewest, len(g.up))
	g.input.most = max(g.input.most, len(g.up))
}

// checkCounts: what the owner was told adds up to who takes part, and each
// member is counted where it belongs.
func (g *Guard[ID, Addr]) checkCounts() {
	c := g.core
	if active := c.roster.active.len(); active != len(g.up) {
		g.violated("S7", "%d members take part, %d by events", active, len(g.up))
	}
	if c.us.phase == connected && len(g.up) == 0 {
		g.violated("S7", "connected to nobody")
	}
	if g.tally != c.tally {
		g.violated("S7", "members by state %v, counted %v", g.tally, c.tally)
	}
}

// checkSelf: an incarnation never falls within a life and rises for a reason,
// a life never returns, and who left stays away until the owner says so.
func (g *Guard[ID, Addr]) checkSelf() {
	before, us := &g.us, &g.core.us
	owner := !g.input.packet && !g.input.fired
	if us.id == before.id {
		if us.inc == before.inc && us.phase == before.phase {
			return
		}
		switch {
		case us.inc < before.inc:
			g.violated("S3", "incarnation of %v fell from %d to %d", us.id, before.inc, us.inc)
		case us.inc > before.inc && !owner && us.inc > g.accusedTo():
			g.violated("S19", "incarnation of %v rose from %d to %d, accused up to %d", us.id, before.inc, us.inc, g.accusedTo())
		}
		if before.state() == Left && us.state() != Left {
			g.violated("S24", "%v is back without another identity", us.id)
		}
		return
	}
	switch {
	case us.addr == before.addr && !us.id.Supersedes(before.id):
		g.violated("S25", "became %v after %v", us.id, before.id)
	case us.addr != before.addr && !owner:
		g.violated("S25", "moved from %v to %v", before.id, us.id)
	case before.state() == Left && !owner:
		g.violated("S24", "%v is back as %v by itself", before.id, us.id)
	}
	if us.addr != us.id.Addr() {
		g.violated("S9", "the address of %v is %v", us.id, us.addr)
	}
	if _, known := g.core.roster.find(us.addr); known {
		g.violated("S9", "the roster holds our own address")
	}
}

// accusedTo is the highest incarnation that the packet gave us a reason for:
// one above each that somebody named, if it was not below our own.
func (g *Guard[ID, Addr]) accusedTo() Incarnation {
	inc := g.us.inc
	if !g.input.packet {
		return inc
	}
	for i := range g.core.in.Updates {
		u := &g.core.in.Updates[i]
		if u.ID != g.us.id || u.Incarnation < inc || u.Incarnation-inc > maxJump {
			continue
		}
		if u.State == Suspect || u.State == Alive && u.Incarnation > inc {
			inc = u.Incarnation + 1
		}
	}
	return inc
}
