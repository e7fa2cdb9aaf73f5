package sim

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// garbage lets a node receive packets that nobody should send.
func (p part) garbage(r *Rehearsal) func() {
	w, d := r.World, p.dice
	for range max(1, min(p.f.Amount, 64)) {
		from := w.nodes[d.below(len(w.nodes))]
		data := rubbish(d, w, p.n)
		w.oracle.checkCanonical(p.n, data)
		w.inject(from, p.n, data)
	}
	return nil
}

// noise lets a node receive bytes that are no packet, so that nobody has a reason
// to distrust what is said afterwards.
func (p part) noise(r *Rehearsal) func() {
	w, d := r.World, p.dice
	var q swim.Packet[ID]
	for range max(1, min(p.f.Amount, 64)) {
		data := rubbish(d, w, p.n)
		if d.below(64) == 0 {
			data = make([]byte, 1<<16) // more than a datagram holds
		}
		w.oracle.checkCanonical(p.n, data)
		switch {
		case w.codec.Codec.Parse(data, &q) == nil:
		case w.sealed() && d.below(2) == 0:
			w.tamper(d, w.nodes[d.below(len(w.nodes))], p.n, data)
		case d.below(8) == 0 && p.n.stopped == 0: // what is checked then costs much
			p.n.Receive(data)
		default:
			w.inject(w.nodes[d.below(len(w.nodes))], p.n, data)
		}
	}
	return nil
}

// inject lets a packet arrive at a node as if it came from another one.
func (w *World) inject(from, to *Node, data []byte) {
	if w.Trace != nil {
		w.emit(Event{Node: from.number, Kind: EventSend, Peer: to.number, Data: data, Cause: w.step, Text: "forged"})
	}
	f := flight{from: from, to: to, cluster: to.Cluster, cause: w.step, data: data}
	if w.sealed() {
		w.forge(from, to, &f)
	}
	f.data = w.copyOf(f.data)
	w.fly(f, 0)
}

// tamper lets a packet arrive that was never sealed, or changed after it was.
func (w *World) tamper(d *dice, from, to *Node, data []byte) {
	f := flight{from: from, to: to, cluster: to.Cluster, cause: w.step, data: data}
	if d.below(4) > 0 {
		w.forge(from, to, &f)
		was := f.data
		f.data = spoil(d, slices.Clone(was))
		f.damaged = !bytes.Equal(f.data, was)
	}
	f.data = w.copyOf(f.data)
	w.fly(f, 0)
}

// random returns up to most random bytes, at least one.
func random(d *dice, most int) []byte {
	b := make([]byte, 0, most+8)
	for len(b) < most {
		b = binary.LittleEndian.AppendUint64(b, d.src.Uint64())
	}
	return b[:d.between(1, most)]
}

// rubbish returns a packet for a node that is no packet, or says nonsense.
func rubbish(d *dice, w *World, to *Node) []byte {
	if d.below(4) == 0 {
		return random(d, 1500)
	}
	b, err := w.codec.Codec.Append(nil, 1400, nonsense(d, w, to))
	if err != nil {
		return random(d, 64) // what can not be said is not said
	}
	return spoil(d, b)
}

// spoil damages a packet, or leaves it as it is.
func spoil(d *dice, b []byte) []byte {
	switch d.below(6) {
	case 0:
		b = b[:d.between(1, len(b))]
	case 1:
		b = append(b, random(d, 32)...)
	case 2:
		for range d.between(1, 4) {
			bit := d.below(8 * len(b))
			b[bit/8] ^= 1 << (bit % 8)
		}
	case 3: // a piece of itself elsewhere
		from, to := d.below(len(b)), d.below(len(b))
		copy(b[to:], b[from:])
	}
	return b
}

// nonsense returns a packet that is well formed and means anything.
func nonsense(d *dice, w *World, to *Node) *swim.Packet[ID] {
	p := &swim.Packet[ID]{Header: swim.Header[ID]{
		Src:              anybody(d, w),
		Dst:              to.core.Self().ID,
		SrcIncarnation:   anything(d),
		SrcMetadata:      uint64(anything(d)),
		Message:          anyMessage(d),
		Number:           uint32(anything(d)),
		About:            anybody(d, w),
		AboutIncarnation: anything(d),
	}}
	if d.below(8) == 0 {
		p.Header.SrcState = swim.Left
	}
	if d.below(8) == 0 {
		p.Header.Dst = anybody(d, w)
	}
	tidy(&p.Header)
	if p.Header.Message.HasUpdates() {
		for range d.below(8) {
			p.Updates = append(p.Updates, anyUpdate(d, w))
		}
	}
	if p.Header.Message.HasPayloads() && d.below(4) == 0 {
		p.Payloads = append(p.Payloads, random(d, 100))
	}
	return p
}

// tidy takes out of a header what its message has no room for.
func tidy(h *swim.Header[ID]) {
	if !h.Message.HasNumber() {
		h.Number = 0
	}
	if !h.Message.HasAbout() {
		h.About = ID{}
	}
	if h.Message != swim.MessageTurnUndead {
		h.AboutIncarnation = 0
	}
}

func anyMessage(d *dice) swim.Message {
	for {
		if m := swim.Message(d.below(int(swim.MessageTurnUndead) + 1)); m.Valid() {
			return m
		}
	}
}

// anybody returns an identity: mostly one of a node, of any of its lives, seldom
// one that nobody ever had.
func anybody(d *dice, w *World) ID {
	n := w.nodes[d.below(len(w.nodes))]
	switch d.below(8) {
	case 0:
		return ID{n.number, uint32(anything(d))}
	case 1:
		return ID{uint32(anything(d)), 1}
	default:
		return ID{n.number, n.newest() + uint32(d.below(2))}
	}
}

// anything returns a number: mostly small, sometimes at an edge.
func anything(d *dice) swim.Incarnation {
	switch d.below(8) {
	case 0:
		return 1<<64 - 1 - swim.Incarnation(d.below(2))
	case 1:
		return 1<<d.below(64) - swim.Incarnation(d.below(2))
	default:
		return swim.Incarnation(d.below(4))
	}
}

func anyUpdate(d *dice, w *World) swim.Update[ID] {
	u := swim.Update[ID]{Member: swim.Member[ID]{ID: anybody(d, w), Incarnation: anything(d), State: swim.State(d.below(4))}}
	if d.below(4) == 0 {
		u.Metadata = uint64(anything(d))
	}
	if u.State == swim.Suspect || u.State == swim.Down {
		u.By = accusers(d, w, u.ID)
	}
	return u
}

// accusers returns up to two who accuse a member, which is not among them.
func accusers(d *dice, w *World, of ID) []ID {
	var by []ID
	for range d.between(1, 2) {
		if a := anybody(d, w); a.Node != of.Node && (by == nil || by[0].Node != a.Node) {
			by = append(by, a)
		}
	}
	return by
}
