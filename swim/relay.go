package swim

import "slices"

// A relay is a probe that we carry out for another member.
type relay[ID any] struct {
	asker, target ID
	number        uint32 // the asker's
	until         Instant
}

// relayPing asks the target on behalf of the sender. Only members that
// answered us before are served, and only with members that we know, so that
// nobody can have us send packets to an address of their choice.
func (c *Core[ID, Addr]) relayPing(h *Header[ID], sender *record[ID]) error {
	target, active := c.find(h.About)
	if !active || sender.flags&isVerified == 0 || h.About == h.Src || c.us.phase != connected {
		return c.drop(DropRelayRefused)
	}
	c.expireRelays()
	mine := 0
	for _, r := range c.relays {
		if r.asker != h.Src {
			continue
		}
		mine++
		if r.number == h.Number && r.target == h.About && planted != relayTwice {
			return c.drop(DropRelayRefused) // it came twice
		}
	}
	if mine >= max(8, c.cfg.MaxRelays/16) {
		return c.drop(DropRelayFull)
	}
	if len(c.relays) >= c.cfg.MaxRelays {
		c.relays = slices.Delete(c.relays, 0, 1)
		c.count(DropRelayFull)
	}
	c.relays = append(c.relays, relay[ID]{asker: h.Src, target: h.About, number: h.Number, until: c.now.Add(c.cfg.Period)})
	c.post(target, Header[ID]{Dst: h.About, Message: MessageIndirectPing, Number: h.Number, About: h.Src}, c.cfg.MaxPacket, full)
	return nil
}

// relayAck passes the target's answer on, once, to whoever asked for it.
func (c *Core[ID, Addr]) relayAck(h *Header[ID], sender *record[ID]) error {
	c.expireRelays()
	for i, r := range c.relays {
		if r.asker == h.About && r.target == h.Src && (r.number == h.Number || planted == relayAnyNumber) {
			sender.flags |= isVerified
			c.relays = slices.Delete(c.relays, i, i+1)
			if asker, active := c.find(r.asker); active {
				c.post(asker, Header[ID]{Dst: r.asker, Message: MessageForwardedAck, Number: r.number, About: r.target}, c.cfg.MaxPacket, full)
			}
			return nil
		}
	}
	return c.drop(DropNoRelay)
}

// expireRelays drops the relays whose time is over; they are in the order of
// their time.
func (c *Core[ID, Addr]) expireRelays() {
	expired := 0
	for expired < len(c.relays) && c.relays[expired].until <= c.now {
		expired++
	}
	c.relays = slices.Delete(c.relays, 0, expired)
}

// relaysUnderWay counts the relays whose time is not over. Those whose is are
// dropped when the next comes.
func (c *Core[ID, Addr]) relaysUnderWay() int {
	count := 0
	for _, r := range c.relays {
		if r.until > c.now {
			count++
		}
	}
	return count
}
