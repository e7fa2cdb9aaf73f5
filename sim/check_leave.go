package sim

import "github.com/selkie-go/selkie/swim"

// checkGoodbye: only the owner of a life says that it left (S24), because its
// owner wanted it to, and then never says anything else of it.
func (o *oracle) checkGoodbye(n *Node, h *swim.Header[ID]) {
	l := n.seen.life
	switch {
	case h.SrcState == swim.Left && !l.left:
		if o.trust && o.in.kind != inputOwner && n.seen.state != swim.Left {
			o.broken("S24", n, n.number, "%v says that it left, which nobody wanted", h.Src)
		}
		l.left = true
	case h.SrcState != swim.Left && l.left && !l.shared():
		if o.trust {
			o.broken("S24", n, n.number, "%v says that it is alive after it left", h.Src)
		}
	case h.SrcState != swim.Left && h.SrcState != swim.Alive:
		o.broken("S24", n, n.number, "%v says that it is %v", h.Src, h.SrcState)
	}
}

// checkState follows what a core says of itself: it leaves, and comes back from
// that or from being down for good, only if its owner wants that.
func (o *oracle) checkState(n *Node, state swim.State) {
	s := &n.seen
	if state == s.state {
		return
	}
	if o.trust && o.in.kind != inputOwner && !o.in.became && (state == swim.Left || s.state != swim.Alive) {
		o.broken("S24", n, n.number, "%v turned from %v to %v by itself", s.id, s.state, state)
	}
	switch state {
	case swim.Left:
		s.life.left = true
		o.marks.hit(markLeaves)
	case swim.Down:
		o.marks.hit(markUndead)
	case swim.Alive:
		s.life.fallen = false // its owner goes on with it
		o.marks.hit(markReused)
	}
}
