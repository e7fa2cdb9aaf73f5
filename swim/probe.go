package swim

import "time"

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
	helpers []helper[ID]
	nacks   bool // they were asked for nacks
}

// A helper is a member whom we asked to ping the target too.
type helper[ID any] struct {
	id      ID
	vouched bool // the target answered it
	nacked  bool // it answered that the target did not answer it
}

// An outcome is how a probe ended.
type outcome uint8

const (
	unprobed   outcome = iota // there was no probe, or its target is gone
	answered                  // directly or through others
	unanswered                // nobody answered in time
	unjudged                  // silence says nothing
)

// clear ends a probe without a verdict.
func (p *probe[ID]) clear() {
	*p = probe[ID]{number: p.number, helpers: p.helpers[:0]}
}

// nextProbe judges the running probe and starts the next. Its own next event
// is submitted first, so that nothing can stop the detector.
func (c *Core[ID, Addr]) nextProbe() error {
	ended := c.probeOutcome()
	c.feelProbe(ended)
	if planted != restAfterFailure || ended == unprobed || ended == answered {
		c.arm(TimerProbe, c.stretched(c.cfg.Period))
	}
	err := c.judgeProbe(ended)
	c.consoleFallen()
	slot, any := c.roster.next(&c.roster.active, c.rnd)
	if !any {
		return err
	}
	c.arm(TimerIndirect, c.stretched(c.cfg.RoundTrip))
	r := c.roster.at(slot)
	p := &c.probe
	p.number = c.limits.number(p.number)
	p.target, p.inc, p.sent, p.running = r.id, r.inc, c.now, true
	c.stats.Probes++
	c.post(slot, Header[ID]{Dst: p.target, Message: MessagePing, Number: p.number}, c.cfg.MaxPacket, full)
	return err
}

// probeOutcome returns how the running probe ended, now that its time is over.
func (c *Core[ID, Addr]) probeOutcome() outcome {
	p := &c.probe
	switch {
	case !p.running:
		return unprobed
	case p.acked:
		return answered
	case !p.asked, c.renewal.wanted:
		// The indirect stage never came, or nobody listens to this life any more.
		return unjudged
	}
	if _, active := c.find(p.target); !active {
		return unprobed
	}
	return unanswered
}

// feelProbe takes from a probe what it says about ourselves.
func (c *Core[ID, Addr]) feelProbe(ended outcome) {
	p := &c.probe
	switch {
	case ended == answered:
		c.doubtOurselves(-1)
	case ended != unanswered:
	case !p.nacks || len(p.helpers) == 0:
		c.doubtOurselves(1)
	default:
		c.doubtOurselves(p.silent())
	}
}

// silent counts the helpers of whom nothing came.
func (p *probe[ID]) silent() (n int) {
	for i := range p.helpers {
		if h := &p.helpers[i]; !h.vouched && !h.nacked {
			n++
		}
	}
	return n
}

// judgeProbe ends the running probe. One whose indirect stage never came
// judges nobody.
func (c *Core[ID, Addr]) judgeProbe(ended outcome) (err error) {
	p := &c.probe
	target, inc := p.target, p.inc
	if ended == unjudged {
		c.stats.ProbesVoid++
		if !p.asked {
			err = ErrIncompleteProbe
		}
	}
	p.clear()
	if ended != unanswered {
		return err
	}
	slot := c.slotOf(target)
	c.stats.ProbesFailed++
	r := c.roster.at(slot)
	if c.cfg.Notify.ProbeFailed {
		c.notify(Notification[ID]{Kind: NotifyProbeFailed, Number: p.number, Member: r.member()})
	}
	c.accuseByProbe(slot, r, inc)
	if r.state == Suspect && r.flags&isLone == 0 && !c.cfg.Rules.SilentSuspicion {
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
	wait := c.nackWait()
	p.nacks = wait > 0
	for i := range p.helpers {
		id := p.helpers[i].id
		c.post(c.slotOf(id), Header[ID]{Dst: id, Message: MessagePingReq, Number: p.number, NackAfter: wait, About: p.target}, c.cfg.MaxPacket, full)
	}
}

func (c *Core[ID, Addr]) addHelpers(slots []uint32) {
	for _, slot := range slots {
		c.probe.helpers = append(c.probe.helpers, helper[ID]{id: c.roster.at(slot).id})
	}
}

// nackWait returns after how many milliseconds helpers should say that they got
// no answer: after four fifths of the time that is left, as in Lifeguard, section
// IV-A, so that it reaches us before we judge.
func (c *Core[ID, Addr]) nackWait() uint32 {
	if c.cfg.Rules.SilentRelay {
		return 0
	}
	left := c.tasks[TimerProbe].due.Sub(c.now)
	return uint32(min(max(left*4/5/time.Millisecond, 0), 1<<32-1))
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
	helper := p.helper(h)
	if helper == nil || helper.vouched {
		return c.drop(DropStaleAck)
	}
	helper.vouched = true
	r.flags |= isVerified
	p.acked = true
	if slot, active := c.find(p.target); active {
		c.excuse(c.roster.at(slot), p.sent)
	}
	return nil
}

// nacked handles that a member whom we asked got no answer from the target. It
// may get one yet; what counts is that we hear each other.
func (c *Core[ID, Addr]) nacked(h *Header[ID], r *record[ID]) error {
	helper := c.probe.helper(h)
	if helper == nil || helper.vouched || helper.nacked {
		return c.drop(DropStaleAck)
	}
	helper.nacked = true
	r.flags |= isVerified
	return nil
}

// helper returns whom a packet about the running probe is from, or nil if we
// did not ask its sender.
func (p *probe[ID]) helper(h *Header[ID]) *helper[ID] {
	if !p.running || h.Number != p.number || h.About != p.target {
		return nil
	}
	for i := range p.helpers {
		if p.helpers[i].id == h.Src {
			return &p.helpers[i]
		}
	}
	return nil
}
