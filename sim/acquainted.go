package sim

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// acquainted returns a cluster whose nodes have no seeds and know each other
// from the beginning: each is handed the others as an owner hands over members
// that were saved. To find each other packet by packet would cost the square of
// their number in packets, and leave news behind that are told for a while.
// Nothing is checked.
func acquainted(seed uint64, p Profile, count int) *World {
	w := New(seed, p)
	w.Watch = false
	for range count {
		w.Add().Seeds = nil
	}
	known := w.everybody()
	for _, n := range w.nodes {
		n.Start(Boot{Known: known})
	}
	return w
}

// company returns members that know each other, were all answered by each other,
// and have come to rest, as after a long life. Nobody watches them.
func company(seed uint64, count int, cfg swim.Config) *World {
	w := acquainted(seed, Profile{Name: LAN.Name, Config: cfg, Links: LAN.Links}, count)
	w.unhashed = true // nobody asks for it
	for _, n := range w.nodes {
		for _, m := range w.nodes {
			if m != n {
				n.meet(&swim.Header[ID]{Src: m.core.Self().ID})
			}
		}
	}
	w.Run(2 * time.Second)
	return w
}

// everybody returns the records of all nodes in their latest life, alive.
func (w *World) everybody() []swim.Update[ID] {
	all := make([]swim.Update[ID], len(w.nodes))
	for i, n := range w.nodes {
		all[i].ID = ID{Node: n.number, Life: max(1, n.newest())}
	}
	return all
}

// introduce lets every node have been answered by every other one, as in a cluster
// that has lived for a while. A member that never answered is sent no updates with
// an ack, and nobody probes on its behalf (D8), so a cluster that only knows its
// members' names behaves in another way; and it takes as many periods as there are
// members until everybody has probed everybody.
//
// For so many pairs that would take long, and most of them never have to do with
// each other. So a node is introduced to another one when that writes it a packet
// for the first time, before it can arrive.
func (w *World) introduce() {
	met := make([][]uint64, len(w.nodes))
	for i := range met {
		met[i] = make([]uint64, (len(w.nodes)+63)/64)
	}
	w.overhearToo(func(n *Node, p *swim.Packet[ID], wrote bool) {
		to := p.Header.Dst.Node
		if !wrote || max(to, n.number) >= uint32(len(met)) {
			return // who comes later is a stranger
		}
		if word, bit := &met[n.number][to/64], uint64(1)<<(to%64); *word&bit == 0 {
			*word |= bit
			w.nodes[to].greet(&p.Header)
		}
	})
}

// greet is meet, if the two take part for each other.
func (n *Node) greet(from *swim.Header[ID]) {
	if !n.running || n.core.Self().State != swim.Alive || from.SrcState != swim.Alive {
		return
	}
	if was, known := n.core.Member(from.Src.Node); known && was.ID == from.Src && was.Active() {
		n.meet(from)
	}
}

// overhearToo has somebody else be shown what nodes write and read.
func (w *World) overhearToo(also func(n *Node, p *swim.Packet[ID], wrote bool)) {
	before := w.overhear
	w.overhear = func(n *Node, p *swim.Packet[ID], wrote bool) {
		if before != nil {
			before(n, p, wrote)
		}
		also(n, p, wrote)
	}
}

// meet lets a node have been answered by who writes a packet with that header: it
// asks for a feed, and gets an empty one, while no time passes.
func (n *Node) meet(from *swim.Header[ID]) {
	if !n.running {
		return
	}
	w := n.world
	current := w.current
	w.current = nil // nobody overhears this
	p := swim.Packet[ID]{Header: swim.Header[ID]{Src: from.Src, SrcIncarnation: from.SrcIncarnation, SrcState: from.SrcState,
		SrcMetadata: from.SrcMetadata, Dst: n.core.Self().ID, Message: swim.MessageFeed}}
	packet, err := codec.Append(nil, n.core.Config().MaxPacket, &p)
	if err == nil {
		err = n.core.Announce(from.Src, (*silence)(n))
	}
	if err == nil {
		err = n.core.HandleData(packet, (*silence)(n))
	}
	if err != nil {
		panic(err)
	}
	w.current = current
}

// silence is a node of whose doings nothing comes.
type silence Node

// Now implements [swim.Runtime].
func (s *silence) Now() swim.Instant { return s.clock.at(s.world.now) }

// SendTo implements [swim.Runtime].
func (s *silence) SendTo(ID, []byte) {}

// SubmitAfter implements [swim.Runtime].
func (s *silence) SubmitAfter(swim.Timer[ID], time.Duration) {}

// Notify implements [swim.Runtime].
func (s *silence) Notify(swim.Notification[ID]) {}

// manyNodes is from how many members on a cluster takes gigabytes of memory.
const manyNodes = 10_000

// large is held while so large a cluster lives.
var large sync.Mutex

// alone returns a trial of a cluster of so many members that waits until no other
// one as large as that is left: two of them do not fit into the memory of every
// machine. The garbage collector, which usually lets the memory double, is kept on
// a short lead meanwhile; it never looks into a roster, so that costs little.
func alone(nodes int, trial Trial) Trial {
	if nodes < manyNodes {
		return trial
	}
	return func() Observations {
		large.Lock()
		defer large.Unlock()
		defer debug.SetGCPercent(debug.SetGCPercent(5))
		o := trial()
		runtime.GC() // the cluster is gone before the next one comes
		return o
	}
}

// everybodySees reports whether each node that runs knows so many active members.
func (w *World) everybodySees(others int) bool {
	for _, n := range w.nodes {
		if n.running && n.core.NumActive() != others {
			return false
		}
	}
	return true
}

// sent returns what all nodes have sent.
func (w *World) sent() Traffic {
	var sum Traffic
	for _, n := range w.nodes {
		sum.Packets += n.Traffic.Packets
		sum.Bytes += n.Traffic.Bytes
	}
	return sum
}

// total sums up the counters of all processes that run.
func (w *World) total() (sum swim.Stats) {
	for _, n := range w.nodes {
		if !n.running {
			continue
		}
		s := n.core.Stats()
		sum.Probes += s.Probes
		sum.ProbesFailed += s.ProbesFailed
		sum.Down += s.Down
		sum.Renewals += s.Renewals
		for i := range s.Sent {
			sum.Sent[i] += s.Sent[i]
		}
		for i := range s.Drops {
			sum.Drops[i] += s.Drops[i]
		}
	}
	return sum
}
