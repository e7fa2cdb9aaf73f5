package swim

import (
	"slices"
	"time"
)

// A relay is a probe that we carry out for another member.
type relay[ID any] struct {
	asker, target ID
	number        uint32 // the asker's
	until         Instant
	nackAt        Instant // when the asker should hear that the target is silent; 0 if it need not
}

// A relay is kept for our own period, or for the asker's if that says when it
// wants a nack; but what somebody says counts for at most maxRelayPeriods.
const maxRelayPeriods = 1 + maxHealth

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
	c.keepRelay(h)
	c.post(target, Header[ID]{Dst: h.About, Message: MessageIndirectPing, Number: h.Number, About: h.Src}, c.cfg.MaxPacket, full)
	return nil
}

// keepRelay remembers for whom we ping.
func (c *Core[ID, Addr]) keepRelay(h *Header[ID]) {
	r := relay[ID]{asker: h.Src, target: h.About, number: h.Number, until: c.now.Add(c.cfg.Period)}
	if wait := time.Duration(h.NackAfter) * time.Millisecond; wait > 0 && !c.cfg.Rules.SilentRelay {
		wait = min(wait, multiple(c.cfg.Period, maxRelayPeriods)/5*4)
		r.until = max(r.until, c.now.Add(wait+wait/4)) // then the asker judges
		r.nackAt = c.now.Add(wait)
		c.armWithin(TimerNack, wait)
	}
	c.relays = append(c.relays, r)
}

// mostNacks bounds the nacks that one event sends; the next comes at once.
const mostNacks = 4

// nackDue tells those who asked, and whose target has not answered so far.
func (c *Core[ID, Addr]) nackDue() {
	left := mostNacks
	for i := range c.relays {
		r := &c.relays[i]
		if left == 0 || r.nackAt == 0 || r.nackAt > c.now {
			continue
		}
		r.nackAt = 0
		if c.now >= r.until {
			continue // the asker has judged by now
		}
		if planted == nackTwice {
			r.nackAt = c.now.Add(10 * time.Millisecond)
		}
		left--
		if asker, active := c.find(r.asker); active {
			c.post(asker, Header[ID]{Dst: r.asker, Message: MessageNack, Number: r.number, About: r.target}, c.cfg.MaxPacket, full)
		}
	}
	c.armNack()
}

// armNack makes sure that the next nack goes out.
func (c *Core[ID, Addr]) armNack() {
	for i := range c.relays {
		if r := &c.relays[i]; r.nackAt != 0 {
			c.armWithin(TimerNack, max(0, r.nackAt.Sub(c.now)))
		}
	}
}

// forgetNacks takes back what relays owe: whom they were asked as is no more.
func (c *Core[ID, Addr]) forgetNacks() {
	for i := range c.relays {
		c.relays[i].nackAt = 0
	}
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
				if planted == nackTheAnswered {
					c.post(asker, Header[ID]{Dst: r.asker, Message: MessageNack, Number: r.number, About: r.target}, c.cfg.MaxPacket, bare)
				}
			}
			return nil
		}
	}
	return c.drop(DropNoRelay)
}

// expireRelays drops the relays whose time is over.
func (c *Core[ID, Addr]) expireRelays() {
	c.relays = slices.DeleteFunc(c.relays, func(r relay[ID]) bool { return r.until <= c.now })
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
