package sim

import "github.com/selkie-go/selkie/swim"

// rounds are the probes of one process, for L9: each member that is active
// throughout is probed at least once in 2M-1 of our own rounds, M being the
// members that were active meanwhile.
type rounds struct {
	number uint32 // of the last probe, counted on where those of packets begin anew
	ups    uint32 // how often a member became active
	last   []turn // by member
}

// A turn is when a member was probed last, or became active.
type turn struct {
	active bool
	number uint32
	ups    uint32
	among  uint32 // how many were active then
}

// count takes the number of a packet for that of the last probe. It is ahead by
// less than there are numbers.
func (r *rounds) count(number uint32, limits swim.Limits) {
	r.number += (number - r.number) & limits.Number
}

func (r *rounds) of(member uint32) *turn {
	for int(member) >= len(r.last) {
		r.last = append(r.last, turn{})
	}
	return &r.last[member]
}

// probes follows who is active at a node.
func (c *chronicle) probes(n *Node, note *swim.Notification[ID]) {
	if c.promises == nil {
		return // it would take a turn of each node for each other
	}
	r := &c.of(n).probing
	if note.Kind == swim.NotifyUp {
		r.ups++ // one that somebody made up is probed like any other
	}
	if note.Kind != swim.NotifyUp && note.Kind != swim.NotifyDown || note.Member.ID.Node >= uint32(len(c.w.nodes)) {
		return
	}
	t := r.of(note.Member.ID.Node)
	if note.Kind == swim.NotifyDown || n.core.Self().State != swim.Alive {
		t.active = false // who says goodbye probes nobody
		return
	}
	*t = turn{active: true, number: r.number, ups: r.ups, among: uint32(n.core.NumActive())}
}

// probed checks how long a member waited for its probe.
func (c *chronicle) probed(n *Node, a *annals, h *swim.Header[ID]) {
	if c.promises == nil {
		return
	}
	r := &a.probing
	r.count(h.Number, c.w.codec.Limits())
	if h.Dst.Node >= uint32(len(c.w.nodes)) {
		return
	}
	t := r.of(h.Dst.Node)
	c.starved(n, h.Dst.Node, r, t)
	*t = turn{active: true, number: r.number, ups: r.ups, among: uint32(n.core.NumActive())}
}

// defunct notes that a process said goodbye: its pings have numbers too, and
// who joins again begins its rounds anew.
func (c *chronicle) defunct(n *Node) {
	r := &c.of(n).probing
	for i := range r.last {
		r.last[i].active = false
	}
}

// starved is L9.
func (c *chronicle) starved(n *Node, member uint32, r *rounds, t *turn) {
	if p := c.promises; !p.holds("L9") || !t.active {
		return
	}
	c.promises.checked("L9")
	gap, among := r.number-t.number, t.among+r.ups-t.ups
	if gap > 2*max(among, 1)-1 {
		c.w.oracle.broken("L9", n, member, "not probed for %d rounds, among %d members", gap, among)
	}
}
