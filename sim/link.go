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
	// notice and drop it, unless World.Unchecked, or Unchecked here.
	Flip      float64 `json:",omitempty"`
	Unchecked bool    `json:",omitempty"`
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
	spared  Set // the paths among them are healed; nil if none are
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
	cluster  int // the one that it says it is of
	cause    uint64
	data     []byte        // as it travels
	letter   *letter       // what was sealed; nil if it was not
	damaged  bool          // a sealed one was changed on its way
	edges    uint8         // how many other packets it follows from
	delay    time.Duration // once nobody holds it back any more
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
	i.release(nil)
}

// spare heals the paths among some nodes. What was held back there arrives.
func (i *Impairment) spare(core Set) {
	i.spared = core
	i.release(core)
}

// applies reports whether the packets from one node to another are impaired.
func (i *Impairment) applies(from, to uint32) bool {
	return i.From.Has(from) && i.To.Has(to) && (i.spared == nil || !i.spared.Has(from) || !i.spared.Has(to))
}

// release lets go what was held back among some nodes.
func (i *Impairment) release(among Set) {
	w := i.world
	in := func(f flight) bool { return among.Has(f.from.number) && among.Has(f.to.number) }
	for _, f := range i.clogged {
		if in(f) {
			w.fly(f, f.delay)
		}
	}
	i.clogged = slices.DeleteFunc(i.clogged, in)
	if i.Link.Hold == 0 && i.Link.Queue.Rate == 0 {
		return
	}
	for _, n := range w.nodes { // not the map: its order is not the same twice
		for _, m := range w.nodes {
			p := i.paths[pair(n, m)]
			if p == nil || !among.Has(n.number) || !among.Has(m.number) {
				continue
			}
			for _, f := range p.queue {
				w.fly(f, f.delay)
			}
			p.queue = nil
			if p.held != nil {
				w.fly(*p.held, p.held.delay)
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
	delay     time.Duration
	lost      string // why it does not arrive; empty if it does
	copies    []time.Duration
	flip      int // one more than the bit that is inverted; 0 for none
	unchecked bool
	keeper    *Impairment // may hold it back
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
	if d.hit(l.Flip) && len(f.data) > 0 {
		out.flip = 1 + d.below(8*len(f.data))
		out.unchecked = out.unchecked || l.Unchecked
	}
	if d.hit(l.Duplicate) {
		for range d.between(1, max(l.Copies, 1)) {
			out.copies = append(out.copies, d.duration(0, l.Spread))
		}
	}
	if out.keeper == nil && (l.Clog || l.Queue.Rate > 0 || l.Hold > 0) {
		out.keeper = i
	}
}

// keep holds a packet back, loses it for want of room, or lets it go. Its data
// are the flight's own.
func (i *Impairment) keep(f flight, delay time.Duration) {
	f.delay = delay
	room := true
	switch {
	case i.Link.Clog:
		room = i.clog(f)
	case i.Link.Queue.Rate > 0:
		room = i.enqueue(f)
	case !i.hold(f):
		i.world.fly(f, delay)
	}
	if !room {
		i.world.loseBy(f, "queue", i.name)
		i.world.done(f.data)
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
		i.world.done(p.queue[0].data)
		p.queue = p.queue[1:]
	}
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
		i.world.fly(p.queue[0], p.queue[0].delay)
		p.queue = p.queue[1:]
		i.drain(p)
	})
}

// clog keeps a packet until the impairment ends.
func (i *Impairment) clog(f flight) bool {
	if most := i.Link.Queue.Length; len(i.clogged) >= most && most > 0 || len(i.clogged) >= 4096 {
		return false
	}
	i.clogged = append(i.clogged, f)
	return true
}

// hold keeps a packet until the next one has passed.
func (i *Impairment) hold(f flight) bool {
	p := i.path(f)
	if p.held != nil {
		i.world.fly(*p.held, f.delay+time.Microsecond)
		p.held = nil
		return false
	}
	if !i.dice.hit(i.Link.Hold) {
		return false
	}
	p.held = &f
	return true
}

// replay keeps some packets, and now and then sends an old one again.
func (i *Impairment) replay(f flight) {
	i.seen++
	if len(i.records) < maxRecords {
		f.data = slices.Clone(f.data)
		i.records = append(i.records, f)
	} else if at := i.dice.below(i.seen); at < maxRecords {
		f.data = append(i.records[at].data[:0], f.data...)
		i.records[at] = f
	}
	if i.dice.hit(i.Link.Replay) {
		old, delay := i.records[i.dice.below(len(i.records))], i.dice.duration(0, time.Second)
		if !i.applies(old.from.number, old.to.number) || i.world.severed(old.from.number, old.to.number) {
			return
		}
		old.data = i.world.copyOf(old.data)
		i.world.fly(old, delay)
	}
}
