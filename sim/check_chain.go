package sim

import "github.com/selkie-go/selkie/swim"

// maxEdges is how many packets may follow from one another after the one that a
// timer or an owner caused: ping-req, indirect-ping, indirect-ack,
// forwarded-ack.
const maxEdges = 3

// answers reports whether a message is an answer, which causes nothing but the
// ack that a relay passes on.
func answers(m swim.Message) bool {
	switch m {
	case swim.MessageAck, swim.MessageIndirectAck, swim.MessageForwardedAck, swim.MessageFeed, swim.MessageTurnUndead:
		return true
	}
	return false
}

// checkChain: a packet causes at most one answer, an answer none, and so no
// exchange goes on for ever (S14, D8).
//
// What a node gossips at once for itself, because it was suspected or renewed,
// begins a chain of its own: the interval of gossip and the back-off of renewals
// limit it (rules 21, 26), which S19 and S26 are about.
func (o *oracle) checkChain(n *Node, h *swim.Header[ID]) {
	in := &o.in
	o.edges = 0
	if h.Message == swim.MessageTurnUndead && (in.kind == inputOwner || in.kind == inputTimer && in.timer != swim.TimerSuspicion) && o.trust {
		o.broken("S14", n, h.Dst.Node, "%v to %v, unasked", h, h.Dst)
	}
	if in.kind != inputPacket {
		return
	}
	ours := h.Message == swim.MessageGossip && (in.suspected || in.became) || h.Message == swim.MessageAnnounce && in.became
	if ours {
		return
	}
	o.edges = in.edges + 1
	in.answers++
	if !o.trust {
		return
	}
	forwards := in.header.Message == swim.MessageIndirectAck && h.Message == swim.MessageForwardedAck
	switch {
	case in.answers > 1:
		o.broken("S14", n, h.Dst.Node, "%v from %v caused %d packets, the last %v to %v", &in.header, in.header.Src, in.answers, h, h.Dst)
	case answers(in.header.Message) && !forwards:
		o.broken("S14", n, h.Dst.Node, "the answer %v from %v caused %v to %v", &in.header, in.header.Src, h, h.Dst)
	case o.edges > maxEdges:
		o.broken("S14", n, h.Dst.Node, "%v to %v follows from %d packets", h, h.Dst, o.edges)
	}
}
