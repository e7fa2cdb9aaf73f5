package sim

import "github.com/selkie-go/selkie/swim"

// lies lets a member tell lies: it is one of the cluster, with its key, and says
// what it wants. Its own core goes on as if nothing were.
func (p part) lies(r *Rehearsal) func() {
	if !p.n.running {
		return nil
	}
	l := liar{w: r.World, n: p.n, d: p.dice}
	for range max(1, min(p.f.Amount, 64)) {
		l.lie()
	}
	return nil
}

// A liar is a member that is not honest.
type liar struct {
	w *World
	n *Node
	d *dice
}

// lie tells one lie, to one member or to all.
func (l liar) lie() {
	to, about := l.somebody(), l.somebody()
	switch l.d.below(8) {
	case 0: // a later life, or an incarnation beyond all others
		self := l.self()
		self.Incarnation = 1<<64 - 1 - swim.Incarnation(l.d.below(2))
		l.tell(to, self, swim.MessageGossip)
	case 1: // members that do not exist
		var made []swim.Update[ID]
		for range 16 {
			made = append(made, swim.Update[ID]{Member: swim.Member[ID]{ID: ID{uint32(l.d.src.Uint64()), 1}}})
		}
		l.tell(to, l.self(), swim.MessageGossip, made...)
	case 2: // everybody is suspected, or down
		state := swim.Suspect + swim.State(l.d.below(2))
		for _, n := range l.w.nodes {
			if n.core != nil && n != l.n {
				l.tell(to, l.self(), swim.MessageGossip, l.accuse(n, state))
			}
		}
	case 3: // to one member this, to the next one that
		l.tell(to, l.self(), swim.MessageGossip, l.accuse(about, swim.Down))
		alive := about.core.Self()
		alive.State = swim.Alive
		alive.Incarnation += swim.Incarnation(l.d.below(3))
		l.tell(l.somebody(), l.self(), swim.MessageGossip, swim.Update[ID]{Member: alive})
	case 4: // you are down
		h := l.header(to, l.self(), swim.MessageTurnUndead)
		h.About = ID{to.number, to.newest() + uint32(l.d.below(3))}
		h.AboutIncarnation = to.core.Self().Incarnation + swim.Incarnation(l.d.below(2))
		l.send(to, &swim.Packet[ID]{Header: h})
	case 5: // in the name of somebody else: an ack that never was
		h := l.header(to, about.core.Self(), swim.MessageAck)
		h.Number = uint32(l.d.below(1000))
		if l.d.below(2) == 0 {
			h.Message, h.About = swim.MessageForwardedAck, l.somebody().core.Self().ID
		}
		l.send(to, &swim.Packet[ID]{Header: h})
	case 6: // in the name of somebody else: goodbye
		gone := about.core.Self()
		gone.State = swim.Left
		l.tell(to, gone, swim.MessageGossip)
	default: // what was true once
		old := about.core.Self()
		old.ID.Life = uint32(l.d.between(1, int(min(old.ID.Life, 1<<30))))
		old.Incarnation = 0
		l.tell(to, old, swim.MessagePing)
	}
}

// somebody returns a node that ran at least once; the liar did.
func (l liar) somebody() *Node {
	for range 16 {
		if n := l.w.nodes[l.d.below(len(l.w.nodes))]; n.core != nil && n != l.n {
			return n
		}
	}
	return l.n
}

func (l liar) self() swim.Member[ID] { return l.n.core.Self() }

// accuse returns that a node is suspected, or down, by the liar and whomever it
// names.
func (l liar) accuse(n *Node, state swim.State) swim.Update[ID] {
	m := n.core.Self()
	m.State = state
	by := []ID{l.self().ID}
	if friend := l.somebody(); friend != n && friend != l.n {
		by = append(by, friend.core.Self().ID)
	}
	return swim.Update[ID]{Member: m, By: by}
}

func (l liar) header(to *Node, as swim.Member[ID], message swim.Message) swim.Header[ID] {
	state := swim.Alive
	if as.State == swim.Left {
		state = swim.Left
	}
	return swim.Header[ID]{
		Src: as.ID, SrcIncarnation: as.Incarnation, SrcState: state, SrcMetadata: as.Metadata,
		Dst: to.core.Self().ID, Message: message,
	}
}

// tell sends updates in somebody's name.
func (l liar) tell(to *Node, as swim.Member[ID], message swim.Message, updates ...swim.Update[ID]) {
	l.send(to, &swim.Packet[ID]{Header: l.header(to, as, message), Updates: updates})
}

// send sends a packet, unless it says what can not be said.
func (l liar) send(to *Node, p *swim.Packet[ID]) {
	if b, err := l.w.codec.Codec.Append(nil, 1400, p); err == nil && to != l.n {
		l.w.inject(l.n, to, b)
	}
}
