package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Link says what happens to packets on their way. The zero value delivers
// everything at once.
//
// Several apply to one packet: that of the regions, and those of all
// impairments of the path. Their times add up, and each may lose the packet.
type Link struct {
	Latency Latency
	// Drift is added to the latency for each minute that the link exists.
	Drift time.Duration `json:",omitempty"`
	// Cut loses everything.
	Cut bool `json:",omitempty"`
	// Clog holds everything back until the impairment ends, then delivers all
	// of it at once; Queue.Length bounds how much.
	Clog bool `json:",omitempty"`
	// Loss is the probability that a packet is lost.
	Loss float64 `json:",omitempty"`
	// Burst loses packets in bursts, on each path in its own.
	Burst Burst `json:",omitzero"`
	// MaxSize loses packets of more bytes without a word, as a path does whose
	// MTU nobody can discover. Zero is no limit.
	MaxSize int `json:",omitempty"`
	// Queue bounds how many packets pass in a second.
	Queue Queue `json:",omitzero"`
	// Duplicate is the probability that a packet arrives more than once: up to
	// Copies more (at least one), each up to Spread later.
	Duplicate float64       `json:",omitempty"`
	Copies    int           `json:",omitempty"`
	Spread    time.Duration `json:",omitempty"`
	// Hold is the probability that a packet waits until the next one on its
	// path has passed it.
	Hold float64 `json:",omitempty"`
	// Replay is the probability that with a packet an old one arrives again, at
	// whoever has its address by then.
	Replay float64 `json:",omitempty"`
	// Flip is the probability that a bit of the packet is inverted. Receivers
	// notice and drop it, unless World.Unchecked.
	Flip float64 `json:",omitempty"`
}

// A Burst is loss after Gilbert and Elliott: a path is good or bad, changes
// with each packet by these probabilities, and loses packets while it is bad.
type Burst struct {
	Begin, End float64 // of a bad time, for each packet
	Loss       float64 // while it is bad
}

// A Queue is the capacity of a path. The zero value has no bound.
type Queue struct {
	Rate   int  // packets a second
	Length int  // packets that wait; more are lost
	Head   bool // what waited longest is lost, not what comes last
}

// A Set is some nodes by their numbers. The nil set is all of them.
type Set []uint32

// Nodes returns a set of nodes.
func Nodes(numbers ...uint32) Set { return Set(numbers) }

// Has reports whether a node is in the set.
func (s Set) Has(node uint32) bool { return s == nil || slices.Contains(s, node) }

// An Impairment is a link that applies to the packets from some nodes to some
// others until it ends.
type Impairment struct {
	From, To Set
	Link     Link

	name    string
	world   *World
	began   swim.Instant
	dice    *dice
	sampler sampler
	paths   map[uint64]*path
	clogged []flight
	records []flight // of packets that may be replayed
	seen    int      // packets so far
}

// A path is what a link knows about the packets from one node to another.
type path struct {
	bad      bool // in a burst of losses
	queue    []flight
	draining bool
	held     *flight
}

// A flight is a packet on its way.
type flight struct {
	from, to *Node
	cause    uint64
	data     []byte
	edges    uint8 // how many other packets it follows from
}

// maxRecords bounds the packets that an impairment keeps to replay them.
const maxRecords = 256

// Impair lets a link apply to all packets from some nodes to some others, as
// long as the impairment that it returns has not ended. Its luck follows from
// the seed of the world and the name.
func (w *World) Impair(name string, from, to Set, link Link) *Impairment {
	i := &Impairment{From: from, To: to, Link: link, name: name, world: w, began: w.now, paths: map[uint64]*path{},
		dice: roll(w.seed, "link "+name)}
	w.impairments = append(w.impairments, i)
	return i
}

// End takes the impairment away. What it held back arrives.
func (i *Impairment) End() {
	w := i.world
	at := slices.Index(w.impairments, i)
	if at < 0 {
		return
	}
	w.impairments = slices.Delete(w.impairments, at, at+1)
	for _, f := range i.clogged {
		w.fly(f, 0)
	}
	i.clogged = nil
	for _, n := range w.nodes { // not the map: its order is not the same twice
		for _, m := range w.nodes {
			if p := i.paths[pair(n, m)]; p != nil && p.held != nil {
				w.fly(*p.held, 0)
				p.held = nil
			}
		}
	}
}

func pair(from, to *Node) uint64 { return uint64(from.number)<<32 | uint64(to.number) }

func (i *Impairment) path(f flight) *path {
	key := pair(f.from, f.to)
	p := i.paths[key]
	if p == nil {
		p = &path{}
		i.paths[key] = p
	}
	return p
}

// A fate is what becomes of a packet.
type fate struct {
	delay  time.Duration
	lost   string // why it does not arrive; empty if it does
	copies []time.Duration
	flip   bool
	kept   bool // somebody holds it back and delivers it later
}

// decide lets a link act on a packet, in the order in which a network would:
// what is lost takes no room in a queue, and what is queued may still be
// damaged or doubled.
func (i *Impairment) decide(f flight, out *fate) {
	l, d := &i.Link, i.dice
	if l.Replay > 0 {
		i.replay(f)
	}
	switch {
	case l.Cut:
		out.lost = "cut"
	case l.MaxSize > 0 && len(f.data) > l.MaxSize:
		out.lost = "too-large"
	case d.hit(l.Loss):
		out.lost = "loss"
	case l.Burst != Burst{} && i.burst(f):
		out.lost = "burst"
	}
	if out.lost != "" {
		return
	}
	if l.Latency != (Latency{}) {
		out.delay += i.sampler.draw(l.Latency, d)
	}
	if l.Drift > 0 {
		minutes := i.world.now.Sub(i.began) / time.Second * (l.Drift / 60)
		out.delay += min(minutes, longest)
	}
	out.flip = out.flip || d.hit(l.Flip)
	if d.hit(l.Duplicate) {
		for range d.between(1, max(l.Copies, 1)) {
			out.copies = append(out.copies, d.duration(0, l.Spread))
		}
	}
	kept := false
	switch {
	case out.kept:
	case l.Clog:
		kept = i.clog(f)
	case l.Queue.Rate > 0:
		kept = i.enqueue(f)
	case l.Hold > 0:
		out.kept = i.hold(f)
		return
	default:
		return
	}
	out.kept = out.kept || kept
	if !out.kept {
		out.lost = "queue"
	}
}

// burst reports whether a path is bad and loses the packet.
func (i *Impairment) burst(f flight) bool {
	p, b := i.path(f), i.Link.Burst
	if p.bad {
		p.bad = !i.dice.hit(b.End)
	} else {
		p.bad = i.dice.hit(b.Begin)
	}
	return p.bad && i.dice.hit(b.Loss)
}

// enqueue makes a packet wait for those before it, or reports that there is no
// room.
func (i *Impairment) enqueue(f flight) bool {
	p, q := i.path(f), i.Link.Queue
	if len(p.queue) >= max(q.Length, 1) {
		if !q.Head {
			return false
		}
		i.world.loseBy(p.queue[0], "queue", i.name)
		p.queue = p.queue[1:]
	}
	f.data = slices.Clone(f.data)
	p.queue = append(p.queue, f)
	if !p.draining {
		p.draining = true
		i.drain(p)
	}
	return true
}

// drain lets the packets of a queue go, one after the other.
func (i *Impairment) drain(p *path) {
	i.world.After(time.Second/time.Duration(i.Link.Queue.Rate), func() {
		if len(p.queue) == 0 {
			p.draining = false
			return
		}
		i.world.fly(p.queue[0], 0)
		p.queue = p.queue[1:]
		i.drain(p)
	})
}

// clog keeps a packet until the impairment ends.
func (i *Impairment) clog(f flight) bool {
	if most := i.Link.Queue.Length; len(i.clogged) >= most && most > 0 || len(i.clogged) >= 4096 {
		return false
	}
	f.data = slices.Clone(f.data)
	i.clogged = append(i.clogged, f)
	return true
}

// hold keeps a packet until the next one has passed.
func (i *Impairment) hold(f flight) bool {
	p := i.path(f)
	if p.held != nil {
		i.world.fly(*p.held, time.Microsecond)
		p.held = nil
		return false
	}
	if !i.dice.hit(i.Link.Hold) {
		return false
	}
	f.data = slices.Clone(f.data)
	p.held = &f
	return true
}

// replay keeps some packets, and now and then sends an old one again.
func (i *Impairment) replay(f flight) {
	i.seen++
	record := f
	record.data = slices.Clone(f.data)
	if len(i.records) < maxRecords {
		i.records = append(i.records, record)
	} else if at := i.dice.below(i.seen); at < maxRecords {
		i.records[at] = record
	}
	if i.dice.hit(i.Link.Replay) {
		old := i.records[i.dice.below(len(i.records))]
		old.data = slices.Clone(old.data)
		i.world.fly(old, i.dice.duration(0, time.Second))
	}
}
