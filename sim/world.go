package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A World is a cluster under virtual time: a clock, a network, and nodes.
type World struct {
	// Unchecked hands damaged packets to the nodes, as if the transport had no
	// checksum. No promise about the content of members holds then.
	Unchecked bool
	// Backlog is how many packets a socket holds for a node that does not read.
	// If zero, 256.
	Backlog int
	// Watch lets the oracle look at every step. New sets it; without it more
	// nodes go into less memory, and no promise is checked.
	Watch bool
	// Trace, if set, is told everything that happens, as it happens.
	Trace func(Event)
	// Halt, if set, is asked about every violation whether it is enough. Then
	// the step is completed, and nothing happens any more.
	Halt func(Violation) bool
	// Violations are the promises that did not hold, in the order in which that
	// was noticed.
	Violations []Violation

	seed    uint64
	profile Profile
	now     swim.Instant
	step    uint64 // happenings so far
	queue   queue
	nodes   []*Node
	codec   tap

	impairments []*Impairment
	sampler     [][]sampler                                   // of the profile's links
	wire        *dice                                         // for the links of the profile
	buffers     [][]byte                                      // of packets that have arrived
	overhear    func(n *Node, p *swim.Packet[ID], wrote bool) // is shown what nodes write and read; may be nil
	carries     func(swim.Message) bool                       // which messages have room for updates; nil if all have
	current     *Node                                         // whose input is under way
	oracle      *oracle
	chronicle   *chronicle
	hash        uint64
	unhashed    bool // nobody asks for it
	halted      bool
	locks       locks             // of a world whose packets are sealed
	most        uint64            // steps, unless zero
	while       func(*World) bool // asked now and then whether to go on; may be nil
}

// New returns a world without nodes. Two worlds with the same seed, profile and
// calls are the same in all that happens.
func New(seed uint64, p Profile) *World {
	w := &World{Watch: true, seed: seed, profile: p, wire: roll(seed, "wire")}
	w.codec = tap{p.Wire.codec(), w}
	if w.sealed() {
		w.addKey()
		w.locks.file, w.locks.retired, w.locks.forgers = keyFile{0}, map[int]time.Duration{}, map[forger]*sealer{}
	}
	for range p.Links {
		w.sampler = append(w.sampler, make([]sampler, len(p.Links)))
	}
	w.oracle = newOracle(w)
	w.chronicle = &chronicle{w: w}
	return w
}

// Now returns the time since the world began.
func (w *World) Now() swim.Instant { return w.now }

// Hash returns a hash over everything that has happened so far.
func (w *World) Hash() uint64 { return w.hash }

// Nodes returns the nodes by their numbers.
func (w *World) Nodes() []*Node { return w.nodes }

// Node returns one node.
func (w *World) Node(number uint32) *Node { return w.nodes[number] }

// Add returns a new node, which does not run yet. Its seeds are nodes 0 to 2,
// and its region its number modulo the number of regions.
func (w *World) Add() *Node {
	n := &Node{world: w, number: uint32(len(w.nodes)), Seeds: Nodes(0, 1, 2), dice: roll(w.seed, "node", uint64(len(w.nodes)))}
	n.Region = len(w.nodes) % len(w.profile.Links)
	n.file = w.locks.file
	w.nodes = append(w.nodes, n)
	return n
}

// Grow adds nodes and starts them.
func (w *World) Grow(count int) {
	for range count {
		w.Add().Start(Boot{})
	}
}

// At has something done at a moment, or now if that has passed.
func (w *World) At(at swim.Instant, do func()) {
	w.queue.add(happening{at: max(at, w.now), cause: w.step, kind: planned, do: do}, rankPlan)
}

// After has something done when some time has passed.
func (w *World) After(d time.Duration, do func()) { w.At(w.now.Add(d), do) }

// Run lets time pass, unless the world has halted.
func (w *World) Run(d time.Duration) {
	end := w.now.Add(d)
	for {
		at, any := w.queue.next()
		if !any || at > end || w.halted {
			break
		}
		w.Step()
	}
	if !w.halted {
		w.now = end
	}
}

// RunUntil lets time pass, at most so much, until something is so. It reports
// whether it came to be. It asks once in every tenth of a second.
func (w *World) RunUntil(most time.Duration, so func() bool) bool {
	for end := w.now.Add(most); !so(); {
		if w.now >= end || w.halted {
			return false
		}
		w.Run(min(100*time.Millisecond, end.Sub(w.now)))
	}
	return true
}

// Step lets the next thing happen, and reports whether there was one. In a world
// that has halted there is none.
func (w *World) Step() bool {
	if w.most > 0 && w.step >= w.most || w.while != nil && w.step%asks == 0 && !w.while(w) {
		w.halted = true
	}
	if w.halted || len(w.queue.heap) == 0 {
		return false
	}
	h, ref := w.queue.take()
	w.now = max(w.now, h.at)
	w.step++
	w.happen(h)
	w.queue.done(ref)
	return true
}

// The ranks of what happens at one instant: plans, then packets, then timer
// events in the order of their kinds.
const (
	rankPlan = iota
	rankPacket
	rankTimer
)

func (w *World) happen(h *happening) {
	switch h.kind {
	case planned:
		h.do()
	case arrival:
		h.node.arrive(h)
	case timing:
		h.node.due(h)
	case waking:
		if h.epoch == h.node.epoch {
			h.node.catchUp()
		}
	}
}

// room is how many packets a socket holds.
func (w *World) room() int {
	if w.Backlog == 0 {
		return 256
	}
	return w.Backlog
}

// send puts a packet of a node on its way to whoever is at an address.
func (w *World) send(dst ID, f flight) {
	if dst.Node >= uint32(len(w.nodes)) {
		return // somebody made that member up
	}
	from, to := f.from, w.nodes[dst.Node].receiver()
	f.to, f.cluster = to, from.Cluster
	link := &w.profile.Links[from.Region][to.Region]
	out := fate{delay: w.sampler[from.Region][to.Region].draw(link.Latency, w.wire)}
	for _, i := range w.impairments {
		if out.lost == "" && i.applies(from.number, to.number) {
			if i.decide(f, &out); out.lost != "" {
				w.loseBy(f, out.lost, i.name)
				return
			}
		}
	}
	if w.Trace != nil {
		w.emit(Event{Node: from.number, Kind: EventSend, Peer: to.number, Data: f.clear(), Cause: f.cause, Text: f.letter.kind()})
	}
	f.data = w.copyOf(f.data)
	if out.flip > 0 {
		bit := out.flip - 1
		f.data[bit/8] ^= 1 << (bit % 8)
		switch {
		case f.letter != nil:
			f.damaged = true // who opens it must notice
		case !w.Unchecked && !out.unchecked:
			w.lose(f, "checksum")
			w.done(f.data)
			return
		default:
			w.oracle.distrust("a damaged packet")
		}
	}
	for _, later := range out.copies {
		double := f
		double.data = w.copyOf(f.data)
		w.fly(double, out.delay+later)
	}
	if out.keeper != nil {
		out.keeper.keep(f, out.delay)
		return
	}
	w.fly(f, out.delay)
}

// hurry loses what is on its way for longer than so much from now on. What a
// slow path kept for an hour would come back long after the path is healed.
func (w *World) hurry(most time.Duration) {
	late := w.now.Add(most)
	for _, e := range w.queue.heap {
		if h := w.queue.table[e.ref]; h.kind == arrival && h.at > late {
			w.lose(h.flight(), "late")
			w.done(h.data)
			*h = happening{at: h.at, kind: planned, do: func() {}}
		}
	}
}

// severed reports whether nothing at all passes on a path.
func (w *World) severed(from, to uint32) bool {
	return slices.ContainsFunc(w.impairments, func(i *Impairment) bool { return i.Link.Cut && i.applies(from, to) })
}

// fly lets a packet arrive after a time. Its data are the flight's own.
func (w *World) fly(f flight, delay time.Duration) {
	w.queue.add(happening{at: w.now.Add(delay), cause: f.cause, kind: arrival, node: f.to, from: f.from, cluster: f.cluster, data: f.data, edges: f.edges, letter: f.letter, damaged: f.damaged}, rankPacket)
}

// lose notes that a packet does not arrive.
func (w *World) lose(f flight, why string) { w.loseBy(f, why, "") }

// loseBy notes that a packet does not arrive, because of an impairment.
func (w *World) loseBy(f flight, why, by string) {
	w.oracle.lost(why)
	if w.Trace != nil {
		w.emit(Event{Node: f.from.number, Kind: EventLost, Peer: f.to.number, Data: f.clear(), Cause: f.cause, Text: why, By: by})
	}
}

// copyOf returns a copy of a packet in memory that is used again.
func (w *World) copyOf(data []byte) []byte {
	var b []byte
	if n := len(w.buffers); n > 0 {
		b = w.buffers[n-1]
		w.buffers = w.buffers[:n-1]
	}
	return append(b[:0], data...)
}

// done takes back the memory of a packet.
func (w *World) done(data []byte) {
	if len(w.buffers) < 1<<13 {
		w.buffers = append(w.buffers, data)
	}
}

// Partition cuts all paths between the groups, until it is ended. A node that
// is in none of them keeps all of its paths.
func (w *World) Partition(groups ...Set) *Partition {
	p := &Partition{}
	for i, a := range groups {
		for j, b := range groups {
			if i != j {
				name := fmt.Sprint("partition ", w.step, i, j)
				p.cuts = append(p.cuts, w.Impair(name, a, b, Link{Cut: true}))
			}
		}
	}
	return p
}

// A Partition is some groups of nodes without a path between them.
type Partition struct{ cuts []*Impairment }

// End heals the partition.
func (p *Partition) End() {
	for _, cut := range p.cuts {
		cut.End()
	}
}
