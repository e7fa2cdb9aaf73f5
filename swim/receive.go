package swim

// HandleData takes a packet from the network. It is parsed and checked as a
// whole before any of it counts.
//
// What is ignored is counted, and returned as a [Drop] if it concerns the
// packet as such. Nothing of it counted if it is no packet, not for us, or not
// asked for: [DropMalformed], [DropTooBig], [DropEcho], [DropMisaddressed],
// [DropSelfRelay], [DropUnasked], [DropStaleUndead]. If we do not listen to its
// sender, at most what the header says of that one did: [DropDownSender],
// [DropFull], [DropNewRate]. With any other the sender was heard and the updates
// counted, and only what the message asks for was not done.
//
// Errors of the [BroadcastHandler], [ErrFull] at Config.MaxBroadcasts, and what
// the codec says of an answer that it can not write are returned too; the rest
// of the packet counted.
func (c *Core[ID, Addr]) HandleData(packet []byte, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	p := &c.in
	if err := c.parse(packet, p); err != nil {
		return err
	}
	h := &p.Header
	c.stats.Received[h.Message]++
	c.stats.Drops[DropUnknownField] += uint64(p.Unknown)
	if h.Message == MessageTurnUndead {
		return c.heardUndead(h)
	}
	if h.Message == MessageFeed && !c.asked.take(h.Src.Addr()) || h.Message == MessageDiff && !c.awaited(h) {
		return c.drop(DropUnasked)
	}
	if c.cfg.Notify.Received {
		c.notify(Notification[ID]{Kind: NotifyReceived, Message: h.Message, Number: h.Number, Member: header(h)})
	}
	sender, err := c.hear(h, len(packet))
	if err != nil {
		c.settle()
		return err
	}
	if h.Message == MessageFeed {
		c.fedBy(sender)
	}
	changes, known := c.roster.changes, c.roster.len()
	c.objections = c.objections[:0]
	if len(p.Updates) > 0 {
		summons := len(c.summons)
		c.applyAll(p.Updates, c.originOf(h, sender))
		c.metAccuser(h.Src, summons)
	}
	if h.Message == MessageFeed && c.roster.len() > known {
		c.announceSoon()
	}
	if h.Message == MessageFeed {
		c.turnPage(h, len(p.Updates))
	}
	err = c.deliver(p)
	if c.roster.changes != changes {
		sender = c.slotOf(h.Src)
	}
	if e := c.answer(sender, h, len(packet)); e != nil && err == nil {
		err = e
	}
	c.settle()
	return err
}

// originOf is where the updates of a packet come from.
func (c *Core[ID, Addr]) originOf(h *Header[ID], sender uint32) origin {
	if !h.Message.synced() {
		return origin{tell: true}
	}
	compares := c.synchronises()
	// Records are asked for by what we told the sender lately.
	trusted := h.Message != MessageRecords ||
		c.roster.at(sender).flags&isVerified != 0 && c.answered.recent(h.Src.Addr(), c.now, 2*c.cfg.Period)
	return origin{synced: true, trusted: trusted, objects: trusted && compares, tell: !compares || planted == tellSynced}
}

// parse reads a packet and decides whether it is one for us.
func (c *Core[ID, Addr]) parse(packet []byte, p *Packet[ID]) error {
	if len(packet) > c.cfg.MaxReceive {
		return c.drop(DropTooBig)
	}
	if c.codec.Parse(packet, p) != nil {
		return c.drop(DropMalformed)
	}
	h := &p.Header
	if (h.Message == MessageSync || h.Message == MessageDiff) && (len(p.Payloads) != 1 || !c.said.parse(h.Message, p.Payloads[0])) {
		return c.drop(DropMalformed)
	}
	if h.Src.Addr() == c.us.addr {
		return c.drop(DropEcho)
	}
	if h.Dst != c.us.id && (planted != hearForAnyLife || h.Dst.Addr() != c.us.addr) {
		return c.misaddressed(h, len(packet))
	}
	if h.Message.HasAbout() && h.Message != MessageTurnUndead && h.About.Addr() == c.us.addr {
		return c.drop(DropSelfRelay)
	}
	return nil
}

// misaddressed handles a packet for somebody else. Whoever wants to join needs
// to know our address only; and one who knows an earlier life of ours is told,
// by the header of an empty gossip, who we are now.
func (c *Core[ID, Addr]) misaddressed(h *Header[ID], size int) error {
	if h.Dst.Addr() != c.us.addr {
		return c.drop(DropMisaddressed)
	}
	if h.Message == MessageAnnounce {
		return nil
	}
	if c.us.present() && !h.Message.kind().answer && c.us.id.Supersedes(h.Dst) {
		c.explain(h.Src, size)
	}
	return c.drop(DropMisaddressed)
}

// header is the record that a header tells about its sender.
func header[ID any](h *Header[ID]) Member[ID] {
	return Member[ID]{ID: h.Src, Incarnation: h.SrcIncarnation, State: h.SrcState, Metadata: h.SrcMetadata}
}

// hear merges what a header says about its sender, and decides whether the
// sender is somebody to listen to. It returns where the sender is in the
// roster.
func (c *Core[ID, Addr]) hear(h *Header[ID], size int) (sender uint32, err error) {
	slot, known := c.roster.find(h.Src.Addr())
	lost := known && c.roster.at(slot).flags&inLost != 0
	if !known || !says(c.roster.at(slot), h) {
		news := c.stats.Drops
		c.scratch = Update[ID]{Member: header(h)}
		c.apply(&c.scratch, origin{tell: true})
		// That a header repeats what we know is no dropped news.
		c.stats.Drops[DropOldNews] = news[DropOldNews]
		if slot, known = c.roster.find(h.Src.Addr()); !known {
			if c.stats.Drops[DropNewRate] != news[DropNewRate] {
				return 0, DropNewRate
			}
			return 0, DropFull
		}
	}
	r := c.roster.at(slot)
	c.mend(slot, r)
	if lost && h.Message == MessageAnnounce && r.flags&inActive != 0 && c.synchronises() {
		c.todo.contact, c.todo.returned = h.Src, true
	}
	if r.id != h.Src || r.state == Down || r.state == Left && h.SrcState != Left {
		if planted != hushVerdict && (!h.Message.kind().answer || h.Message == MessageFeed) && (r.id == h.Src || !h.Src.Supersedes(r.id) && r.id.Supersedes(h.Src)) {
			at := h.SrcIncarnation
			if r.id == h.Src {
				at = max(at, r.inc)
			}
			c.turnUndead(h.Src, at, r.id, c.answerRoom(r, size))
		}
		return slot, c.drop(DropDownSender)
	}
	if r.inc > h.SrcIncarnation || r.meta > h.SrcMetadata {
		if c.beyond(r, h) {
			c.turnUndead(h.Src, r.inc, r.id, c.answerRoom(r, size))
			return slot, c.drop(DropDownSender)
		}
		r.flags |= isBehind
	}
	c.roster.times(slot).heard = c.now
	c.heardSomebody()
	return slot, nil
}

// beyond reports whether we hold a member, who can renew, so far above what its
// header says that it would take no record of ours for true: one of us lost its
// state, and it could refute nothing.
func (c *Core[ID, Addr]) beyond(r *record[ID], h *Header[ID]) bool {
	if r.state == Left || h.Message.kind().answer || r.inc <= h.SrcIncarnation || r.inc-h.SrcIncarnation <= maxJump {
		return false
	}
	_, renewable := h.Src.Renew()
	return renewable
}

// says reports whether a header tells nothing that the record of an alive
// member does not.
func says[ID comparable](r *record[ID], h *Header[ID]) bool {
	return r.id == h.Src && r.inc == h.SrcIncarnation && r.meta == h.SrcMetadata && r.state == Alive && h.SrcState == Alive
}

// answerRoom is how large an answer may be: a sender that never answered us
// may not be at its address at all, and is sent no more than it sent.
func (c *Core[ID, Addr]) answerRoom(r *record[ID], size int) int {
	if r.flags&isVerified != 0 || planted == answerAtLength {
		return c.cfg.MaxPacket
	}
	return min(size, c.cfg.MaxPacket)
}

// answer does what a message asks for. A packet causes at most one answer, to
// its sender; an answer causes nothing but what D8 lists.
func (c *Core[ID, Addr]) answer(sender uint32, h *Header[ID], size int) error {
	if c.us.phase == gone || c.us.phase == undead {
		return c.drop(DropDefunct)
	}
	if sender == none || c.roster.at(sender).id != h.Src {
		return c.drop(DropDownSender) // its own packet told us so
	}
	r := c.roster.at(sender)
	if r.flags&isLone != 0 && r.flags&isVerified == 0 {
		// Its packets are too small for an answer with the suspicion in it,
		// which it has to hear of.
		c.contactSoon(sender)
	}
	room := c.answerRoom(r, size)
	switch h.Message {
	case MessagePing:
		c.todo.explain = false
		return c.reply(sender, Header[ID]{Dst: h.Src, Message: MessageAck, Number: h.Number}, room)
	case MessageIndirectPing:
		c.todo.explain = false
		return c.reply(sender, Header[ID]{Dst: h.Src, Message: MessageIndirectAck, Number: h.Number, About: h.About}, room)
	case MessagePingReq:
		return c.relayPing(h, r)
	case MessageIndirectAck:
		return c.relayAck(h, r)
	case MessageSync:
		return c.compared(sender, h, min(room, c.partRoom(size)))
	case MessageDiff:
		return c.differed(sender, h, size)
	case MessageFeed, MessageRecords:
		return c.sendRecords(sender, h.Number, size)
	case MessageAck:
		err := c.acked(h, r)
		if err == nil {
			c.compareDigest(sender, h.Digest)
		}
		return err
	case MessageForwardedAck:
		return c.vouched(h, r)
	case MessageNack:
		return c.nacked(h, r)
	case MessageAnnounce:
		c.todo.explain = false
		return c.feed(sender, h.Page, min(size, c.cfg.MaxPacket))
	case MessageGossip, MessageBroadcast:
		if c.todo.explain || r.flags&isLone != 0 || planted == answerGossip {
			c.explain(h.Src, size)
		}
	}
	return nil
}

// explain answers with an empty gossip, not more than once in a period to one
// address: its header says who we are and refutes what is stale. To one that
// we suspect it carries the suspicion.
func (c *Core[ID, Addr]) explain(to ID, size int) {
	c.todo.explain = false
	if c.warned.recent(to.Addr(), c.now, c.cfg.Period) {
		c.count(DropRateLimited)
		return
	}
	slot, room := c.slotOf(to), min(size, c.cfg.MaxPacket)
	if slot != none {
		room = c.answerRoom(c.roster.at(slot), size)
	}
	if c.post(slot, Header[ID]{Dst: to, Message: MessageGossip}, room, bare) == nil {
		c.warned.note(to.Addr(), c.now)
	}
}

// turnUndead tells a member that it is considered down, or that another
// identity has its address, not more than once in a period.
func (c *Core[ID, Addr]) turnUndead(to ID, at Incarnation, newest ID, room int) {
	if !c.us.present() {
		return
	}
	if c.warned.recent(to.Addr(), c.now, c.cfg.Period) {
		c.count(DropRateLimited)
		return
	}
	if c.reply(c.slotOf(to), Header[ID]{Dst: to, Message: MessageTurnUndead, About: newest, AboutIncarnation: at}, room) == nil {
		c.warned.note(to.Addr(), c.now)
	}
}

// never is so long ago that nothing was a moment after it.
const never Instant = -1 << 62

// A todo is what an input decided to do when it is otherwise done.
type todo[ID any] struct {
	gossip  bool    // tell some members at once
	explain bool    // the sender should hear who we are
	refuted Instant // when a refutation was last gossiped at once

	contact  ID // a lost member that contacted us, and is back
	returned bool
}

func (c *Core[ID, Addr]) sendTodo() {
	gossip, contact, returned := c.todo.gossip, c.todo.contact, c.todo.returned
	c.todo = todo[ID]{refuted: c.todo.refuted}
	if returned && c.us.present() {
		c.asked.take(contact.Addr()) // that it did not answer is over
		c.announceTo(contact, firstPage)
	}
	if gossip && c.us.phase == connected {
		c.gossipTo(max(c.cfg.Gossip.Num, 1), true)
	}
}
