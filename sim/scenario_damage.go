package sim

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Single bits flip on the wire. First a checksum stands before the nodes, then
// it does not, and memory is faulty too: what nobody ever said goes round. One such bit, in
// gossip without a checksum, took a storage service down for eight hours.
var bitflip = script{
	name:    "bitflip",
	text:    "Bits of packets flip, first with a checksum before the nodes, and then without it and in memory too; with it nothing happens (S23, L2), and without it all is well again by itself, some time later (L10), and quiet (L8).",
	profile: LAN.with(func(c *swim.Config) { c.ForgetAfter = 10 * time.Minute }),
	tell: func(p *play) {
		p.form(12)
		_, before := p.traffic(2 * time.Minute)
		heard := p.listen(nil, nil)
		flips := p.Impair("flips", nil, nil, Link{Flip: 0.01})
		p.Run(5 * time.Minute)
		p.must("L2", heard.downs == 0, "%d were told down, the last time: %s", heard.downs, heard.last)
		p.must("S23", heard.ups+heard.renames == 0, "%d were told up who never were", heard.ups+heard.renames)
		p.Unchecked = true
		faulty := rand.New(&roll(p.seed, "faulty memory").src)
		for _, n := range p.nodes[:5] {
			p.Run(time.Minute)
			n.Meddle(func(c *Core) { c.Damage(faulty) })
		}
		flips.End()
		p.Unchecked = false
		p.Run(12 * time.Minute) // until those who never were are forgotten
		p.mustAgree("L10", 15*time.Minute)
		p.oracle.trustAgain()
		_, after := p.traffic(2 * time.Minute)
		p.must("L8", after <= 1.2*before, "each member sends %.0f bytes in a second, was %.0f", after, before)
	},
}

// Somebody tells a record that not everybody takes. Those who refuse it must not
// suffer for it, and those who take it must not pass on what the others choke
// on; and all of it also reaches one that is just starting.
var poisonRecord = script{
	name:    "poison-record",
	text:    "Records are told that some or all refuse, and reach nodes that just start; a packet with a bad one changes nothing (S21, S22), and nobody else is affected (L2, L3).",
	profile: LAN.with(func(c *swim.Config) { c.ForgetAfter = 10 * time.Minute }),
	tell: func(p *play) {
		p.Grow(6)
		for range 6 { // these have no room for one member more
			full := p.profile.Config
			full.MaxMembers = 12
			p.Add().Start(Boot{Config: full})
		}
		p.mustAgree("L5", time.Minute)
		heard := p.listen(nil, those(0, 13))

		p.each(nil, func(n *Node) { p.feed(n, poisoned(n)) })
		late := p.Add() // and one that knows nobody yet
		late.Start(Boot{})
		p.feed(late, poisoned(late))
		p.mustAgree("L5", time.Minute)
		p.must("L2", heard.downs == 0 && heard.renames == 0, "%d were told down and %d renamed, the last time: %s", heard.downs, heard.renames, heard.last)

		made := []swim.Update[ID]{
			{Member: swim.Member[ID]{ID: ID{Node: 500, Life: math.MaxUint32}, Incarnation: math.MaxUint64, State: swim.Alive}},
			{Member: swim.Member[ID]{ID: ID{Node: 501, Life: 1}, State: swim.Suspect}, By: []ID{{502, 1}, {503, 1}}},
			{Member: swim.Member[ID]{ID: ID{Node: 504, Life: 1}, State: swim.Alive}},
		}
		p.oracle.distrust("made-up members")
		p.Node(0).Apply(made, true)
		p.Run(15 * time.Minute)
		p.mustAgree("L3", 5*time.Minute)
		p.oracle.trustAgain()
		p.Run(2 * time.Minute)
		p.must("L2", heard.downs == 0 && heard.renames == 0, "%d were told down and %d renamed, the last time: %s", heard.downs, heard.renames, heard.last)
	},
}

// poisoned returns a gossip to a node whose first records are good and whose
// last one is none.
func poisoned(n *Node) []byte {
	p := swim.Packet[ID]{Header: swim.Header[ID]{Src: ID{Node: 400, Life: 1}, Dst: n.core.Self().ID, Message: swim.MessageGossip}}
	for i := range uint32(3) {
		p.Updates = append(p.Updates, swim.Update[ID]{Member: swim.Member[ID]{ID: ID{Node: 401 + i, Life: 1}, State: swim.Alive}})
	}
	b, _ := n.world.codec.Codec.Append(nil, 1400, &p)
	return b[:len(b)-1]
}

// feed hands a node a packet that it must refuse as a whole.
func (p *play) feed(n *Node, packet []byte) {
	n.Receive(nil) // so that it has read the time
	before := n.core.Hash()
	err := n.Receive(packet)
	p.must("S21", errors.Is(err, swim.DropMalformed), "%d took a packet that is none: %v", n.number, err)
	p.must("S22", n.core.Hash() == before, "%d is not as it was before it refused a packet", n.number)
}
