package swim

import (
	"errors"
	"slices"
)

// A filling says what a packet carries besides its header.
type filling uint8

const (
	bare filling = iota // only what concerns the receiver itself
	full                // also what there is to tell, as far as it fits
)

// untold reports whether there is anything to gossip.
func (c *Core[ID, Addr]) untold() bool {
	return c.backlog.len() > 0 || len(c.queue.items) > 0 || c.us.untold > 0 || len(c.summons) > 0
}

// gossipDue is the periodic gossip. Its task rests while nothing is to tell.
func (c *Core[ID, Addr]) gossipDue() {
	if c.us.phase == saysGoodbye {
		c.sayGoodbye()
		return
	}
	c.renewIfAllowed()
	c.tellLiaison()
	if width := c.gossipWidth(); !c.todo.gossip { // a renewal gossips anyway
		c.gossipTo(width, false)
	}
	c.sendSummons()
}

// gossipTo tells some distinct active members what there is to tell. Each
// hears our header at least, or, unless always, nobody once all is told.
func (c *Core[ID, Addr]) gossipTo(k int, always bool) {
	c.sample = c.roster.sample(&c.roster.active, k, c.rnd, c.sample, nil)
	for _, slot := range c.sample {
		news := c.backlog.len() > 0 || c.us.untold > 0 || len(c.queue.items) > 0 && c.wanted(slot)
		if news || always {
			c.post(slot, Header[ID]{Dst: c.roster.at(slot).id, Message: MessageGossip}, c.cfg.MaxPacket, full)
		}
	}
}

// Gossip tells some members what there is to tell, now. It may be nothing:
// then they hear our header. Without an active member, or when we left or are
// down, it is [ErrNotConnected].
func (c *Core[ID, Addr]) Gossip(rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if c.us.phase != connected {
		return ErrNotConnected
	}
	c.gossipTo(c.cfg.Gossip.Num, true)
	c.settle()
	return nil
}

// reply sends an answer in at most room bytes. A sender that never answered us
// gets no updates.
func (c *Core[ID, Addr]) reply(to uint32, h Header[ID], room int) error {
	with := full
	if room < c.cfg.MaxPacket {
		with = bare
	}
	return c.post(to, h, room, with)
}

// post sends a packet to a slot of the roster, or to [none] if the receiver is
// not known: the header, first what concerns the receiver itself, then updates
// and payloads in their order.
func (c *Core[ID, Addr]) post(to uint32, h Header[ID], room int, with filling) error {
	p := &c.out
	p.Reset()
	p.Header = h
	known := to != none
	if h.Message.HasUpdates() && known && c.concerns(c.roster.at(to), &h) {
		c.load(p, []uint32{to})
	}
	// Otherwise what is told about the receiver is told to it too: in a cluster
	// of two there is nobody else, and it could never end.
	skip := uint32(none)
	if len(p.Updates) > 0 || known && c.roster.at(to).state == Left {
		skip = to
	}
	own := len(p.Updates) // outside the budget
	c.slots = c.slots[:0]
	if with == full && h.Message.HasUpdates() && c.backlog.len() > 0 {
		c.slots = c.backlog.gather(c.budget(), c.most(room), c.slots, skip)
		if !c.roster.touch(c.slots) {
			c.sweep(c.slots)
			c.slots = c.backlog.gather(c.budget(), c.most(room), c.slots, skip)
		}
		c.load(p, c.slots)
	}
	payloads := 0
	if with == full && h.Message.HasPayloads() && len(c.queue.items) > 0 && c.wanted(to) {
		payloads = c.loadPayloads(p, room-own*c.codec.MaxUpdate())
	}
	if err := c.transmit(p, room); err != nil {
		return err
	}
	if own > 0 && p.Updates[0].Sent {
		c.roster.at(to).flags &^= isBehind
	}
	if with == full {
		c.settleBacklog(p.Updates[own:])
		c.settlePayloads(payloads)
	}
	return nil
}

// budget is how often updates are told now. Who misses a suspicion is told the
// verdict or finds out, who misses a verdict judges by itself, and who misses a
// confirmation only waits longer: with digests, these are told less often.
func (c *Core[ID, Addr]) budget() (b budget) {
	times := c.size().transmissions
	for p := range b {
		b[p] = times
	}
	if c.othersJudge() {
		b[prioSuspect] = min(times, max(2*times/3, 4))
		b[prioVerdict], b[prioConfirm] = min(times, max(times/3, 3)), min(times, max(times/4, 3))
	}
	return b
}

// slotOf returns where the member at an identity's address is in the roster, or
// [none].
func (c *Core[ID, Addr]) slotOf(id ID) uint32 {
	if slot, known := c.roster.find(id.Addr()); known {
		return slot
	}
	return none
}

// concerns reports whether the receiver should find our record of it in the
// packet: a suspect hears of the suspicion whatever the budget, and so does
// one that we hold down. One that we ping for the first time, or whose header
// is longer than ours, gets it too: it may be that we never answered it, and
// the bytes are the room for its answer, which then is no larger than the ping.
func (c *Core[ID, Addr]) concerns(r *record[ID], h *Header[ID]) bool {
	if r.id != h.Dst || r.state == Left {
		return false
	}
	switch ping := h.Message == MessagePing || h.Message == MessageIndirectPing; {
	case r.state == Alive:
	case r.state == Suspect && ping:
		return !c.cfg.Rules.SilentPing
	default:
		return !c.cfg.Rules.SilentSuspicion
	}
	const short = 1 << 7 // incarnations below it take one byte
	longer := r.inc > c.us.inc && r.inc >= short
	return r.flags&isBehind != 0 || h.Message.kind().request && (longer || r.flags&isVerified == 0)
}

// load puts the records of some slots into a packet. They are touched before
// the first is read, so that waiting for memory overlaps.
func (c *Core[ID, Addr]) load(p *Packet[ID], slots []uint32) {
	if !c.roster.touch(slots) {
		c.sweep(slots)
	}
	n := len(p.Updates)
	p.Updates = slices.Grow(p.Updates, len(slots))[:n+len(slots)]
	for i, slot := range slots {
		c.fill(&p.Updates[n+i], c.roster.at(slot))
	}
}

// fill writes a record as it is told to others.
func (c *Core[ID, Addr]) fill(u *Update[ID], r *record[ID]) {
	u.ID, u.Incarnation, u.State, u.Metadata = r.id, r.inc, r.state, r.meta
	u.By, u.Remaining, u.Sent = nil, 0, false
	if r.doubt != 0 && (r.state == Suspect || r.state == Down) {
		d := c.doubts.at(r.doubt)
		u.By = c.accusers(r, d)
	}
	if planted == tellLeftAsDown && r.state == Left {
		u.State = Down
	}
}

// most is how many updates to try to fit into a packet: somewhat more than
// lately did.
func (c *Core[ID, Addr]) most(room int) int {
	const smallest = 6 // bytes of an update, at the least
	return min(max(c.fit, 16), room/smallest)
}

// settleBacklog takes note of which updates were sent.
func (c *Core[ID, Addr]) settleBacklog(updates []Update[ID]) {
	if len(updates) == 0 {
		return
	}
	c.backlog.sent(c.roster, c.slots, func(i int) bool { return updates[i].Sent && planted != tellForever })
	sent := 0
	for i := range updates {
		if updates[i].Sent {
			sent++
		}
	}
	switch tried := max(c.fit, 16); {
	case sent >= tried:
		c.fit = 2 * tried
	case sent < len(updates):
		c.fit = sent + sent/16 + 4
	}
}

// transmit completes the header by who we are, encodes the packet and hands it
// to the runtime. It fails if not even the header has room. The digest
// and the version of our metadata are left out if that helps: who is not told
// now is told later.
func (c *Core[ID, Addr]) transmit(p *Packet[ID], room int) error {
	h := &p.Header
	h.Src, h.SrcIncarnation, h.SrcState, h.SrcMetadata = c.us.id, c.us.inc, c.us.state(), c.us.meta
	if c.saysDigest(h) && (room == c.cfg.MaxPacket || len(p.Updates) == 0) { // else these concern the receiver
		h.Digest = c.digest()
	}
	data, err := c.codec.Append(c.buf[:0], room, p)
	if errors.Is(err, ErrTooBig) && h.Digest.Members != 0 {
		h.Digest = Digest{}
		data, err = c.codec.Append(c.buf[:0], room, p)
	}
	if errors.Is(err, ErrTooBig) && h.SrcMetadata != 0 {
		h.SrcMetadata = 0
		data, err = c.codec.Append(c.buf[:0], room, p)
	}
	if errors.Is(err, ErrTooBig) {
		return c.drop(DropTooLarge)
	}
	if err != nil {
		c.stats.EncodeErrors++
		return err
	}
	c.buf = data
	c.stats.Sent[h.Message]++
	c.us.untold = max(0, c.us.untold-1)
	c.rt.SendTo(h.Dst, data)
	if c.cfg.Notify.Sent {
		c.notify(Notification[ID]{Kind: NotifySent, Message: h.Message, Number: h.Number, Member: Member[ID]{ID: h.Dst}})
	}
	return nil
}

// fallen is a member that went down lately.
type fallen[ID any] struct {
	id    ID
	until Instant
}

// maxFallen bounds how many of them are told.
const maxFallen = 16

// mourn remembers to tell a member that it is down: the packet that said so
// may get lost, and only it can come back.
func (c *Core[ID, Addr]) mourn(id ID) {
	if len(c.fallen) == maxFallen {
		c.fallen = append(c.fallen[:0], c.fallen[1:]...)
	}
	c.fallen = append(c.fallen, fallen[ID]{id: id, until: c.now.Add(c.size().suspicion)})
}

// consoleFallen sends one of those who went down lately a gossip, each in
// turn, one a period.
func (c *Core[ID, Addr]) consoleFallen() {
	for len(c.fallen) > 0 {
		next := c.fallen[0]
		c.fallen = append(c.fallen[:0], c.fallen[1:]...)
		slot, known := c.roster.find(next.id.Addr())
		if !known || next.until < c.now || !c.within(next.until, c.longest.suspicion) || c.roster.at(slot).id != next.id || c.roster.at(slot).state != Down {
			continue
		}
		c.post(slot, Header[ID]{Dst: next.id, Message: MessageGossip}, c.cfg.MaxPacket, bare)
		c.fallen = append(c.fallen, next)
		return
	}
}
