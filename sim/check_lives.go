package sim

import (
	"cmp"
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A life is one identity that somebody had, and what was ever said of it by
// those who may.
type life struct {
	number    uint32
	processes int              // that had it; more than one if a clock went back
	inc       swim.Incarnation // the largest that its owner used, or that was brought in
	meta      uint64           // the largest version of its metadata, the same
	left      bool             // its owner said goodbye
	fallen    bool             // its owner knows that it is down

	accusations []accusation
	verdicts    []swim.Incarnation // at which it was declared down
}

// know returns a life of an address, or nil if it never was.
func (o *oracle) know(id ID) *life {
	if id.Node >= uint32(len(o.lives)) {
		return nil
	}
	all := o.lives[id.Node]
	if last := len(all) - 1; last >= 0 && all[last].number == id.Life {
		return all[last]
	}
	if at, ok := o.find(id); ok {
		return all[at]
	}
	return nil
}

// find returns where a life is among those of its address, or belongs.
func (o *oracle) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(o.lives[id.Node], id.Life, func(l *life, number uint32) int {
		return cmp.Compare(l.number, number)
	})
}

// enter returns a life, which begins to be if it never was.
func (o *oracle) enter(id ID) *life {
	if l := o.know(id); l != nil {
		return l
	}
	if id.Node >= uint32(len(o.w.nodes)) {
		return &life{number: id.Life} // nobody can be there
	}
	for len(o.lives) < len(o.w.nodes) {
		o.lives = append(o.lives, nil)
	}
	at, _ := o.find(id)
	l := &life{number: id.Life}
	o.lives[id.Node] = slices.Insert(o.lives[id.Node], at, l)
	return l
}

// born notes that a process has an identity now.
func (o *oracle) born(id ID) *life {
	l := o.enter(id)
	l.processes++
	return l
}

// shared reports whether several processes had this life, because a clock or a
// disk was lost. Each of them counts its incarnations anew, so what takes one
// owner who remembers is not asked of it.
func (l *life) shared() bool { return l.processes > 1 }

// admit takes a record for true.
func (o *oracle) admit(u *swim.Update[ID]) {
	if !o.w.Watch {
		return
	}
	l := o.enter(u.ID)
	l.inc, l.meta = max(l.inc, u.Incarnation), max(l.meta, u.Metadata)
	switch u.State {
	case swim.Left:
		l.left = true
	case swim.Down:
		l.rule(u.Incarnation)
		fallthrough
	case swim.Suspect:
		l.accuse(accusation{inc: u.Incarnation})
		for _, by := range u.By {
			o.enter(by)
			l.accuse(accusation{by: by, inc: u.Incarnation})
		}
	}
}

// became notes that a process goes on under another identity. By itself it may
// only take the next one after a life that there was.
func (o *oracle) became(n *Node, id ID) {
	s := &n.seen
	if o.trust && o.in.kind != inputOwner {
		switch {
		case s.state != swim.Alive && !s.life.shared():
			o.broken("S24", n, id.Node, "%v, which left or is down for good, renews as %v", s.id, id)
		case id.Node != s.id.Node || id.Life <= s.id.Life:
			o.broken("S4", n, id.Node, "%v renews as %v", s.id, id)
		case o.know(ID{id.Node, id.Life - 1}) == nil:
			o.broken("S4", n, id.Node, "%v renews above %v, which never was", id, ID{id.Node, id.Life - 1})
		}
	}
	if id.Node != s.id.Node {
		s.heard = 0 // what was heard of was at the old address
	}
	s.renewal.moved(id.Node)
	s.life.fallen = true // there is a later one
	s.id, s.inc, s.state = id, 0, swim.Alive
	s.life = o.born(id)
	s.probe = probing{}
	o.in.became, o.in.inc = true, 0
	o.marks.hit(markRenewed)
}

// spoke holds a node to what its header says of itself, and of others.
func (o *oracle) spoke(n *Node, h *swim.Header[ID]) {
	if h.Src != n.seen.id {
		o.became(n, h.Src)
	}
	o.checkIncarnation(n, h.SrcIncarnation, h.SrcMetadata)
	o.checkGoodbye(n, h)
	if h.Message.HasAbout() {
		o.checkExists(n, h.About)
		if h.Message == swim.MessageTurnUndead && h.About == h.Dst {
			o.checkUsed(n, h.About, h.AboutIncarnation)
		}
	}
}

// checkExists: nobody speaks of a life that never was (S4). Number 0 stands for
// whoever is at an address.
func (o *oracle) checkExists(n *Node, id ID) *life {
	l := o.know(id)
	switch {
	case l != nil:
	case !o.trust:
		l = o.enter(id)
	case id.Life != 0:
		o.broken("S4", n, id.Node, "speaks of %v, which never was", id)
	}
	return l
}

// checkUsed: no record is above what its owner said (S3).
func (o *oracle) checkUsed(n *Node, id ID, inc swim.Incarnation) {
	if l := o.know(id); l != nil && inc > l.inc {
		if o.trust {
			o.broken("S3", n, id.Node, "speaks of %v at incarnation %d, its owner was at most at %d", id, inc, l.inc)
		}
		l.inc = inc
	}
}

// checkRecord holds a record that a node tells, or has, to what is known of its
// life.
func (o *oracle) checkRecord(n *Node, u *swim.Update[ID]) {
	if !o.trust {
		o.admit(u)
		return
	}
	l := o.checkExists(n, u.ID)
	if l == nil {
		return
	}
	if u.Incarnation > l.inc {
		o.checkUsed(n, u.ID, u.Incarnation)
	}
	if u.Metadata > l.meta {
		o.broken("S3", n, u.ID.Node, "knows metadata %d of %v, its owner was at most at %d", u.Metadata, u.ID, l.meta)
		l.meta = u.Metadata
	}
	switch u.State {
	case swim.Left:
		if !l.left {
			o.broken("S24", n, u.ID.Node, "says that %v left, which did not", u.ID)
			l.left = true
		}
	case swim.Suspect, swim.Down:
		o.checkDoubt(l, u)
	}
}

// checkPacket checks all that a packet says of others.
func (o *oracle) checkPacket(n *Node, p *swim.Packet[ID]) {
	for i := range p.Updates {
		if u := &p.Updates[i]; u.Sent {
			o.checkRecord(n, u)
		}
	}
}
