package sim

import "github.com/selkie-go/selkie/swim"

// A sampling chooses what is checked now and then because it costs too much to
// be checked always.
type sampling struct {
	hashes, packets uint64
	parsed          swim.Packet[ID]
	buf             []byte
}

// hashEvery is how many packets for others there are to one that is checked for
// having changed nothing at all.
const hashEvery = 32

// sampleHash takes the hash of a core before it can have acted on a packet.
func (o *oracle) sampleHash(n *Node) {
	if o.samples.hashes++; o.in.refused || o.samples.hashes%hashEvery == 1 {
		o.in.hash, o.in.hashed = n.core.Hash(), true
	}
}

// checkIgnored: what is no packet (S22), or not for us (S10), tells the owner
// nothing, and changes nothing but counters and whom we told who we are.
func (o *oracle) checkIgnored(n *Node, err error) {
	in := &o.in
	invariant := "S10"
	if in.refused {
		invariant = "S22"
	}
	most := 1
	if in.refused {
		most = 0
	}
	switch {
	case !listensNot(err) || in.told > 0 || in.packets > most:
		o.broken(invariant, n, in.header.Src.Node, "ignored %v to %v, and told %d, sent %d, returned %v", &in.header, in.header.Dst, in.told, in.packets, err)
	case in.hashed && in.packets == 0 && n.core.Hash() != in.hash:
		o.broken(invariant, n, in.header.Src.Node, "ignored %v to %v, and changed", &in.header, in.header.Dst)
	}
}

// listensNot reports whether an error says that a packet was ignored.
func listensNot(err error) bool { return err != nil && !listened(err) }

// checkExplanation: one who knows an earlier life of ours is answered by an
// empty gossip, which may tell it what we think of it (rule 38). Nothing else
// is said for a packet that is not for us.
func (o *oracle) checkExplanation(n *Node, p *swim.Packet[ID]) {
	asked, h := &o.in.header, &p.Header
	ok := h.Message == swim.MessageGossip && h.Dst == asked.Src && asked.Dst.Node == n.seen.id.Node &&
		asked.Dst.Life < n.seen.id.Life && !answers(asked.Message) && len(p.Payloads) == 0
	for i := range p.Updates {
		ok = ok && (!p.Updates[i].Sent || p.Updates[i].ID.Node == h.Dst.Node)
	}
	if !ok {
		o.broken("S10", n, h.Dst.Node, "%v to %v was answered with %v to %v", asked, asked.Dst, p, h.Dst)
	}
	o.marks.hit(markExplained)
}

// Receive hands bytes to the node as if they had come from the network, and
// returns what its core says of them. Whoever it takes for the sender is up to
// the bytes: once they are a packet, what the members know is no longer sure to
// be true, and the promises that take honest members no longer hold.
func (n *Node) Receive(data []byte) error {
	if !n.running {
		return nil
	}
	w := n.world
	var p swim.Packet[ID]
	if w.codec.Codec.Parse(data, &p) == nil {
		w.oracle.distrust("bytes from outside that are a packet")
	}
	if !w.Watch {
		return n.hand(data, 0)
	}
	// A version that is not newer is refused, and changes nothing but what time
	// it is to the core, which is part of its state.
	n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(0, rt) })
	before, packets := n.core.Hash(), n.Traffic.Packets
	err := n.hand(data, 0)
	if n.running && n.Traffic.Packets == packets {
		w.oracle.checkRefused(n, before, err)
	}
	w.oracle.marks.hit(markGarbage)
	return err
}

// checkRefused: bytes that were refused leave the core as it was (S21).
func (o *oracle) checkRefused(n *Node, before uint64, err error) {
	if rejects(err) && n.core.Hash() != before {
		o.broken("S21", n, n.number, "bytes were refused (%v), and changed something", err)
	}
}

// rejects reports whether an error says that nothing of a packet counted.
func rejects(err error) bool {
	switch err {
	case swim.DropMalformed, swim.DropTooBig, swim.DropEcho, swim.DropMisaddressed, swim.DropSelfRelay, swim.DropUnasked, swim.DropStaleUndead:
		return true
	}
	return false
}
