package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// judge holds what the owner of a node is told about others to the promises of
// accuracy: L2, L4 and L12.
func (c *chronicle) judge(n *Node, note *swim.Notification[ID]) {
	if note.Kind != swim.NotifyDown && note.Kind != swim.NotifySuspect || note.Member.ID.Node >= uint32(len(c.w.nodes)) {
		return
	}
	m := c.w.nodes[note.Member.ID.Node]
	down := note.Kind == swim.NotifyDown && note.Member.State == swim.Down
	if note.Kind == swim.NotifyDown && !down || !m.running {
		return
	}
	if self := m.core.Self(); self.ID != note.Member.ID || self.State != swim.Alive {
		if down {
			c.restarted(n, m, note.Member.ID)
		}
		return
	}
	c.strict(n, m, note)
	if down {
		c.blast(n, m)
		c.refuted(n, m, note)
	}
}

// strict is L2: as long as nothing goes wrong nobody is suspected, and nobody
// is declared down, who runs.
func (c *chronicle) strict(n, m *Node, note *swim.Notification[ID]) {
	p := c.promises
	if !p.holds("L2") {
		return
	}
	// Who has the life of the process before it, which did not answer a probe, is
	// judged for that. If suspects are told by gossip alone, what there is of it
	// was over before this one started, and it can not refute.
	inherits := 2 * p.bounds.slow.Period
	if p.bounds.slow.Rules.SilentSuspicion {
		inherits += p.bounds.suspicion()
	}
	if a := c.of(m); a.reused && c.w.now.Sub(a.started) < inherits {
		return
	}
	if w := c.w; w.now < p.accurate || w.now >= p.settled && p.core.Has(n.number) && p.core.Has(m.number) {
		w.oracle.broken("L2", n, m.number, "told %v, which runs and is connected", note)
	}
}

// restarted is the rest of L2: who starts again within the same moment is
// renamed, and never down.
func (c *chronicle) restarted(n, m *Node, was ID) {
	p := c.promises
	if !p.holds("L2") || c.w.now >= p.accurate || m.core.Self().ID.Life <= was.Life {
		return
	}
	a := c.of(m)
	if a.ended == a.started && a.started > 0 && !p.plan.absent(m.number) {
		c.w.oracle.broken("L2", n, m.number, "told that %v is down, which only started again as %v", was, m.core.Self().ID)
	}
}

// absent reports whether a node ever does not run for a while, or says goodbye.
func (p *Plan) absent(node uint32) bool {
	for _, f := range p.Faults {
		again := f.For == 0 && (f.Kind == FaultRestart || f.Kind == FaultRestartKnown || f.Kind == FaultRestartStale)
		if harms[f.Kind] == harmLife && !again && f.Nodes.Has(node) {
			return true
		}
	}
	return false
}

// blast is L12: a few members that are slow or isolated make none of the others
// hold another of them down. Members that are isolated together may accuse with
// two voices, so somebody may have to take a new identity: that is no Down.
func (c *chronicle) blast(n, m *Node) {
	p := c.promises
	if !p.holds("L12") || c.w.now >= p.ends {
		return
	}
	if int(max(n.number, m.number)) >= len(p.hurt) || p.hurt[n.number] || p.hurt[m.number] {
		return
	}
	c.w.oracle.broken("L12", n, m.number, "holds down %v, which runs and was never slow or isolated, nor was it itself", m.core.Self().ID)
}

// refuted is L4: who has refuted an incarnation, and could tell everybody, is
// not held down at it. Gossip may miss somebody, whose own probe of the member
// then comes too late: so it takes the time in which that probe comes for sure.
func (c *chronicle) refuted(n, m *Node, note *swim.Notification[ID]) {
	p, a := c.promises, c.of(m)
	if !p.holds("L4") || note.Cause.Confirmed == 0 || a.inc <= note.Member.Incarnation {
		return
	}
	p.checked("L4")
	since := c.w.now.Sub(a.raised)
	if since < p.bounds.reach() {
		return
	}
	from, to := a.raised.Sub(p.begins), c.w.now.Sub(p.begins)
	if c.w.now < p.begins || c.w.now >= p.ends || p.plan.touched(n.number, from, to) || p.plan.touched(m.number, from, to) {
		return
	}
	c.w.oracle.broken("L4", n, m.number, "holds down %v, which refuted that %v ago", note.Member, since)
}

// expectEnd is L1: a process that just ended must be down, or forgotten, at all
// others in time. Only those are judged whom no fault touches meanwhile. One that
// doubts itself, and so probes less often, has more time.
func (c *chronicle) expectEnd(n *Node) {
	p, w := c.promises, c.w
	if p == nil || !p.holds("L1") || w.now < p.begins || w.now >= p.ends {
		return
	}
	b := &p.bounds
	usual, longer := b.complete(1), b.complete(b.doubtful())
	from := w.now.Sub(p.begins)
	if p.plan.touched(n.number, from-longest, from+usual) {
		return // its last packet may still be on its way
	}
	var all []*mourner
	for _, o := range w.nodes {
		if o == n || !o.running || p.plan.touched(o.number, from, from+usual) {
			continue
		}
		if m, known := o.core.Member(n.number); known && m.Active() {
			all = append(all, &mourner{n: o, epoch: o.epoch, inc: m.Incarnation, probes: o.core.Stats().Probes})
		}
	}
	if len(all) == 0 {
		return
	}
	epoch, life := n.epoch, c.of(n).life
	judge := func(quick bool, bound time.Duration) {
		for _, o := range all {
			if n.epoch != epoch || n.running || o.quick != quick || !o.there() || p.plan.touched(o.n.number, from, from+bound) {
				continue
			}
			p.checked("L1")
			if m, known := o.n.core.Member(n.number); known && m.Active() && m.ID.Life == life && m.Incarnation == o.inc {
				w.oracle.broken("L1", o.n, n.number, "still holds %v, which ended %v ago", m, bound.Round(time.Millisecond))
			}
		}
	}
	w.After(b.rounds()+2*b.slow.Period, func() {
		for _, o := range all {
			o.quick = o.there() && o.n.core.Stats().Probes-o.probes >= uint64(b.rounds()/b.slow.Period)
		}
	})
	w.After(usual, func() { judge(true, usual) })
	if longer > usual {
		w.After(longer, func() { judge(false, longer) })
	}
}

// A mourner is an observer that has to notice an end.
type mourner struct {
	n      *Node
	epoch  uint32
	inc    swim.Incarnation // at which it held the process that ended
	probes uint64           // that it had started then
	quick  bool             // it did not doubt itself, and so had a whole round in time
}

// there reports whether the process of the observer still takes part.
func (m *mourner) there() bool {
	return m.n.epoch == m.epoch && m.n.running && m.n.core.Self().State == swim.Alive
}
