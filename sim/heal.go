package sim

// heal ends now what goes wrong at the nodes of the core and on the paths
// between them.
func (r *Rehearsal) heal(core Set) {
	w := r.World
	r.healed = true
	for len(w.impairments) > 0 {
		w.impairments[0].End()
	}
	r.each(core, func(n *Node) {
		for n.stopped > 0 {
			n.Resume()
		}
		n.Cost, n.Lag, n.Early = 0, 0, 0
	})
}
