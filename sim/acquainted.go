package sim

import (
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

// everybody returns the records of all nodes in their latest life, alive.
func (w *World) everybody() []swim.Update[ID] {
	all := make([]swim.Update[ID], len(w.nodes))
	for i, n := range w.nodes {
		all[i].ID = ID{Node: n.number, Life: max(1, n.newest())}
	}
	return all
}

// introduce lets every node have been answered by every other one. A member that
// never answered is sent no updates with an ack, and nobody probes on its behalf
// (D8), so a cluster that only knows its members' names behaves in another way
// than one that has lived for a while: everybody has to be probed by everybody
// first, which takes as many periods as there are members.
//
// Here everybody asks everybody for a feed instead, and gets an empty one, while
// no time passes.
func (w *World) introduce() {
	var p swim.Packet[ID]
	var packet []byte
	for _, n := range w.nodes {
		silent := (*silence)(n)
		for _, m := range w.nodes {
			if m == n {
				continue
			}
			p.Reset()
			p.Header = swim.Header[ID]{Src: m.core.Self().ID, Dst: n.core.Self().ID, Message: swim.MessageFeed}
			var err error
			if packet, err = codec.Append(packet[:0], n.core.Config().MaxPacket, &p); err != nil {
				panic(err)
			}
			if err = n.core.Announce(p.Header.Src, silent); err == nil {
				err = n.core.HandleData(packet, silent)
			}
			if err != nil {
				panic(err)
			}
		}
	}
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
		for i := range s.Sent {
			sum.Sent[i] += s.Sent[i]
		}
		for i := range s.Drops {
			sum.Drops[i] += s.Drops[i]
		}
	}
	return sum
}
