package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// maxEdges is how many packets may follow from one another after the one that a
// timer or an owner caused: ping-req, indirect-ping, indirect-ack,
// forwarded-ack.
const maxEdges = 3

// answers reports whether a message is an answer, which causes nothing but the
// ack that a relay passes on.
func answers(m swim.Message) bool {
	switch m {
	case swim.MessageAck, swim.MessageIndirectAck, swim.MessageForwardedAck, swim.MessageNack, swim.MessageFeed, swim.MessageTurnUndead,
		swim.MessageDiff, swim.MessageRecords:
		return true
	}
	return false
}

// checkChain: a packet causes at most one answer, an answer none, and so no
// exchange goes on for ever (S14, D8).
//
// Some packets begin a chain of their own, because something else limits how
// often they go out: what a node gossips at once for itself, because it was
// suspected or renewed (rules 21, 26; S19, S26), what it tells those who are
// misled, once in a period (rules 38, 79), the next page that it asks for of a
// list, which is of a bounded number (rule 35), what it reconciles, once in a
// period, and those whom it has summoned for that (D18).
func (o *oracle) checkChain(n *Node, h *swim.Header[ID]) {
	in := &o.in
	o.edges = 0
	if h.Message == swim.MessageTurnUndead {
		if o.trust && (in.kind == inputOwner || in.kind == inputTimer && in.timer != swim.TimerSuspicion) {
			o.broken("S14", n, h.Dst.Node, "%v to %v, unasked", h, h.Dst)
		}
		o.checkWarning(n, h)
	}
	if in.kind != inputPacket || in.spontaneous(h.Message) {
		return
	}
	if h.Message == swim.MessageGossip {
		o.checkWarning(n, h)
	}
	if h.Message != swim.MessageGossip && h.Message != swim.MessageTurnUndead {
		o.edges = in.edges + 1
	}
	in.answers++
	if !o.trust {
		return
	}
	if in.continues(h.Message) {
		if o.edges--; in.answers > maxParts {
			o.broken("S14", n, h.Dst.Node, "%v from %v caused %d packets, the last %v to %v", &in.header, in.header.Src, in.answers, h, h.Dst)
		}
		return
	}
	forwards := in.header.Message == swim.MessageIndirectAck && h.Message == swim.MessageForwardedAck
	switch {
	case in.answers > 1:
		o.broken("S14", n, h.Dst.Node, "%v from %v caused %d packets, the last %v to %v", &in.header, in.header.Src, in.answers, h, h.Dst)
	case answers(in.header.Message) && !forwards:
		o.broken("S14", n, h.Dst.Node, "the answer %v from %v caused %v to %v", &in.header, in.header.Src, h, h.Dst)
	case h.Message == swim.MessageGossip && !o.misled(n, h):
		o.broken("S14", n, h.Dst.Node, "%v from %v, which says nothing wrong of us, was answered with %v", &in.header, in.header.Src, h)
	case o.edges > maxEdges:
		o.broken("S14", n, h.Dst.Node, "%v to %v follows from %d packets", h, h.Dst, o.edges)
	}
}

// spontaneous reports whether a node sends a message for its own sake, though
// the input is a packet.
func (in *input) spontaneous(m swim.Message) bool {
	switch m {
	case swim.MessageGossip:
		return in.suspected || in.became || in.lists()
	case swim.MessageAnnounce:
		turns := in.header.Message == swim.MessageFeed && in.header.Page > 0
		lists := in.header.Message == swim.MessageDiff || in.header.Message == swim.MessageSync
		return in.became || turns || in.returned || lists
	case swim.MessageSync:
		return in.header.Message == swim.MessageAck
	}
	return false
}

// maxParts is how many packets an answer of a reconciliation may take.
const maxParts = 32

// continues reports whether a message goes on with a reconciliation that the
// packet is a part of. These have an end: a sketch has so many cells, and whoever
// was told what it lacks is told no more.
func (in *input) continues(m swim.Message) bool {
	switch in.header.Message {
	case swim.MessageFeed:
		return m == swim.MessageRecords || m == swim.MessageTurnUndead
	case swim.MessageDiff:
		return m == swim.MessageRecords || m == swim.MessageSync
	case swim.MessageSync:
		return m == swim.MessageDiff
	case swim.MessageRecords:
		return m == swim.MessageRecords
	}
	return false
}

// lists reports whether the packet tells what its sender knows, and no news.
func (in *input) lists() bool {
	switch in.header.Message {
	case swim.MessageFeed, swim.MessageDiff, swim.MessageRecords:
		return true
	}
	return false
}

// misled reports whether the sender of the packet under way has to be told who we
// are: it spoke of us, or to an earlier life of ours, or we hold it down for our
// owner alone. Only then is a gossip answered by one.
func (o *oracle) misled(n *Node, h *swim.Header[ID]) bool {
	if o.in.said || o.in.strange {
		return true
	}
	m, known := n.core.Member(h.Dst.Node)
	return known && m.State == swim.Down
}

// A warning is that a process told somebody that it is misled.
type warning struct {
	whom uint32
	at   swim.Instant // by the clock of the process
}

// checkWarning: those who are misled are told so once in a period, each.
func (o *oracle) checkWarning(n *Node, h *swim.Header[ID]) {
	s, now := &n.seen, n.seen.now
	period := s.cfg.Period
	over := 0
	for over < len(s.warnings) && s.warnings[over].at.Add(period) <= now {
		over++
	}
	s.warnings = slices.Delete(s.warnings, 0, over)
	for _, w := range s.warnings {
		if w.whom == h.Dst.Node && now < w.at.Add(period) && o.trust {
			o.broken("S14", n, h.Dst.Node, "%v to %v, whom it told %v ago", h, h.Dst, now.Sub(w.at))
		}
	}
	s.warnings = append(s.warnings, warning{h.Dst.Node, now})
}
