package sim

import (
	"github.com/selkie-go/selkie/swim"
)

// A guard watches one core from the inside.
type guard = swim.Guard[ID, uint32]

// guarded lets a guard watch the core of a node from now on. What the core holds
// now it takes for good.
func (o *oracle) guarded(n *Node) { n.seen.guard = swim.NewGuard(n.core) }

// received tells the guard of a node what comes next: a packet.
func (o *oracle) received(n *Node, packet []byte) {
	if g := n.seen.guard; g != nil {
		g.Received(packet)
	}
}

// fired tells the guard of a node what comes next: a timer event.
func (o *oracle) fired(n *Node, event swim.Timer[ID]) {
	if g := n.seen.guard; g != nil {
		g.Fired(event)
	}
}

// sent shows the guard of a node a packet that it sends. The guard reads some of
// them with the codec of the node, which is no reading of the node.
func (o *oracle) sent(n *Node, to ID, packet []byte) {
	if g := n.seen.guard; g != nil {
		current := o.w.current
		o.w.current = nil
		g.Sent(to, packet)
		o.w.current = current
	}
}

// checkGuard has the guard of a node judge the input, and the oracle what it
// changed.
func (o *oracle) checkGuard(n *Node) {
	g := n.seen.guard
	if g == nil {
		return
	}
	if err := g.Check(); err != nil {
		o.report(n, err)
	}
	changes := g.Changes()
	for i := range changes {
		o.changed(n, &changes[i])
	}
}

// report notes what a guard says. Among liars, and in damaged memory, only that
// packets and tables keep their size is left.
func (o *oracle) report(n *Node, err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			o.report(n, one)
		}
		return
	}
	v, ok := err.(*swim.Violation)
	if ok && (o.trust || v.Invariant == "S13" || v.Invariant == "S16") {
		o.broken(v.Invariant, n, n.number, "%s", v.What)
	}
}
