package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// An accusation is that somebody's own probe of a life failed at an incarnation.
type accusation struct {
	by  ID // zero if it was brought in without a name
	inc swim.Incarnation
}

// accuse notes that somebody accuses this life. The latest are last, because
// they are asked for most.
func (l *life) accuse(a accusation) {
	if !l.accused(a) {
		l.accusations = append(l.accusations, a)
	}
}

// accused reports whether somebody did.
func (l *life) accused(a accusation) bool {
	for i := len(l.accusations) - 1; i >= 0; i-- {
		if l.accusations[i] == a {
			return true
		}
	}
	return false
}

// rule notes that somebody's time to refute ran out.
func (l *life) rule(inc swim.Incarnation) {
	if !l.ruled(inc) {
		l.verdicts = append(l.verdicts, inc)
	}
}

// ruled reports whether there is a verdict on this life at an incarnation.
func (l *life) ruled(inc swim.Incarnation) bool {
	for i := len(l.verdicts) - 1; i >= 0; i-- {
		if l.verdicts[i] == inc {
			return true
		}
	}
	return false
}

// An unheard record is one whose origin nobody has seen so far. It may lie in
// the input under way: what changed is known only at its end.
type unheard struct {
	id  ID
	inc swim.Incarnation
	by  ID // who is said to accuse; zero if it is about a verdict
}

// accused reports whether somebody accuses a life as a record says, or it was
// brought in without names.
//
// Where Rules.FinalDown is on, a down member is down whatever the incarnation,
// and the accusers of two such records are one set: then who accuses it at any
// incarnation is right. Those whom such a Down only makes suspect it, because they
// had not, take its accusers as they are.
func (o *oracle) accused(l *life, by ID, inc swim.Incarnation) bool {
	return l.accused(accusation{by: by, inc: inc}) || l.accused(accusation{inc: inc}) ||
		o.finalDown && slices.ContainsFunc(l.accusations, func(a accusation) bool { return a.by == by })
}

// ruled reports whether a life is down at an incarnation by a verdict, or by a
// goodbye where the wire has no other word for that.
func (o *oracle) ruled(l *life, inc swim.Incarnation) bool {
	return l.ruled(inc) || l.left && o.w.profile.Wire == WireFoca
}

// checkDoubt: whoever is said to accuse a life does, and if it is said to be
// down, there was a verdict (S5).
func (o *oracle) checkDoubt(l *life, u *swim.Update[ID]) {
	for _, by := range u.By {
		if !o.accused(l, by, u.Incarnation) {
			o.in.unheard = append(o.in.unheard, unheard{id: u.ID, inc: u.Incarnation, by: by})
		}
	}
	if u.State == swim.Down && !o.ruled(l, u.Incarnation) {
		o.in.unheard = append(o.in.unheard, unheard{id: u.ID, inc: u.Incarnation})
	}
}

// checkUnheard looks again for the origin of records, now that it is known what
// the input changed.
func (o *oracle) checkUnheard(n *Node) {
	for _, u := range o.in.unheard {
		l := o.know(u.id)
		switch {
		case l == nil || !o.trust:
		case u.by != ID{}:
			if !o.accused(l, u.by, u.inc) {
				o.broken("S5", n, u.id.Node, "says that %v accuses %v at incarnation %d, which it never did", u.by, u.id, u.inc)
				l.accuse(accusation{by: u.by, inc: u.inc})
			}
		case !o.ruled(l, u.inc):
			o.broken("S5", n, u.id.Node, "says that %v is down at incarnation %d, which nobody ruled", u.id, u.inc)
			l.rule(u.inc)
		}
	}
}

// changed is shown every change of a record that a node holds.
func (o *oracle) changed(n *Node, c *swim.Change[ID]) {
	o.markChanged(n, c)
	if !c.Knows {
		return
	}
	now := &c.After
	if !o.trust || o.in.kind == inputOwner {
		o.admit(now)
		return
	}
	l := o.know(now.ID)
	if l != nil && (now.State == swim.Suspect || now.State == swim.Down) {
		o.accusedBy(n, l, c)
		o.ruledBy(n, l, c)
	}
	o.checkRecord(n, now)
}

// accusedBy notes that a node itself accuses somebody, which it may because its
// own probe, at that incarnation, has failed.
func (o *oracle) accusedBy(n *Node, l *life, c *swim.Change[ID]) {
	s, now := &n.seen, &c.After
	if !slices.Contains(now.By, s.id) || l.accused(accusation{by: s.id, inc: now.Incarnation}) {
		return
	}
	p := &s.judged
	if o.in.kind != inputTimer || o.in.timer != swim.TimerProbe || p.target != now.ID || p.inc != now.Incarnation || p.acked {
		o.broken("S5", n, now.ID.Node, "%v accuses %v at incarnation %d, but its last probe was of %v at %d, answered: %v",
			s.id, now.ID, now.Incarnation, p.target, p.inc, p.acked)
	}
	l.accuse(accusation{by: s.id, inc: now.Incarnation})
}

// ruledBy notes a verdict of a node, which it may give when the time to refute
// of a suspect with two accusers ran out, or when its lone verdict found a
// second one.
func (o *oracle) ruledBy(n *Node, l *life, c *swim.Change[ID]) {
	was, now := &c.Before, &c.After
	if now.State != swim.Down || o.ruled(l, now.Incarnation) {
		return
	}
	due := o.in.kind == inputTimer && o.in.timer == swim.TimerSuspicion
	doubted := c.Knew && was.ID == now.ID && was.State == swim.Suspect && was.Incarnation == now.Incarnation
	if !doubted || !due && !c.LoneBefore || len(now.By) < 2 && !n.seen.cfg.Rules.SoleVerdict {
		o.broken("S5", n, now.ID.Node, "%v rules that %v is down at incarnation %d, accused by %v; before: %v, lone: %v",
			n.seen.id, now.ID, now.Incarnation, now.By, was, c.LoneBefore)
	}
	l.rule(now.Incarnation)
}
