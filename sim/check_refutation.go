package sim

import "github.com/selkie-go/selkie/swim"

// A defence is what a packet says of its receiver, and where that takes the
// receiver's incarnation: the largest that it may go to.
type defence struct {
	said      bool // it says anything
	suspected bool // at our incarnation or above: worth a gossip at once
	fell      bool // we are down, or somebody has our address
	inc       swim.Incarnation
	highest   swim.Incarnation // that the wire can express
	newest    uint32           // life of our address that is named, if later than ours
}

// accused notes a record of the receiver's own address.
func (d *defence) accused(s *witness, u *swim.Update[ID]) {
	d.said = true
	switch {
	case u.ID.Life > s.id.Life:
		d.newest = max(d.newest, u.ID.Life)
		d.fell = true
	case u.ID.Life < s.id.Life:
	case u.Incarnation > d.inc && u.Incarnation-d.inc > 1<<16:
		// Implausible, and ignored (D2).
	case u.State == swim.Left || u.State == swim.Down && (u.Incarnation >= d.inc || s.cfg.Rules.FinalDown):
		d.fell = true
	case u.State == swim.Suspect && u.Incarnation >= d.inc, u.State == swim.Alive && u.Incarnation > d.inc:
		d.suspected = d.suspected || u.State == swim.Suspect
		if d.fell || s.life.fallen && !s.life.shared() {
			return // a life that is over says nothing more
		}
		if u.Incarnation < d.highest {
			d.inc = u.Incarnation + 1
		} else {
			d.fell = true
		}
	}
}

// doomed notes a turn-undead for the receiver.
func (d *defence) doomed(h *swim.Header[ID]) {
	switch {
	case h.About.Node != h.Dst.Node || h.AboutIncarnation < d.inc:
		return
	case h.About.Life > h.Dst.Life:
		d.newest = h.About.Life
	}
	d.said, d.fell = true, true
}

// checkIncarnation: a node raises its incarnation above an accusation that it
// was told of, once for each (S19), never after it learnt that it is down (S2),
// and never lowers it (S3).
func (o *oracle) checkIncarnation(n *Node, inc swim.Incarnation, meta uint64) {
	s := &n.seen
	s.life.meta = max(s.life.meta, meta)
	if inc == s.inc {
		return
	}
	if o.trust {
		switch {
		case inc < s.inc:
			o.broken("S3", n, s.id.Node, "%v went from incarnation %d to %d", s.id, s.inc, inc)
		case s.life.fallen && !s.life.shared():
			o.broken("S2", n, s.id.Node, "%v knows that it is down at %d, and goes to %d", s.id, s.inc, inc)
		case o.in.kind != inputOwner && inc != o.in.inc:
			o.broken("S19", n, s.id.Node, "%v went from incarnation %d to %d, which no accusation asks for", s.id, s.inc, inc)
		}
	}
	s.inc = inc
	s.life.inc = max(s.life.inc, inc)
	o.marks.hit(markRefuted)
}

// checkDefence holds a node to what it learnt of itself by a packet that it
// listened to.
func (o *oracle) checkDefence(n *Node) {
	s, in := &n.seen, &o.in
	if s.state != swim.Alive || in.became {
		return
	}
	if in.fell {
		s.life.fallen = true
		o.marks.hit(markFallen)
	}
	if in.newest > s.id.Life {
		o.checkSuccession(n, in.newest)
	}
}
