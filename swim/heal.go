package swim

// When a partition heals, two members that meet find that each holds the other's
// side down. What they tell each other is an accusation there, and goes first to
// whom it is about: who refutes has never been down on its own side, and is back
// on the other.

const (
	maxSummons  = 4096 // that wait
	summonsOnce = 32   // that go out in one round of gossip
)

// A liaison is a member that accused ours when we synchronised with it. What they
// say to that it hears from us, as long as gossip takes, and passes on.
type liaison[ID any] struct {
	with  ID
	until Instant
}

// summon lets a suspect, of whom we learnt by synchronising, hear of it.
func (c *Core[ID, Addr]) summon(id ID) {
	if len(c.summons) < maxSummons && !c.cfg.Rules.SilentSuspicion && c.us.present() {
		c.summons = append(c.summons, id)
	}
}

// metAccuser begins a liaison if a member told us of suspects.
func (c *Core[ID, Addr]) metAccuser(with ID, before int) {
	if len(c.summons) > before {
		c.liaison = liaison[ID]{with: with, until: c.now.Add(4 * c.size().spread)}
		c.sendSummons()
	}
}

// sendSummons tells some suspects, drawn at random: others will have been told
// the same, and who refuted meanwhile need not hear of it any more.
func (c *Core[ID, Addr]) sendSummons() {
	for sent := 0; sent < summonsOnce && len(c.summons) > 0 && c.us.phase == connected; {
		i, last := int(below(c.rnd, uint64(len(c.summons)))), len(c.summons)-1
		id := c.summons[i]
		c.summons[i] = c.summons[last]
		c.summons = c.summons[:last]
		slot, active := c.find(id)
		if !active || c.roster.at(slot).state != Suspect || c.warned.recent(id.Addr(), c.now, c.cfg.Period) {
			continue
		}
		c.post(slot, Header[ID]{Dst: id, Message: MessageGossip}, c.cfg.MaxPacket, bare)
		c.warned.note(id.Addr(), c.now)
		sent++
	}
}

// tellLiaison gossips to the liaison, before others, to whom all of it may be
// told often enough.
func (c *Core[ID, Addr]) tellLiaison() {
	l := &c.liaison
	if l.until <= c.now || c.backlog.len() == 0 {
		return
	}
	if slot, active := c.find(l.with); active {
		c.post(slot, Header[ID]{Dst: l.with, Message: MessageGossip}, c.cfg.MaxPacket, full)
	}
}
