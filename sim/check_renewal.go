package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// renewing is what there is to know of the renewals of one process, by its own
// clock.
type renewing struct {
	address  uint32 // for which all this is; an owner may give another one
	count    int
	last     swim.Instant
	wait     time.Duration // how long the next has to wait at least
	reported bool          // a conflict was, since it last was quiet
}

// moved forgets all of it when the owner gives the process another address.
func (r *renewing) moved(to uint32) {
	if r.address != to {
		*r = renewing{address: to}
	}
}

// longestWait is the largest back-off of renewals, and the quiet time that ends
// it.
const longestWait = 10 * time.Minute

// checkRenewal: renewals keep to the back-off, so that two processes at one
// address do not renew in turns for ever (S26).
func (o *oracle) checkRenewal(n *Node, note swim.Notification[ID]) {
	r, now := &n.seen.renewal, n.seen.now
	r.moved(note.Old.Node)
	gap := now.Sub(r.last)
	if r.count > 0 && gap < r.wait && o.trust {
		o.broken("S26", n, n.number, "%v renews %v after the last time, not before %v", note.Member.ID, gap, r.wait)
	}
	if r.count > 0 {
		o.marks.hit(markRenewedAgain)
	}
	if gap > longestWait {
		// Quiet for so long it may have been, or not: the shorter wait counts,
		// and a conflict need not be reported again.
		r.wait = 0
	}
	r.wait = min(max(n.seen.cfg.Period, 2*r.wait), longestWait)
	r.last = now
	r.count++
}

// checkAbove: one that renews by itself does so above every life of its address
// that it heard of (S4), or the others would take it for an old one. Above the
// last there is none.
func (o *oracle) checkAbove(n *Node, heard bool) {
	s := &n.seen
	newest := s.heard
	if heard {
		newest = max(newest, o.in.newest)
	}
	if o.trust && o.in.kind != inputOwner && newest+1 != 0 && s.id.Life <= newest {
		o.broken("S4", n, s.id.Node, "renewed as %v, although it heard of life %d", s.id, newest)
	}
}

// checkSuccession: one that learns of a later life at its address renews above
// it at once, if that is its first renewal (S4); within the back-off it has
// reported a conflict (S26).
func (o *oracle) checkSuccession(n *Node, newest uint32) {
	s := &n.seen
	if !o.trust || newest+1 == 0 {
		return
	}
	switch r := &s.renewal; {
	case r.count == 0:
		o.broken("S4", n, s.id.Node, "%v learnt of life %d, and goes on", s.id, newest)
	case s.now < r.last.Add(r.wait) && !r.reported:
		o.broken("S26", n, s.id.Node, "%v learnt of life %d soon after it renewed, and reports no conflict", s.id, newest)
	default:
		o.marks.hit(markRenewalWaits)
	}
}
