package swim

import "bytes"

// everyPacket is how often a packet is read back as a whole: reading and
// writing it costs as much as it cost the core.
const everyPacket = 32

// Sent hands over a packet that the core sent. Call it from the Runtime's
// SendTo, or through [Guard.Watch]; afterwards it works too, but reads the
// packet from its bytes.
func (g *Guard[ID, Addr]) Sent(to ID, packet []byte) {
	c := g.core
	g.input.packets++
	if len(packet) > c.cfg.MaxPacket {
		g.violated("S13", "a packet of %d bytes, at most %d", len(packet), c.cfg.MaxPacket)
	}
	said := &c.out // what the packet was made of
	if c.rt == nil || (g.turn+g.input.packets)%everyPacket == 0 {
		if !g.readBack(packet) {
			return
		}
	}
	if c.rt == nil {
		said = &g.pkt
		for i := range said.Updates {
			said.Updates[i].Sent = true
		}
	}
	g.checkHeader(to, &said.Header)
	g.checkRoom(&said.Header, len(packet))
	if len(said.Updates) > 0 {
		g.checkUpdates(said)
	}
}

// readBack reads a packet and writes it again: our own codec understands it to
// the last byte.
func (g *Guard[ID, Addr]) readBack(packet []byte) bool {
	c := g.core
	if err := c.codec.Parse(packet, &g.pkt); err != nil {
		g.violated("S13", "sent %x: %v", packet, err)
		return false
	}
	if g.pkt.Header.Message == MessageAnnounce {
		g.pkt.PadTo = len(packet)
	}
	var err error
	if g.buf, err = c.codec.Append(g.buf[:0], len(packet), &g.pkt); err != nil || !bytes.Equal(g.buf, packet) {
		g.violated("S13", "sent %x, which encodes as %x (%v)", packet, g.buf, err)
	}
	if c.rt != nil && !g.sameHeader(&c.out.Header, &g.pkt.Header) {
		g.violated("S13", "sent %v from %v as %v from %v", c.out.Header, c.out.Header.Src, g.pkt.Header, g.pkt.Header.Src)
	}
	return true
}

// sameHeader reports whether a header that was read back says what was sent, as
// far as the format can express it.
func (g *Guard[ID, Addr]) sameHeader(sent, read *Header[ID]) bool {
	if g.core.limits == unlimited {
		return *sent == *read
	}
	l := &g.core.limits
	about := sent.About == read.About || sent.Message == MessageTurnUndead // whose receiver it goes without saying
	return about && sent.Src == read.Src && sent.Dst == read.Dst && sent.Message == read.Message && sent.SrcState == read.SrcState &&
		min(sent.SrcIncarnation, l.Incarnation) == read.SrcIncarnation && sent.Number&l.Number == read.Number
}

// checkHeader: a packet is from us as we are, and not for ourselves.
func (g *Guard[ID, Addr]) checkHeader(to ID, h *Header[ID]) {
	us := &g.core.us
	if h.Dst != to || h.Dst.Addr() == us.addr {
		g.violated("S9", "a packet for %v was handed over for %v", h.Dst, to)
	}
	if g.core.rt != nil && (h.Src != us.id || h.SrcIncarnation != us.inc || h.SrcMetadata != us.meta && h.SrcMetadata != 0) {
		g.violated("S3", "a packet of %v %d says %v %d", us.id, us.inc, h.Src, h.SrcIncarnation)
	}
	left := g.us.state() == Left && g.us.id == h.Src || us.state() == Left
	if h.SrcState != Alive && h.SrcState != Left || left != (h.SrcState == Left) {
		g.violated("S24", "a header of %v says %v after leave (%v)", h.Src, h.SrcState, left)
	}
}

// checkRoom: an answer to a member that never answered us is not larger than
// what it sent, because it may not be where it says. Where an announce can not be
// padded a feed has to be.
func (g *Guard[ID, Addr]) checkRoom(h *Header[ID], size int) {
	in := &g.core.in.Header
	if !g.input.packet || size <= g.input.size || !h.Message.kind().answer ||
		in.Message == MessageTurnUndead || in.Message.synced() || h.Message == MessageFeed && g.core.limits.Unpadded || h.Dst.Addr() != in.Src.Addr() {
		return
	}
	// The flag is of the last life that is known at that address.
	slot, known := g.core.roster.find(h.Dst.Addr())
	if s := g.shadow(slot); !known || s.flags&isVerified == 0 || s.is.id.Addr() != h.Dst.Addr() {
		g.violated("S14", "%d bytes of %v, which never answered us, were answered with %d", g.input.size, h.Dst, size)
	}
}

// checkUpdates: updates are about others, are what we hold, and are not told
// more often than configured, other than to the member itself and in feeds.
func (g *Guard[ID, Addr]) checkUpdates(p *Packet[ID]) {
	c := g.core
	limit := g.limit()
	to := p.Header.Dst.Addr()
	for i := range p.Updates {
		u := &p.Updates[i]
		if !u.Sent {
			continue
		}
		at := u.ID.Addr()
		if at == c.us.addr {
			g.violated("S9", "an update about ourselves: %v", u)
			continue
		}
		slot, known := c.roster.find(at)
		if !known {
			if c.rt != nil {
				g.violated("S15", "told %v, which is not known", u)
			}
			continue
		}
		v := version[ID]{id: u.ID, inc: u.Incarnation, meta: u.Metadata, state: u.State, n: uint8(len(u.By))}
		copy(v.by[:], u.By)
		if c.rt != nil && v != g.versionOf(c.roster.at(slot)) {
			g.violated("S15", "told %v, but knows %v", u, c.roster.at(slot).member())
		}
		if at == to || p.Header.Message.synced() || len(g.journal.forgotten) > 0 {
			continue
		}
		s := g.shadow(slot)
		if s.said != v {
			s.said, s.times = v, 0
		}
		if s.times++; s.times > limit && c.rt != nil {
			g.violated("S15", "told %v %d times, at most %d", u, s.times, limit)
		}
	}
}

// limit is how often an update may be told now.
func (g *Guard[ID, Addr]) limit() int {
	n := g.core.roster.active.len() + 1
	if n == 1 {
		n = g.core.cfg.Members
	}
	return g.core.cfg.Transmissions.at(n)
}

// checkPacket: a packet for somebody else changes nothing, a probe is answered
// only by those who were asked, only answers verify who sent them, and how
// many packets an input may cause is bounded.
func (g *Guard[ID, Addr]) checkPacket() {
	c, in := g.core, &g.input
	if in.packets > 0 {
		// The event of a probe may judge, console and ping.
		most := 4 + max(c.cfg.IndirectProbes, c.cfg.Gossip.Num, c.cfg.Announce.Num, c.cfg.AnnounceDown.Num)
		if c.us.id != g.us.id {
			// A renewal that waited comes with whatever input is next: it is
			// announced to whoever demanded it, and gossiped.
			most += 1 + c.cfg.Gossip.Num
		}
		if synced := c.in.Header.Message; in.packet && (synced.synced() || synced == MessageSync) {
			most += mostPackets
		}
		if in.packet || in.fired && in.event.Kind == TimerGossip {
			most += summonsOnce
		}
		if in.packets > most {
			g.violated("S14", "%d packets at once, at most %d", in.packets, most)
		}
	}
	h := &c.in.Header
	understood := in.packet && in.read && c.stats.Received[h.Message] != in.received[h.Message]
	if in.packet && !understood && len(g.journal.touched)+len(g.journal.forgotten) > 0 {
		g.violated("S10", "a packet that is not for us changed what is known: %v to %v", h, h.Dst)
	}
	if understood && h.Dst != g.us.id && (h.Message != MessageAnnounce || h.Dst.Addr() != g.us.addr) {
		g.violated("S10", "%v heard %v, which is for %v", g.us.id, h, h.Dst)
	}
	if grown := c.backlog.len() - g.stats.queued; understood && h.Message.synced() && c.synchronises() && grown > 1 {
		g.violated("S15", "%v made us tell %d updates, of which its header is one", h, grown)
	}
	g.checkAcked(h, understood)
	if understood {
		g.checkVerified(h)
		g.checkHeard(h)
	}
}

// checkAcked: a probe counts as answered by its target, or by a member who was
// asked to try. A suspect that answered a ping which it was sent as one has its
// full time again; of several who vouch for it the first is sure to count.
func (g *Guard[ID, Addr]) checkAcked(h *Header[ID], understood bool) {
	c, p := g.core, &g.probe
	if !understood || h.Message != MessageAck && h.Message != MessageForwardedAck {
		if c.probe.acked && (!p.acked || p.number != c.probe.number) {
			g.violated("S11", "probe %d of %v was answered by nobody", c.probe.number, c.probe.target)
		}
		return
	}
	from := h.Src
	if h.Message == MessageForwardedAck {
		from = h.About
	}
	matches := p.running && h.Number == p.number && from == p.target
	if c.probe.acked && !p.acked && !matches {
		g.violated("S11", "probe %d of %v was answered by %v from %v", p.number, p.target, h, h.Src)
	}
	if !matches || !c.probe.acked || p.acked && h.Message == MessageForwardedAck || c.cfg.Rules.SilentSuspicion {
		return
	}
	if slot, known := c.roster.find(from.Addr()); known {
		if s := g.shadow(slot); s.is.id == from && s.is.state == Suspect && p.sent >= s.since {
			s.since = c.now
		}
	}
}

// checkHeard follows when somebody was heard. Whether a turn-undead was obeyed
// only the core knows; and whether it listened to a sender of whom the same
// packet left no record.
func (g *Guard[ID, Addr]) checkHeard(h *Header[ID]) {
	c := g.core
	slot, known := c.roster.find(h.Src.Addr())
	switch {
	case h.Message == MessageTurnUndead, !known, c.roster.at(slot).id != h.Src:
		g.heard = max(g.heard, c.pause.heard)
	case c.roster.times(slot).heard == c.now:
		g.heard = c.now
	}
}

// checkVerified: only an answer shows that its sender is where it says.
func (g *Guard[ID, Addr]) checkVerified(h *Header[ID]) {
	slot, known := g.core.roster.find(h.Src.Addr())
	if !known {
		return
	}
	s, r := g.shadow(slot), g.core.roster.at(slot)
	if r.flags&isVerified == s.flags&isVerified {
		return
	}
	if r.flags&isVerified != 0 && !h.Message.kind().answer {
		g.violated("S14", "a %v made us take %v for verified", h.Message, h.Src)
	}
	s.flags = s.flags&^isVerified | r.flags&isVerified
}
