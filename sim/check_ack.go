package sim

import "github.com/selkie-go/selkie/swim"

// A probing is the latest probe of a process.
type probing struct {
	target  ID
	inc     swim.Incarnation // at which the process knew the target then
	number  uint32
	on      bool
	reached bool // the target handled a ping of this number, sent for the prober
	acked   bool // and the prober was told so
}

// pinged notes that a node probes. The goodbyes of one that leaves are no probes.
func (o *oracle) pinged(n *Node, h *swim.Header[ID]) {
	if h.SrcState == swim.Left {
		return
	}
	o.asked.probes++
	s := &n.seen
	s.judged = s.probe
	known, _ := n.core.Member(h.Dst.Node)
	s.probe = probing{target: h.Dst, inc: known.Incarnation, number: h.Number, on: true}
}

// checkAcking: a node acks nothing but the ping that it is handling (S11).
func (o *oracle) checkAcking(n *Node, h *swim.Header[ID]) {
	asker, asked := h.Dst, &o.in.header
	request := swim.MessagePing
	if h.Message == swim.MessageIndirectAck {
		asker, request = h.About, swim.MessageIndirectPing
	}
	if !o.in.read || asked.Message != request || asked.Number != h.Number || asked.Src != h.Dst || asked.Dst != h.Src ||
		request == swim.MessageIndirectPing && asked.About != asker {
		if o.trust {
			o.broken("S11", n, asker.Node, "%v to %v acks what nobody asked", h, h.Dst)
		}
		return
	}
	if asker.Node >= uint32(len(o.w.nodes)) {
		return
	}
	to := o.w.nodes[asker.Node]
	to.seen.reached(asker, h)
	if to.twin != nil {
		to.twin.seen.reached(asker, h)
	}
}

// reached notes that the target of a probe handled it.
func (s *witness) reached(prober ID, ack *swim.Header[ID]) {
	if p := &s.probe; s.id == prober && p.target == ack.Src && p.number == ack.Number {
		p.reached = true
	}
}

// heardAck notes that a node reads the ack of its running probe.
func (o *oracle) heardAck(n *Node, h *swim.Header[ID]) {
	p := &n.seen.probe
	target := h.Src
	if h.Message == swim.MessageForwardedAck {
		target = h.About
	}
	o.in.acks = p.on && h.Number == p.number && target == p.target
}

// checkAcked: the ack of a running probe, if it counts, says the truth: its
// target handled the ping (S11). A life that several processes had numbers its
// probes anew, and an old ack may fit by chance.
func (o *oracle) checkAcked(n *Node) {
	s, h := &n.seen, &o.in.header
	p := &s.probe
	if !p.reached && o.trust && !s.life.shared() {
		o.broken("S11", n, p.target.Node, "%v from %v counts, but %v never handled that ping", h, h.Src, p.target)
	}
	if !p.acked && h.Message == swim.MessageForwardedAck {
		o.marks.hit(markVouched)
	}
	p.acked = true
}
