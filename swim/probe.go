package swim

// A probe is the check of one member, from its ping to the verdict.
//
// "[...] at the end of this period, Mi checks if it has received any acks,
// directly from Mj or indirectly through the k members". SWIM, section 3.1.
type probe[ID comparable] struct {
	target  ID
	inc     Incarnation // of the target when the probe began
	number  uint32      // of this or the last probe
	sent    Instant
	running bool
	acked   bool
	asked   bool // the indirect stage was reached
	helpers []ID // whom we asked, and who has not vouched yet
}

// clear ends a probe without a verdict.
func (p *probe[ID]) clear() {
	*p = probe[ID]{number: p.number, helpers: p.helpers[:0]}
}

// nextProbe judges the running probe and starts the next. Its own next event
// is submitted first, so that nothing can stop the detector.
func (c *Core[ID, Addr]) nextProbe() error {
	if planted != restAfterFailure || !c.probe.running || c.probe.acked {
		c.arm(TimerProbe, c.cfg.Period)
	}
	err := c.judgeProbe()
	c.consoleFallen()
	slot, any := c.roster.next(&c.roster.active, c.rnd)
	if !any {
		return err
	}
	c.arm(TimerIndirect, c.cfg.RoundTrip)
	r := c.roster.at(slot)
	p := &c.probe
	p.number++
	p.target, p.inc, p.sent, p.running = r.id, r.inc, c.now, true
	c.stats.Probes++
	c.post(slot, Header[ID]{Dst: p.target, Message: MessagePing, Number: p.number}, c.cfg.MaxPacket, full)
	return err
}

// judgeProbe ends the running probe. One whose indirect stage never came
// judges nobody.
func (c *Core[ID, Addr]) judgeProbe() (err error) {
	p := &c.probe
	target, inc, failed := p.target, p.inc, p.running && !p.acked
	if failed && !p.asked {
		c.stats.ProbesVoid++
		failed, err = false, ErrIncompleteProbe
	}
	if failed && c.renewal.wanted {
		// Nobody listens to this life any more, so silence says nothing.
		c.stats.ProbesVoid++
		failed = false
	}
	p.clear()
	if !failed {
		return err
	}
	slot, known := c.find(target)
	if !known {
		return nil
	}
	c.stats.ProbesFailed++
	r := c.roster.at(slot)
	if c.cfg.Notify.ProbeFailed {
		c.notify(Notification[ID]{Kind: NotifyProbeFailed, Number: p.number, Member: r.member()})
	}
	c.accuseByProbe(slot, r, inc)
	if r.state == Suspect && r.flags&isLone == 0 {
		// It should hear of it first: only it can refute.
		c.post(slot, Header[ID]{Dst: target, Message: MessageGossip}, c.cfg.MaxPacket, full)
	}
	return nil
}

// find returns where an identity is in the roster, if it takes part.
func (c *Core[ID, Addr]) find(id ID) (slot uint32, active bool) {
	slot, known := c.roster.find(id.Addr())
	if !known {
		return 0, false
	}
	r := c.roster.at(slot)
	return slot, r.id == id && r.flags&inActive != 0
}

// askOthers has some members ping the target too: the way from us to it may be
// what is broken.
//
// "[...] Mi selects k members at random and sends each a ping-req(Mj)
// message." SWIM, section 3.1.
func (c *Core[ID, Addr]) askOthers() {
	p := &c.probe
	if !p.running {
		return
	}
	p.asked = true
	if p.acked || c.cfg.IndirectProbes == Off {
		return
	}
	target, active := c.find(p.target)
	if !active {
		p.clear()
		return
	}
	// Suspects are asked last: they may have the same trouble as the target.
	k := c.cfg.IndirectProbes
	c.slots = c.roster.sample(&c.roster.active, k, c.rnd, c.slots, func(slot uint32) bool {
		return slot == target || c.roster.at(slot).state != Alive
	})
	p.helpers = p.helpers[:0]
	c.addHelpers(c.slots)
	if missing := k - len(p.helpers); missing > 0 && c.tally[Suspect] > 0 {
		c.slots = c.roster.sample(&c.roster.active, missing, c.rnd, c.slots, func(slot uint32) bool {
			return slot == target || c.roster.at(slot).state == Alive
		})
		c.addHelpers(c.slots)
	}
	for _, helper := range p.helpers {
		c.post(c.slotOf(helper), Header[ID]{Dst: helper, Message: MessagePingReq, Number: p.number, About: p.target}, c.cfg.MaxPacket, full)
	}
}

func (c *Core[ID, Addr]) addHelpers(slots []uint32) {
	for _, slot := range slots {
		c.probe.helpers = append(c.probe.helpers, c.roster.at(slot).id)
	}
}

// acked handles the answer to a ping of ours.
func (c *Core[ID, Addr]) acked(h *Header[ID], r *record[ID]) error {
	if c.us.phase == saysGoodbye {
		return c.goodbyeAcked(h, r)
	}
	p := &c.probe
	if !p.running || h.Number != p.number && planted != ackAnyNumber || h.Src != p.target {
		return c.drop(DropStaleAck)
	}
	r.flags |= isVerified
	p.acked = true
	c.excuse(r, p.sent)
	return nil
}

// vouched handles that a member whom we asked got an answer from the target.
func (c *Core[ID, Addr]) vouched(h *Header[ID], r *record[ID]) error {
	p := &c.probe
	if !p.running || h.Number != p.number || h.About != p.target || !p.strike(h.Src) {
		return c.drop(DropStaleAck)
	}
	r.flags |= isVerified
	p.acked = true
	if slot, active := c.find(p.target); active {
		c.excuse(c.roster.at(slot), p.sent)
	}
	return nil
}

// strike takes a helper off the list; each counts once.
func (p *probe[ID]) strike(helper ID) bool {
	for i, id := range p.helpers {
		if id == helper {
			last := len(p.helpers) - 1
			p.helpers[i] = p.helpers[last]
			p.helpers = p.helpers[:last]
			return true
		}
	}
	return false
}
