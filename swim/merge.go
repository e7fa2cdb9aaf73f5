package swim

import "time"

// An origin says where a record came from.
type origin struct {
	owner   bool // from our owner, through Apply
	trusted bool // from a member that answered us: exempt from the rate of new members
	synced  bool // one of those that another member knows, and no news
	objects bool // and it wants to know where it is wrong
	tell    bool // gossip it if it is new
	ours    bool // from our own probe
}

// confirms reports whether who is named as an accuser confirms a suspicion:
// gossip does, what is synchronised does not.
func (o origin) confirms() bool { return !o.owner && !o.synced || planted == confirmBySync }

// trim takes from a record what its origin may not say. How long to remember is
// told only by those who synchronise with us: made up in gossip, it would wake us
// again and again.
func (o origin) trim(remaining *uint32) {
	if !o.owner && !o.trusted {
		*remaining = 0
	}
}

// compare is the order of truth between a claim and a record of the same
// identity, see [compareTruth].
func (c *Core[ID, Addr]) compare(inc Incarnation, state State, r *record[ID]) int {
	if c.cfg.Rules.FinalDown && (state == Down || r.state == Down) {
		// "[...] a Confirm message [...] overrides any Alive or Suspect",
		// whatever the incarnation. SWIM, section 4.2.
		return compareStates(state, r.state)
	}
	return compareTruth(inc, state, r.inc, r.state)
}

// applyAll merges the records of a packet, looking a few of them up ahead.
func (c *Core[ID, Addr]) applyAll(updates []Update[ID], o origin) {
	var hints [hintBatch]uint32
	for len(updates) > 0 {
		batch := updates[:min(hintBatch, len(updates))]
		updates = updates[len(batch):]
		c.roster.hint(batch, &hints)
		changes := c.roster.changes
		for i := range batch {
			if slot := hints[i]; slot != none && c.roster.changes == changes {
				c.merge(slot, c.roster.at(slot), &batch[i], o)
			} else {
				c.apply(&batch[i], o)
			}
		}
	}
}

// apply merges one record into what we know. It reports whether the record
// was news. The address decides where it belongs, the identity whether it is
// about the same life, and the order of truth whether it is later.
func (c *Core[ID, Addr]) apply(u *Update[ID], o origin) bool {
	o.trim(&u.Remaining)
	at := u.ID.Addr()
	if at == c.us.addr && planted != meetOurselves {
		return c.aboutUs(u)
	}
	slot, known := c.roster.find(at)
	if !known {
		return c.meet(u, o)
	}
	r := c.roster.at(slot)
	if r.id == u.ID {
		return c.merge(slot, r, u, o)
	}
	newer := u.ID.Supersedes(r.id)
	switch {
	case newer == r.id.Supersedes(u.ID):
		c.count(DropUnordered)
		return false
	case !newer && planted != oldLifeReplaces:
		c.object(slot, u, o)
		c.count(DropOldIdentity)
		return false
	}
	return c.replace(slot, r, u, o)
}

// meet makes a member of an address that was unknown. A down or left one is
// remembered without a word to the owner, who never heard of it.
func (c *Core[ID, Addr]) meet(u *Update[ID], o origin) bool {
	if u.State.Active() && c.full() && planted != ignoreMaxMembers || u.State == Suspect && c.tally[Down]+c.tally[Left] >= c.cfg.MaxTombstones {
		// A suspect that nobody here knows may be one that had to be forgotten
		// early; it would come back as often as somebody else suspects it.
		c.count(DropFull)
		return false
	}
	if !o.owner && !o.trusted && !c.admit.allow(c.now, c.cfg.MaxNewMembers) {
		c.count(DropNewRate)
		return false
	}
	slot := c.roster.insert(u.ID)
	c.touch(slot)
	c.stir(slot)
	r := c.roster.at(slot)
	r.inc, r.meta = u.Incarnation, u.Metadata
	c.tally[Alive]++
	switch u.State {
	case Alive:
		c.activate(slot, r)
	case Suspect:
		c.doubt(r, u.Incarnation, u.By, o)
		c.activate(slot, r)
		c.doubted(slot, r, false)
	default:
		c.accuseDown(r, u, o)
		c.bury(slot, r, u.State, u.Remaining)
	}
	c.tell(slot, r, o, c.priorityOf(r))
	return true
}

// full reports whether no further member may take part.
func (c *Core[ID, Addr]) full() bool {
	return c.roster.len()-c.tally[Down]-c.tally[Left] >= c.cfg.MaxMembers
}

// merge handles a record of an identity that we know. It must be quick when
// nothing is new, and quick when the member is alive and merely said so again.
func (c *Core[ID, Addr]) merge(slot uint32, r *record[ID], u *Update[ID], o origin) bool {
	if u.State == Alive && r.state == Alive && (u.Metadata <= r.meta || planted == dropMetadata) {
		// Nearly all of gossip is this: alive then, alive now.
		if u.Incarnation <= r.inc {
			if u.Metadata < r.meta {
				c.object(slot, u, o)
			}
			c.count(DropOldNews)
			return false
		}
		c.touch(slot)
		r.inc = u.Incarnation
		c.tell(slot, r, o, prioAlive)
		return true
	}
	c.touch(slot)
	c.mend(slot, r)
	was := r.member()
	r.meta = max(r.meta, u.Metadata)
	news := r.meta > was.Metadata
	o.trim(&u.Remaining)
	state := u.State
	if state == Down && !c.cfg.Rules.SoleVerdict && planted != believeDown {
		state = c.weigh(r, u)
	}
	priority, active := c.priorityOf(r), r.flags&inActive != 0
	switch order := c.compare(u.Incarnation, state, r); {
	case order < 0 && !(planted == acceptEqualAlive && state == Alive && u.Incarnation == r.inc && r.state == Suspect):
		if !r.state.Active() {
			c.object(slot, u, o)
		}
		// Who accuses is merged beside the state.
		if u.State == Suspect && r.state == Down && u.Incarnation == r.inc && len(u.By) > 0 {
			news = c.accuse(c.doubtOf(r), r.id, u.By, o) || news
		}
	case order == 0:
		news = c.corroborate(slot, r, u, o) || news
		if priority = c.priorityOf(r); priority == prioSuspect && r.meta == was.Metadata {
			priority = prioConfirm
		}
	case state.Active() && r.flags&inActive == 0 && r.flags&isLone == 0 && c.full():
		c.count(DropFull)
	default:
		priority = c.supersede(slot, r, u, state, o)
		news = true
	}
	if !news {
		c.count(DropOldNews)
		return false
	}
	if r.meta > was.Metadata || r.state.Active() != was.State.Active() {
		c.stir(slot)
	}
	if o.synced && !o.tell && was.State == Alive && r.state == Suspect {
		c.summon(r.id)
	}
	if active && r.flags&inActive != 0 && (r.meta > was.Metadata || r.state < was.State) {
		c.updated(r)
	}
	if was.State == Suspect && r.state == Down {
		priority = prioVerdict
	}
	c.tell(slot, r, o, priority)
	return true
}

// weigh decides what a Down that we are told of means to us. About a member
// that we hold alive, or have not doubted for long, it is only what its
// accusers say: our own deadline decides.
func (c *Core[ID, Addr]) weigh(r *record[ID], u *Update[ID]) State {
	if !r.state.Active() {
		return Down
	}
	if r.state != Suspect || r.inc != u.Incarnation || !c.patient(r) {
		return Suspect
	}
	together := *c.doubts.at(r.doubt)
	c.accuse(&together, r.id, u.By, origin{})
	if together.n < 2 {
		return Suspect
	}
	return Down
}

// supersede replaces the state of a record by a later one, and returns how
// urgent it is to tell.
func (c *Core[ID, Addr]) supersede(slot uint32, r *record[ID], u *Update[ID], state State, o origin) priority {
	switch state {
	case Alive:
		doubted := r.state != Alive
		r.inc = u.Incarnation
		c.clear(slot, r)
		if doubted {
			return prioRefute
		}
		return prioAlive
	case Suspect:
		c.doubt(r, u.Incarnation, u.By, o)
		if r.flags&inActive == 0 {
			c.activate(slot, r)
		}
		c.doubted(slot, r, false)
	default:
		if state == Down && u.Incarnation != r.inc {
			c.release(r) // it was accused at another incarnation
		}
		c.accuseDown(r, u, o)
		r.inc = u.Incarnation
		c.end(slot, r, state, u.Remaining, true)
	}
	return c.priorityOf(r)
}

// accuseDown keeps who accused a member that we are told is down.
func (c *Core[ID, Addr]) accuseDown(r *record[ID], u *Update[ID], o origin) {
	if u.State == Down && len(u.By) > 0 {
		c.accuse(c.doubtOf(r), r.id, u.By, o)
	}
}

// clear takes all doubt from a record, and brings it back if it was gone.
func (c *Core[ID, Addr]) clear(slot uint32, r *record[ID]) {
	c.release(r)
	c.become(r, Alive, false)
	if r.flags&inActive == 0 {
		c.activate(slot, r)
	}
}

// replace handles a later life at a known address: the whole record is
// replaced. To the owner that is one event, not a failure and a join.
func (c *Core[ID, Addr]) replace(slot uint32, r *record[ID], u *Update[ID], o origin) bool {
	c.touch(slot)
	c.mend(slot, r)
	active, old := r.flags&inActive != 0, r.id
	state := u.State
	if state == Down && active && !c.cfg.Rules.SoleVerdict {
		state = Suspect
	}
	if state.Active() && !r.state.Active() && c.full() {
		c.count(DropFull)
		return false
	}
	c.release(r)
	c.stir(slot)
	if c.fed.recent(u.ID.Addr(), c.now, c.cfg.Period) {
		c.fed.set(u.ID.Addr(), trace{}) // it begins anew
	}
	c.roster.rename(slot, u.ID)
	r.inc, r.meta = u.Incarnation, u.Metadata
	c.roster.times(slot).heard = 0
	r.flags &^= isVerified
	c.become(r, Alive, false)
	if active && planted != hushRename {
		c.notify(Notification[ID]{Kind: NotifyRename, Member: r.member(), Old: old})
	}
	switch state {
	case Suspect:
		c.doubt(r, u.Incarnation, u.By, o)
	case Down, Left:
		c.accuseDown(r, u, o)
		c.end(slot, r, state, u.Remaining, true)
	}
	if state.Active() && !active {
		c.activate(slot, r)
	}
	if state == Suspect {
		c.doubted(slot, r, false)
	}
	c.tell(slot, r, o, c.priorityOf(r))
	return true
}

// Tallies count records by state; a lone one is counted apart.
const (
	tallyLone  = numStates
	numTallies = numStates + 1
)

// tallyOf is where a record is counted.
func tallyOf[ID any](r *record[ID]) int {
	if r.flags&isLone != 0 {
		return tallyLone
	}
	return int(r.state) % numStates // memory fails
}

// become changes the state of a record and keeps the counts.
func (c *Core[ID, Addr]) become(r *record[ID], state State, lone bool) {
	c.tally[tallyOf(r)]--
	r.state = state
	r.flags &^= isLone
	if lone {
		r.flags |= isLone
	}
	c.tally[tallyOf(r)]++
}

// activate makes a member take part.
func (c *Core[ID, Addr]) activate(slot uint32, r *record[ID]) {
	if r.flags&inLost != 0 {
		c.roster.leave(&c.roster.lost, slot)
	}
	c.roster.enter(&c.roster.active, slot, false)
	c.notify(Notification[ID]{Kind: NotifyUp, Member: r.member()})
}

// deactivate makes a member no longer take part, and tells the owner why.
// Those who may come back are contacted now and then.
func (c *Core[ID, Addr]) deactivate(slot uint32, r *record[ID], state State, gossiped bool) {
	c.roster.leave(&c.roster.active, slot)
	if state != Left {
		c.roster.enter(&c.roster.lost, slot, true)
	}
	c.armContact() // one that left may be a seed
	m := r.member()
	m.State = state
	c.notify(Notification[ID]{Kind: NotifyDown, Member: m, Cause: c.cause(slot, r, gossiped)})
}

// end makes a member down or left. The owner hears of it once.
func (c *Core[ID, Addr]) end(slot uint32, r *record[ID], state State, remaining uint32, gossiped bool) {
	active := r.flags&inActive != 0
	if active {
		c.deactivate(slot, r, state, gossiped)
	}
	if state == Left {
		c.release(r)
	}
	c.bury(slot, r, state, remaining)
}

// updated tells an owner who asked for it that an active member refuted, or
// that its metadata is newer.
func (c *Core[ID, Addr]) updated(r *record[ID]) {
	if c.cfg.Notify.Updated {
		c.notify(Notification[ID]{Kind: NotifyUpdated, Member: r.member()})
	}
}

// tell queues a record to be gossiped, with a full budget.
func (c *Core[ID, Addr]) tell(slot uint32, r *record[ID], o origin, p priority) {
	if p == prioConfirm && c.backlog.fresh(slot, r.queued, prioSuspect) {
		return // it goes out with the suspicion
	}
	if o.tell && planted != keepNewsToOneself && !(r.priority == p && c.backlog.fresh(slot, r.queued, p)) {
		c.backlog.push(c.roster, slot, p)
	}
}

// priorityOf is how urgent it is to tell a record that refutes nothing.
func (c *Core[ID, Addr]) priorityOf(r *record[ID]) priority {
	switch r.state {
	case Alive:
		return prioAlive
	case Suspect:
		return prioSuspect
	default:
		return prioDown
	}
}

// A window limits how often something happens within a second, or what it costs.
type window struct {
	since Instant
	n     int
}

// allow reports whether it may happen once more now.
func (w *window) allow(now Instant, most int) bool { return w.spend(now, 1, most) }

// spend reports whether what costs so much may happen now. What costs more than
// all that there is may happen alone.
func (w *window) spend(now Instant, cost, most int) bool {
	if since := now.Sub(w.since); since < 0 || since >= time.Second || w.n <= 0 {
		*w = window{since: now}
	}
	if w.n > 0 && w.n > most-cost || most <= 0 {
		return false
	}
	w.n += cost
	return true
}
