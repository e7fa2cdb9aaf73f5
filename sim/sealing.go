package sim

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// A party is one end of a sealed packet.
type party = sealed.Party[uint32]

func partyOf(id ID) party { return party{Addr: id.Node, Life: uint64(id.Life)} }

// sealed reports whether packets are.
func (w *World) sealed() bool { return w.profile.Wire == WireSealed }

// sealable returns a configuration that leaves room in packets for what sealing
// adds, as that of a node does. What a core needs at the least it keeps.
func sealable(cfg swim.Config) swim.Config {
	if cfg.MaxPacket == 0 {
		cfg.MaxPacket = cfg.WithDefaults().MaxPacket
	}
	if least := leastPacket(); cfg.MaxPacket >= least {
		cfg.MaxPacket = max(cfg.MaxPacket-sealed.Overhead, least)
	}
	return cfg
}

// added returns how many bytes a packet is longer on the wire than the core made
// it.
func (wire Wire) added() int {
	if wire == WireSealed {
		return sealed.Overhead
	}
	return 0
}

// A sealer is what seals the packets of one process and opens those of others:
// the box that a node has, and what the simulator has to know of it.
type sealer struct {
	box     *sealed.Box[uint32]
	cluster int
	keys    keyFile // that the process has read
	behind  bool    // the file changed while the process stood still
	now     int64   // of the box, which never goes back
	ids     []ID    // that the process had, at one address
	count   uint64  // packets that it sealed
	moved   int     // how often the process changed its address
	born    swim.Instant
	older   []*sealer // of whom it opened what is older than itself
	fresh   bool      // nobody had its first identity before
	strange bool      // of somebody who has the keys and is no process
}

// newSealer returns the sealer of a process that starts as somebody, or moved to
// another address for the so manieth time.
func newSealer(n *Node, id ID, moved int) *sealer {
	s := &sealer{cluster: n.Cluster, keys: n.file, ids: []ID{id}, moved: moved, born: n.world.now}
	s.box = n.world.newBox(s.time(n), n.Cluster, n.file, roll(n.world.seed, "seal", uint64(n.number), uint64(n.epoch), uint64(moved)), func(p party) (addr, life bool) {
		same := func(id ID) bool { return partyOf(id) == p }
		return p.Addr == n.number || p.Addr == s.ids[0].Node, slices.ContainsFunc(s.ids, same)
	}, func(addr uint32) bool {
		_, known := n.core.Member(addr)
		return known
	})
	return s
}

func (w *World) newBox(now int64, cluster int, keys keyFile, luck *dice, ours func(party) (addr, life bool), knows func(uint32) bool) *sealed.Box[uint32] {
	box, err := sealed.New(now, sealed.Config[uint32]{
		Cluster: fmt.Sprint("cluster ", cluster),
		Keys:    w.secrets(keys),
		Random:  luck.fill,
		Parties: func(_ uint8, payload []byte) (from, to party, ok bool) {
			src, dst, ok := ends(payload)
			return partyOf(src), partyOf(dst), ok
		},
		Ours:  ours,
		Knows: knows,
	})
	if err != nil {
		panic(err) // the keys follow from the seed
	}
	return box
}

// ends reads from a packet of [swim.Plain] who sent it, and to whom. Whether the
// rest is a packet is for the core to say.
func ends(data []byte) (src, dst ID, ok bool) {
	const kinds = 3 // version, message and state
	if len(data) < kinds+idSize {
		return src, dst, false
	}
	src, _, _ = parseID(data[kinds:])
	data = data[kinds+idSize:]
	_, n := binary.Uvarint(data)
	if n <= 0 {
		return src, dst, false
	}
	dst, _, err := parseID(data[n:])
	return src, dst, err == nil
}

// fill fills bytes with luck.
func (d *dice) fill(b []byte) {
	for len(b) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], d.src.Uint64())
		b = b[copy(b, word[:]):]
	}
}

// time returns what the box is told that it is.
func (s *sealer) time(n *Node) int64 {
	s.now = max(s.now, int64(n.clock.at(n.world.now)))
	return s.now
}

// goesBy notes which identity the process of a node has. One that moved to
// another address has another socket there, and so another box.
func (n *Node) goesBy(id ID) {
	switch s := n.sealer; {
	case id.Node != s.ids[0].Node:
		n.sealer = newSealer(n, id, s.moved+1)
	case id != s.ids[len(s.ids)-1]:
		s.ids = append(s.ids, id)
	}
}

// A letter is what the simulator knows of a packet that was sealed. All that
// travel of the same packet share it.
type letter struct {
	by      *sealer
	plain   []byte // what was sealed; nil of a challenge
	to      ID
	cluster int
	key     int          // under which it was sealed
	count   uint64       // of the packets that the process sealed
	born    swim.Instant // when it was sealed; of a challenge, when what it asks for was
	edges   uint8        // how many other packets it follows from
	about   *letter      // of a challenge, the packet that it asks for
	openers []*sealer    // who accepted it
}

// kind says what a packet is, if it is none of a core.
func (l *letter) kind() string {
	if l != nil && l.plain == nil {
		return textChallenge
	}
	return ""
}

// textChallenge is the text of an event of a packet that asks for another one.
const textChallenge = "challenge"

// clear returns what a packet says, for those who tell what happened.
func (f *flight) clear() []byte {
	if f.letter != nil && f.letter.plain != nil {
		return f.letter.plain
	}
	return f.data
}

// letter returns what is known of a packet that was sealed just now.
func (s *sealer) letter(w *World, to ID, f *flight, plain []byte) *letter {
	s.count++
	return &letter{by: s, plain: plain, to: to, cluster: s.cluster, key: s.keys[0], count: s.count, born: w.now, edges: f.edges}
}

// seal seals a packet that a core sends.
func (n *Node) seal(to ID, f *flight) {
	if src, _, ok := ends(f.data); ok {
		n.goesBy(src)
	}
	n.sealer.seal(n.world, n.sealer.time(n), to, f)
}

// seal seals a packet. It is valid until the next one is sealed.
func (s *sealer) seal(w *World, now int64, to ID, f *flight) {
	f.letter = s.letter(w, to, f, slices.Clone(f.data))
	w.locks.sealing = s.box.Seal(w.locks.sealing[:0], now, partyOf(to), 0, f.data)
	f.data = w.locks.sealing
}

// unseal opens what arrived at a node, and sends what is to be said to that. It
// returns the packet for the core, if there is one.
func (n *Node) unseal(h *happening) []byte {
	w, s := n.world, n.sealer
	var from [4]byte
	binary.BigEndian.PutUint32(from[:], h.from.number)
	size := len(h.data)
	o, err := s.box.Open(s.time(n), h.data, from[:])
	fault, _ := err.(sealed.Fault)
	switch {
	case o.Again:
		if w.Trace != nil {
			w.emit(Event{Node: n.number, Kind: EventReceive, Peer: h.from.number, Data: h.data, Cause: h.cause, Text: textChallenge})
		}
		n.sendAgain(h, &o)
	case err != nil:
		w.oracle.checkRefusal(n, h, fault)
		w.lose(h.flight(), whyRefused(fault))
		if o.Reply != nil {
			w.oracle.checkChallenge(n, h, size, len(o.Reply))
			n.send(ID{Node: h.from.number}, flight{from: n, cause: w.step, data: o.Reply, letter: s.challenge(h.letter)})
		}
	default:
		w.oracle.checkOpened(n, h, o.Payload)
		return o.Payload
	}
	return nil
}

// sendAgain sends a packet that was sealed once more, because a challenge asked
// for it.
func (n *Node) sendAgain(h *happening, o *sealed.Opened[uint32]) {
	w := n.world
	if !w.oracle.checkAnswer(n, h) {
		return
	}
	w.oracle.marks.hit(markAnswered)
	to := ID{Node: o.To.Addr, Life: uint32(o.To.Life)}
	f := flight{from: n, cause: w.step, data: o.Reply, edges: h.letter.about.edges}
	f.letter = n.sealer.letter(w, to, &f, h.letter.about.plain)
	n.send(to, f)
}

// challenge returns what is known of a challenge to a packet. It is under the
// same key, and so as old as that.
func (s *sealer) challenge(about *letter) *letter {
	if about == nil { // it is about something made up, and has the right introduction
		return &letter{by: s, cluster: s.cluster}
	}
	return &letter{by: s, about: about, cluster: about.cluster, key: about.key, born: about.born}
}

// whyRefused says why a packet was lost that could not be opened.
func whyRefused(why sealed.Fault) string {
	if why == sealed.FaultCluster {
		return "other-cluster"
	}
	return why.String()
}
