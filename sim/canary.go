package sim

import (
	"errors"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// A canary is something that the oracle of a healthy cluster is told to have seen,
// which breaks a promise.
type canary struct {
	invariant string
	what      string
	tell      func(o *oracle, n, m *Node)
}

// Canary tells the oracles of healthy clusters one lie for each thing that they
// look at, and returns those that they believed: none, or whatever else they
// approve of means nothing.
func Canary() (believed []string) {
	for _, l := range canaries {
		if !l.noticed() {
			believed = append(believed, l.invariant+": "+l.what)
		}
	}
	return believed
}

// noticed reports whether an oracle reports a lie, and what it should be.
func (l canary) noticed() bool {
	w := New(1, LAN)
	w.Grow(3)
	w.Run(10 * time.Second)
	n, m := w.nodes[0], w.nodes[1]
	if len(w.Violations) > 0 || n.core.NumActive() != 2 {
		return false // this is no healthy cluster
	}
	w.current = n
	l.tell(w.oracle, n, m)
	w.current = nil
	for _, v := range w.Violations {
		if v.Invariant == l.invariant {
			return true
		}
	}
	return false
}

// opens lets the oracle believe that a node opened a packet of another one, which
// says so much, and that is said of it.
func (o *oracle) opens(n, m *Node, payload string, with func(h *happening, l *letter)) {
	n.sealer = &sealer{keys: keyFile{1, 0}, ids: []ID{n.seen.id}}
	l := &letter{by: &sealer{}, plain: []byte("sealed"), to: n.seen.id}
	h := happening{node: n, from: m, letter: l}
	with(&h, l)
	o.checkOpened(n, &h, []byte(payload))
	n.sealer = nil
}

// refuses lets the oracle believe that a node refused a packet of another one,
// and that is said of it.
func (o *oracle) refuses(n, m *Node, why sealed.Fault, with func(l *letter)) {
	n.sealer = &sealer{keys: keyFile{1, 0}, ids: []ID{n.seen.id}}
	l := &letter{by: &sealer{count: 9}, plain: []byte("sealed"), to: n.seen.id, born: o.w.now}
	with(l)
	o.checkRefusal(n, &happening{node: n, from: m, letter: l}, why)
	n.sealer = nil
}

// says is a packet from one node to another, about the nodes that updates name.
func says(from, to *Node, m swim.Message, updates ...swim.Update[ID]) *swim.Packet[ID] {
	for i := range updates {
		updates[i].Sent = true
	}
	return &swim.Packet[ID]{Header: swim.Header[ID]{Src: from.seen.id, SrcIncarnation: from.seen.inc, Dst: to.seen.id, Message: m}, Updates: updates}
}

// record is an update about an identity.
func record(id ID, state swim.State, inc swim.Incarnation, by ...ID) swim.Update[ID] {
	return swim.Update[ID]{Member: swim.Member[ID]{ID: id, State: state, Incarnation: inc}, By: by}
}

// hears lets the oracle believe that a node was handed a packet.
func (o *oracle) hears(n *Node, p *swim.Packet[ID]) {
	o.entered(n, input{kind: inputPacket})
	o.read(n, p)
}

// probes lets the oracle believe that the event of the next probe came.
func (o *oracle) probes(n *Node) { o.entered(n, input{kind: inputTimer, timer: swim.TimerProbe}) }

var canaries = []canary{
	{"S2", "a life that knows that it is down goes on", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip, record(n.seen.id, swim.Down, 0)))
		o.checkDefence(n)
		o.checkIncarnation(n, 1, 0)
	}},
	{"S3", "an incarnation that nobody had", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{2, 1}, swim.Alive, 5)))
	}},
	{"S3", "metadata that nobody had", func(o *oracle, n, m *Node) {
		u := record(ID{2, 1}, swim.Alive, 0)
		u.Metadata = 3
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, u))
	}},
	{"S3", "an incarnation that falls", func(o *oracle, n, m *Node) {
		n.seen.inc = 3
		o.checkIncarnation(n, 2, 0)
	}},
	{"S4", "a life that never was", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{2, 7}, swim.Alive, 0)))
	}},
	{"S4", "a third party that never was", func(o *oracle, n, m *Node) {
		p := says(n, m, swim.MessagePingReq)
		p.Header.About = ID{2, 7}
		o.probes(n)
		o.wrote(n, p)
	}},
	{"S4", "a node at no address", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{77, 1}, swim.Alive, 0)))
	}},
	{"S4", "a renewal above what never was", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip))
		o.became(n, ID{0, 9})
	}},
	{"S4", "a renewal below what it heard of", func(o *oracle, n, m *Node) {
		o.born(ID{0, 5})
		o.hears(n, says(m, n, swim.MessageGossip, record(ID{0, 5}, swim.Alive, 0)))
		o.became(n, ID{0, 2})
		o.checkAbove(n, true)
	}},
	{"S4", "a renewal below what it heard of before", func(o *oracle, n, m *Node) {
		o.probes(n)
		n.seen.heard = 5
		o.became(n, ID{0, 2})
		o.checkAbove(n, false)
	}},
	{"S4", "a later life that is not heeded", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip, record(ID{0, 2}, swim.Alive, 0)))
		o.checkDefence(n)
	}},
	{"S5", "an accuser who never accused", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{2, 1}, swim.Suspect, 0, m.seen.id)))
		o.checkUnheard(n)
	}},
	{"S5", "a verdict that nobody gave", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{2, 1}, swim.Down, 0)))
		o.checkUnheard(n)
	}},
	{"S5", "an accusation without a probe", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip))
		o.changed(n, &swim.Change[ID]{Knew: true, Knows: true, Before: record(ID{2, 1}, swim.Alive, 0), After: record(ID{2, 1}, swim.Suspect, 0, n.seen.id)})
	}},
	{"S5", "a verdict without a second accuser", func(o *oracle, n, m *Node) {
		o.entered(n, input{kind: inputTimer, timer: swim.TimerSuspicion})
		o.changed(n, &swim.Change[ID]{Knew: true, Knows: true, Before: record(ID{2, 1}, swim.Suspect, 0, n.seen.id), After: record(ID{2, 1}, swim.Down, 0, n.seen.id)})
	}},
	{"S10", "an answer to what is for somebody else", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, m, swim.MessagePing))
		o.wrote(n, says(n, m, swim.MessageAck))
	}},
	{"S10", "an owner is told of what is for somebody else", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, m, swim.MessagePing))
		o.in.told++
		o.checkIgnored(n, swim.DropMisaddressed)
	}},
	{"S10", "a change by what is for somebody else", func(o *oracle, n, m *Node) {
		o.samples.hashes = 0
		o.hears(n, says(m, m, swim.MessagePing))
		o.in.hash++
		o.checkIgnored(n, swim.DropMisaddressed)
	}},
	{"S11", "an ack that nobody asked for", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip))
		o.wrote(n, says(n, m, swim.MessageAck))
	}},
	{"S11", "an ack of a ping that never came", func(o *oracle, n, m *Node) {
		ack := says(m, n, swim.MessageAck)
		ack.Header.Number = 99
		n.seen.probe = probing{target: m.seen.id, number: 99, on: true}
		o.hears(n, ack)
		o.stepped(n, nil)
	}},
	{"S12", "a ping for another that nobody asked for", func(o *oracle, n, m *Node) {
		ping := says(n, m, swim.MessageIndirectPing)
		ping.Header.About = ID{2, 1}
		o.hears(n, says(m, n, swim.MessagePing))
		o.wrote(n, ping)
	}},
	{"S12", "a request that is carried out twice", func(o *oracle, n, m *Node) {
		asked, ping := says(m, n, swim.MessagePingReq), says(n, n.world.nodes[2], swim.MessageIndirectPing)
		asked.Header.About, ping.Header.About = ID{2, 1}, m.seen.id
		for range 2 {
			o.hears(n, asked)
			o.wrote(n, ping)
		}
	}},
	{"S12", "an ack passed on to nobody who asked", func(o *oracle, n, m *Node) {
		ack, passed := says(n.world.nodes[2], n, swim.MessageIndirectAck), says(n, m, swim.MessageForwardedAck)
		ack.Header.About, passed.Header.About = m.seen.id, ID{2, 1}
		o.hears(n, ack)
		o.wrote(n, passed)
	}},
	{"S14", "two answers to one packet", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessagePing))
		o.wrote(n, says(n, m, swim.MessageAck))
		o.wrote(n, says(n, m, swim.MessageAck))
	}},
	{"S14", "an answer to an answer", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageAck))
		o.wrote(n, says(n, m, swim.MessageGossip))
	}},
	{"S14", "a chain that goes on", func(o *oracle, n, m *Node) {
		o.entered(n, input{kind: inputPacket, edges: maxEdges})
		o.read(n, says(m, n, swim.MessagePing))
		o.wrote(n, says(n, m, swim.MessageAck))
	}},
	{"S14", "the same warning twice in a period", func(o *oracle, n, m *Node) {
		for range 2 {
			o.hears(n, says(m, n, swim.MessagePing))
			o.wrote(n, says(n, m, swim.MessageTurnUndead))
		}
	}},
	{"S14", "an unasked turn-undead", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageTurnUndead))
	}},
	{"S19", "a refutation of nothing", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip))
		o.checkIncarnation(n, 1, 0)
	}},
	{"S19", "a refutation too far", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip, record(n.seen.id, swim.Suspect, 0)))
		o.checkIncarnation(n, 2, 0)
	}},
	{"S21", "a change by what was refused", func(o *oracle, n, m *Node) {
		o.checkRefused(n, n.core.Hash()+1, swim.DropMalformed)
	}},
	{"S22", "half of a packet", func(o *oracle, n, m *Node) {
		o.entered(n, input{kind: inputPacket})
		o.unreadable(n)
		o.in.hash++
		o.checkIgnored(n, swim.DropMalformed)
	}},
	{"S23", "bytes that nobody sealed", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(h *happening, _ *letter) { h.letter = nil })
	}},
	{"S23", "a damaged packet that is opened", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(h *happening, _ *letter) { h.damaged = true })
	}},
	{"S23", "a packet that says something else when it is opened", func(o *oracle, n, m *Node) {
		o.opens(n, m, "Sealed", func(*happening, *letter) {})
	}},
	{"S23", "a packet of another cluster that is opened", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(_ *happening, l *letter) { l.cluster = 1 })
	}},
	{"S23", "a packet that is opened twice", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(h *happening, l *letter) { l.openers = append(l.openers, n.sealer) })
	}},
	{"S23", "a recording from before the process began", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(_ *happening, l *letter) { n.sealer.fresh, n.sealer.born, l.to = true, o.w.now.Add(1), ID{0, 7} })
	}},
	{"S23", "a challenge that nobody made", func(o *oracle, n, m *Node) {
		o.checkAnswer(n, &happening{from: m})
	}},
	{"S23", "a packet that nobody changed is taken for forged", func(o *oracle, n, m *Node) {
		o.refuses(n, m, sealed.FaultForged, func(*letter) {})
	}},
	{"S23", "a packet is taken for a replay when it first comes", func(o *oracle, n, m *Node) {
		o.refuses(n, m, sealed.FaultReplay, func(*letter) {})
	}},
	{"S14", "a challenge that is longer than what it answers", func(o *oracle, n, m *Node) {
		o.checkChallenge(n, &happening{from: m}, 60, 61)
	}},
	{"F29", "a packet under a retired key that is opened", func(o *oracle, n, m *Node) {
		o.opens(n, m, "sealed", func(_ *happening, l *letter) { l.key = 2 })
	}},
	{"F29", "a packet under a retired key that is looked at", func(o *oracle, n, m *Node) {
		o.refuses(n, m, sealed.FaultUnknown, func(l *letter) { l.key = 2 })
	}},
	{"F29", "a packet that is refused for its key", func(o *oracle, n, m *Node) {
		o.refuses(n, m, sealed.FaultKey, func(l *letter) { l.key = 2 })
	}},
	{"F29", "a packet that is refused for its key too early", func(o *oracle, n, m *Node) {
		o.w.locks.retired = map[int]time.Duration{2: time.Second}
		o.refuses(n, m, sealed.FaultKey, func(l *letter) { l.key = 2 })
	}},
	{"S24", "a goodbye of somebody else", func(o *oracle, n, m *Node) {
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip, record(ID{2, 1}, swim.Left, 0)))
	}},
	{"S24", "a goodbye that nobody wanted", func(o *oracle, n, m *Node) {
		p := says(n, m, swim.MessageGossip)
		p.Header.SrcState = swim.Left
		o.probes(n)
		o.wrote(n, p)
	}},
	{"S24", "a word after the goodbye", func(o *oracle, n, m *Node) {
		n.seen.life.left = true
		o.probes(n)
		o.wrote(n, says(n, m, swim.MessageGossip))
	}},
	{"S24", "a renewal after the goodbye", func(o *oracle, n, m *Node) {
		n.seen.state = swim.Left
		o.probes(n)
		o.became(n, ID{0, 2})
	}},
	{"S26", "two renewals at once", func(o *oracle, n, m *Node) {
		for range 2 {
			o.told(n, swim.Notification[ID]{Kind: swim.NotifyRejoin, Member: swim.Member[ID]{ID: ID{0, 2}}, Old: n.seen.id})
		}
	}},
	{"S26", "a conflict that is kept quiet", func(o *oracle, n, m *Node) {
		o.told(n, swim.Notification[ID]{Kind: swim.NotifyRejoin, Member: swim.Member[ID]{ID: n.seen.id}})
		o.hears(n, says(m, n, swim.MessageGossip, record(ID{0, 2}, swim.Alive, 0)))
		o.checkDefence(n)
	}},
	{"S29", "a packet that says something else", func(o *oracle, n, m *Node) {
		p := says(n, m, swim.MessageGossip)
		data, _ := codec.Append(nil, 1400, p)
		p.Header.SrcMetadata++
		o.checkCodec(n, p, data)
	}},
	{"S30", "a configuration that was refused", func(o *oracle, n, m *Node) {
		n.seen.cfg.Period++
		o.checkConfig(n, &swim.ConfigError{})
	}},
	{"S13", "what a guard says", func(o *oracle, n, m *Node) {
		o.report(n, errors.Join(&swim.Violation{Invariant: "S13", What: "a lie"}))
	}},
	{"S14", "a gossip that is answered by one", func(o *oracle, n, m *Node) {
		o.hears(n, says(m, n, swim.MessageGossip))
		o.wrote(n, says(n, m, swim.MessageGossip))
	}},
	{"S29", "bytes behind the end that do not count", func(o *oracle, n, m *Node) {
		p := says(n, m, swim.MessagePing)
		data, _ := codec.Append(nil, 1400, p)
		o.checkWritten(n, p, append(data, 0))
	}},
	{"S30", "a configuration that is not valid", func(o *oracle, n, m *Node) {
		cfg := n.core.Config()
		cfg.RoundTrip = cfg.Period
		o.checkValid(n, cfg)
	}},
}
