package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A relayed is a probe that a process carries out for another.
type relayed struct {
	asker, target ID
	number        uint32
	until         swim.Instant // by the clock of the process; later nobody answers
}

// checkRelay: a relay pings once for each request that it handles, and only
// members that it knows; and it passes on one ack for each of those pings (S12).
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
		o.forgetRelays(n)
		s.relays = append(s.relays, relayed{asker: about, target: h.Dst, number: h.Number, until: n.clock.at(o.w.now).Add(2 * n.core.Config().Period)})
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
	}
}

// forgetRelays drops what no ack can be passed on for any more.
func (o *oracle) forgetRelays(n *Node) {
	s, now, over := &n.seen, n.clock.at(o.w.now), 0
	for over < len(s.relays) && s.relays[over].until < now {
		over++
	}
	if over > 0 {
		s.relays = slices.Delete(s.relays, 0, over)
	}
}
