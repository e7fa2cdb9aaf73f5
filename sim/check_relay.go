package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A relayed is a probe that a process carries out for another.
type relayed struct {
	asker, target ID
	number        uint32
	// Both by the clock of the process: until when the same request is one that
	// came twice, and when no answer to it can be passed on any more.
	pending, until swim.Instant
	settled        bool         // its ack came
	crowded        bool         // it may have made way for another
	nackAt         swim.Instant // by the same clock, from when on the asker wants a nack; 0 for never
}

// checkRelay: a relay pings once for each request that it handles, and only
// members that it knows; and it passes on one ack for each of those pings, or says
// once that none came so far, when the asker wants to know (S12).
func (o *oracle) checkRelay(n *Node, h *swim.Header[ID]) {
	in, s := &o.in, &n.seen
	asked := &in.header
	in.passed++
	about := h.About
	switch h.Message {
	case swim.MessageIndirectPing:
		known, any := n.core.Member(h.Dst.Node)
		if o.trust && (!in.read || in.passed > 1 || asked.Message != swim.MessagePingReq || asked.Src != about || asked.About != h.Dst ||
			asked.Number != h.Number || !any || known.ID != h.Dst) {
			o.broken("S12", n, h.Dst.Node, "%v to %v, whom nobody asked it to ping or it does not know", h, h.Dst)
		}
		now := s.now
		s.forgetRelays(now)
		next := relayed{asker: about, target: h.Dst, number: h.Number, pending: now.Add(s.cfg.Period), until: now.Add(2 * s.cfg.Period)}
		if wait := time.Duration(asked.NackAfter) * time.Millisecond; wait > 0 && !s.cfg.Rules.SilentRelay {
			next.nackAt = now.Add(min(wait, 52*s.cfg.Period)) // what is said counts for 65 periods at most
			next.until = max(next.until, now.Add(2*wait))
		}
		twice := slices.ContainsFunc(s.relays, func(r relayed) bool {
			return r.asker == about && r.target == h.Dst && r.number == h.Number && now < r.pending && !r.settled && !r.crowded
		})
		if o.trust && twice {
			o.broken("S12", n, h.Dst.Node, "%v to %v, for a request that came twice", h, h.Dst)
		}
		if len(s.relays) >= s.cfg.MaxRelays {
			for i := range s.relays {
				s.relays[i].crowded = true
			}
		}
		s.relays = append(s.relays, next)
	case swim.MessageForwardedAck:
		at := slices.IndexFunc(s.relays, func(r relayed) bool {
			return r.asker == h.Dst && r.target == about && r.number == h.Number
		})
		if o.trust && (!in.read || in.passed > 1 || asked.Message != swim.MessageIndirectAck || asked.Src != about || asked.About != h.Dst ||
			asked.Number != h.Number || at < 0) {
			o.broken("S12", n, h.Dst.Node, "%v to %v, who did not ask for it", h, h.Dst)
		}
		if at >= 0 {
			s.relays = slices.Delete(s.relays, at, at+1)
		}
	case swim.MessageNack:
		at := slices.IndexFunc(s.relays, func(r relayed) bool {
			return r.asker == h.Dst && r.target == about && r.number == h.Number && r.nackAt > 0
		})
		switch {
		case !o.trust:
		case in.kind != inputTimer || in.timer != swim.TimerNack || at < 0:
			o.broken("S12", n, h.Dst.Node, "%v to %v, who did not ask for it, or was told already", h, h.Dst)
		case s.now < s.relays[at].nackAt:
			o.broken("S12", n, h.Dst.Node, "%v to %v, %v too early", h, h.Dst, s.relays[at].nackAt.Sub(s.now))
		}
		if at >= 0 {
			s.relays[at].nackAt = 0
		}
	}
}

// settleRelay notes that the target of a relay answered.
func (s *witness) settleRelay(h *swim.Header[ID]) {
	for i := range s.relays {
		if r := &s.relays[i]; r.asker == h.About && r.target == h.Src && r.number == h.Number {
			r.settled = true
		}
	}
}

// forgetRelays drops what no ack can be passed on for any more.
func (s *witness) forgetRelays(now swim.Instant) {
	s.relays = slices.DeleteFunc(s.relays, func(r relayed) bool { return r.until < now })
}
