package sim

// twinEpoch is where the epochs of twins begin, so that their luck is not that
// of those whose address they have.
const twinEpoch = 1 << 31

// double returns the twin of a node: a second place at its address, as when two
// machines were given one address. It is no node of the world, so nobody waits
// for it to agree with anybody; the oracle watches it all the same.
func (n *Node) double() *Node {
	if n.twin == nil {
		n.twin = &Node{world: n.world, number: n.number, first: n, Region: n.Region, epoch: twinEpoch, file: n.world.locks.file,
			dice: roll(n.world.seed, "twin", uint64(n.number))}
	}
	return n.twin
}

// receiver returns who gets a packet for the address of a node: of two processes
// there it is any.
func (n *Node) receiver() *Node {
	if t := n.twin; t != nil && t.running && t.dice.below(2) == 0 {
		return t
	}
	return n
}

// doubled lets a second process run at the address of a node. Both have the same
// clock, so that it begins as a later life.
func (p part) doubled(*Rehearsal) func() {
	t := p.n.double()
	if !p.n.running || t.running {
		return nil
	}
	t.Cluster, t.Seeds, t.Handler = p.n.Cluster, p.n.Seeds, p.n.Handler
	t.Start(Boot{Life: max(p.n.newest(), p.n.newest()+1)})
	return t.Crash
}
