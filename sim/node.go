package sim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Core is what a node runs.
type Core = swim.Core[ID, uint32]

// A Node is one process, or the place of one: a core, a clock and a socket.
type Node struct {
	// Region chooses the link to other nodes, see Profile.Links.
	Region int
	// Cluster tells clusters apart that share addresses: packets from another
	// one are dropped by the transport.
	Cluster int
	// Seeds are whom the node contacts until it knows them.
	Seeds Set
	// Cost is how long each input takes. Meanwhile the node does nothing else.
	Cost time.Duration
	// Lag is how much later than due a timer event comes at most.
	Lag time.Duration
	// Early is how much too early one timer event in eight comes.
	Early time.Duration
	// Grain, if not zero, lets timer events come only at multiples of it, and
	// those that come together in any order, as a coarse timer wheel does.
	Grain time.Duration
	// OnNotify, if set, is told what the owner of the node is told. It may
	// call the node only by way of World.After.
	OnNotify func(swim.Notification[ID])
	// Handler, if set before Start, makes the node's handler of payloads.
	Handler func() swim.BroadcastHandler[ID]
	// Traffic counts what the node sent since the world began.
	Traffic Traffic

	world  *World
	number uint32
	core   *Core  // nil before the first start
	epoch  uint32 // which process it is
	lives  uint32 // the latest life that it ever had
	dice   *dice
	clock  clock
	diary  diary

	running bool
	stopped int          // how many pauses are under way
	busy    swim.Instant // until when it does nothing else
	waiting []happening  // what happened to it meanwhile
	waking  bool         // a happening will let it go on
	gate    blockade     // where it stands still if it is blocked
	file    keyFile      // on its disk
	sealer  *sealer      // of the process; nil if packets are not sealed

	// credulous makes it listen to members whom it holds down, as memberlist does,
	// which asks nobody who they are. A core does not (rule 79).
	credulous bool

	seen witness // what the oracle knows of the process

	twin  *Node // another place at the same address, if there ever was one
	first *Node // of a twin, the node whose address it has
}

// Traffic counts packets.
type Traffic struct {
	Packets, Bytes uint64
}

// A Boot says how a process starts.
type Boot struct {
	// Life is the generation to start with. If zero, one above the latest that
	// the node ever had, as a clock that goes right gives.
	Life uint32
	// Known is what it remembers of earlier.
	Known []swim.Update[ID]
	// Config replaces that of the profile, unless it is zero. It is that of the
	// core: nothing comes off its MaxPacket for what sealing adds.
	Config swim.Config
}

// Number returns the address of the node.
func (n *Node) Number() uint32 { return n.number }

// Core returns the core of the node's latest process, for reading; nil if there
// was none. What changes it goes through [Node.Do].
func (n *Node) Core() *Core { return n.core }

// Running reports whether a process runs, though it may be paused.
func (n *Node) Running() bool { return n.running }

// Start starts a process, after ending the one that runs. It panics if the
// configuration is not valid.
func (n *Node) Start(b Boot) {
	w := n.world
	n.Crash()
	life := b.Life
	if life == 0 {
		life = max(n.newest(), n.newest()+1) // there is none after the last
	}
	fresh := life > n.newest()
	n.lives = max(n.newest(), life)
	cfg := b.Config
	if cfg == (swim.Config{}) {
		cfg = w.profile.Wire.config(w.profile.Config, n.number)
	}
	var handler swim.BroadcastHandler[ID]
	if n.Handler != nil {
		handler = n.Handler()
	}
	seedA, seedB := label(w.seed, "core", uint64(n.number), uint64(n.epoch))
	core, err := swim.NewWithHandler(ID{n.number, life}, cfg, swim.Codec[ID](&w.codec), rand.New(rand.NewPCG(seedA, seedB)), handler)
	if err != nil {
		panic(err)
	}
	n.core, n.running, n.stopped, n.busy = core, true, 0, w.now
	n.clock = clock{base: w.now, local: swim.Instant(1 + n.dice.below(1_000_000_000)), ppm: n.clock.ppm}
	if n.sealer = nil; w.sealed() {
		n.sealer = newSealer(n, core.Self().ID, 0)
		n.sealer.fresh = fresh
	}
	w.note(n, EventStart, life)
	n.diary.begin(w.Trace != nil)
	w.oracle.began(n)
	w.chronicle.began(n)
	if len(b.Known) > 0 {
		n.Apply(b.Known, false)
	}
	seeds := n.nameSeeds()
	if core.Config().AnnounceDown.Every != swim.Off {
		return
	}
	for _, seed := range seeds { // nothing contacts them but the owner
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Announce(seed, rt) })
	}
}

// nameSeeds tells the core of the node its seeds, and returns them.
func (n *Node) nameSeeds() (seeds []ID) {
	for _, s := range n.Seeds {
		if s != n.number {
			seeds = append(seeds, ID{Node: s})
		}
	}
	n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetSeeds(seeds, rt) })
	return seeds
}

// life returns the generation of the latest process.
func (n *Node) life() uint32 {
	if n.core == nil {
		return 0
	}
	return n.core.Self().ID.Life
}

// newest returns the latest generation that the node ever had.
func (n *Node) newest() uint32 {
	newest := max(n.lives, n.life())
	if t := n.twin; t != nil {
		newest = max(newest, t.lives, t.life())
	}
	return newest
}

// Crash ends the process without a word.
func (n *Node) Crash() {
	if !n.running {
		return
	}
	n.running = false
	n.epoch++
	for _, h := range n.waiting {
		if h.kind == arrival {
			n.world.done(h.data)
		}
	}
	n.waiting = nil
	n.waking = false
	n.gate.lift(n.world)
	n.world.note(n, EventCrash, 0)
	n.world.oracle.ended(n)
	n.world.chronicle.ended(n)
}

// Pause stops the process while its clock goes on, as a garbage collector, a
// debugger or a hypervisor does. Packets wait in the socket. Pauses add up.
func (n *Node) Pause() { n.stop(false) }

// Freeze stops the process and its clock, as suspending a machine does.
func (n *Node) Freeze() { n.stop(true) }

func (n *Node) stop(clockToo bool) {
	n.stopped++
	if clockToo {
		n.clock.set(n.world.now, n.clock.ppm, true)
	}
	n.world.note(n, EventPause, 0)
}

// Resume ends a pause or a freeze. When the last has ended the process finds
// what waited.
func (n *Node) Resume() {
	if n.stopped == 0 {
		return
	}
	n.stopped--
	if n.stopped > 0 {
		return
	}
	n.clock.set(n.world.now, n.clock.ppm, false)
	n.world.note(n, EventResume, 0)
	late := n.sealer != nil && n.sealer.behind
	if late && n.dice.below(2) == 0 { // before it reads what came meanwhile, or after
		n.reload()
	}
	n.catchUp()
	if late && n.running {
		n.reload()
	}
}

// SetClockRate makes the clock of the node fast, or slow, by some parts in a
// million.
func (n *Node) SetClockRate(ppm int) {
	n.clock.set(n.world.now, int64(max(-million/2, min(ppm, million))), n.clock.stopped)
}

// StepClock makes the monotonic clock of the node jump, which it never should.
func (n *Node) StepClock(d time.Duration) { n.clock.step(n.world.now, d) }

// Do calls an input of the core, whether or not the process is paused, and
// carries out what it asks for. It does nothing if no process runs.
func (n *Node) Do(do func(c *Core, rt swim.Runtime[ID]) error) error {
	if !n.running {
		return nil
	}
	return n.call(input{kind: inputOwner}, do)
}

// Meddle hands the core to somebody who overwrites it, which is no input: it
// reads no time.
func (n *Node) Meddle(with func(c *Core)) {
	if n.running {
		n.call(input{kind: inputOwner, timeless: true}, func(c *Core, _ swim.Runtime[ID]) error { with(c); return nil })
	}
}

// call has the core do what its owner wants.
func (n *Node) call(in input, do func(c *Core, rt swim.Runtime[ID]) error) error {
	if w := n.world; w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventOwner, Cause: w.step})
	}
	n.enter(in)
	err := do(n.core, (*effects)(n))
	n.exit(err)
	return err
}

// Apply hands the core records that come from elsewhere: saved earlier, or told
// by other means. The oracle takes them for true.
func (n *Node) Apply(known []swim.Update[ID], tell bool) error {
	for i := range known {
		n.world.oracle.admit(&known[i])
	}
	return n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Apply(slices.Values(known), tell, rt) })
}

// occupied reports whether the process can not do anything now.
func (n *Node) occupied() bool { return n.stopped > 0 || n.busy > n.world.now || len(n.waiting) > 0 }

// arrive hands a packet to whoever is at the node.
func (n *Node) arrive(h *happening) {
	w := n.world
	switch {
	case !n.running:
		w.lose(h.flight(), "nobody")
	case h.cluster != n.Cluster && n.sealer == nil:
		w.lose(h.flight(), "other-cluster")
	case n.gate.depth > 0:
		n.queueUp(h)
		return
	case n.occupied():
		n.wait(h)
		return
	default:
		n.receive(h)
	}
	w.done(h.data)
}

// wait keeps what happens to a process that is busy.
func (n *Node) wait(h *happening) {
	w := n.world
	if h.kind == arrival {
		packets := 0
		for i := range n.waiting {
			if n.waiting[i].kind == arrival {
				packets++
			}
		}
		if packets >= w.room() {
			w.lose(h.flight(), "socket")
			w.done(h.data)
			return
		}
	}
	h.epoch = n.epoch
	n.waiting = append(n.waiting, *h)
	n.wakeLater()
}

// wakeLater lets the process go on when it is no longer busy.
func (n *Node) wakeLater() {
	if n.waking || n.stopped > 0 || len(n.waiting) == 0 {
		return
	}
	n.waking = true
	n.world.queue.add(happening{at: max(n.busy, n.world.now), cause: n.world.step, kind: waking, node: n, epoch: n.epoch}, rankPlan)
}

// catchUp does what waited, until there is nothing or the process is busy.
// Timer events keep their order and packets theirs, but which of both comes
// next is open, as it is in a program that selects among them.
func (n *Node) catchUp() {
	n.waking = false
	for len(n.waiting) > 0 && n.running && n.stopped == 0 && n.busy <= n.world.now {
		at := 0
		if n.dice.below(2) == 0 {
			first := n.waiting[0].kind
			if other := slices.IndexFunc(n.waiting, func(h happening) bool { return h.kind != first }); other > 0 {
				at = other
			}
		}
		h := n.waiting[at]
		n.waiting = slices.Delete(n.waiting, at, at+1)
		switch h.kind {
		case arrival:
			n.receive(&h)
			n.world.done(h.data)
		case timing:
			n.tick(&h)
		}
	}
	n.wakeLater()
}

// receive feeds a packet to the core.
func (n *Node) receive(h *happening) {
	w := n.world
	w.fold(uint64(h.from.number), uint64(len(h.data)))
	data := h.data
	if n.sealer != nil {
		if data = n.unseal(h); data == nil {
			return
		}
	}
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventReceive, Peer: h.from.number, Data: data, Cause: h.cause})
	}
	n.hand(data, h.edges)
}

// hand feeds bytes to the core.
func (n *Node) hand(data []byte, edges uint8) error {
	n.enter(input{kind: inputPacket, edges: edges})
	n.world.oracle.received(n, data)
	err := n.core.HandleData(data, (*effects)(n))
	n.exit(err)
	if n.credulous && errors.Is(err, swim.DropDownSender) {
		n.credit(data)
	}
	return err
}

// credit believes what a packet says of others although its sender is held down,
// and answers if it was a ping.
func (n *Node) credit(data []byte) {
	var p swim.Packet[ID]
	if n.world.codec.Codec.Parse(data, &p) != nil {
		return
	}
	n.Apply(p.Updates, true)
	h, self := &p.Header, n.core.Self()
	answer := swim.Header[ID]{Src: self.ID, SrcIncarnation: self.Incarnation, Dst: h.Src, Number: h.Number}
	switch h.Message {
	case swim.MessagePing:
		answer.Message = swim.MessageAck
	case swim.MessageIndirectPing:
		answer.Message, answer.About = swim.MessageIndirectAck, h.About
	default:
		return
	}
	if packet, err := n.world.codec.Codec.Append(nil, 1400, &swim.Packet[ID]{Header: answer}); err == nil {
		(*effects)(n).SendTo(h.Src, packet)
	}
}

// due feeds a timer event to the core, if its process still runs and is not
// busy.
func (n *Node) due(h *happening) {
	switch {
	case h.epoch != n.epoch || !n.running:
	case n.occupied():
		n.wait(h)
	default:
		n.tick(h)
	}
}

// tick feeds a timer event to the core. If by the clock of the node it is not
// due, because that stood still, it waits on.
func (n *Node) tick(h *happening) {
	w := n.world
	if n.gate.stuck.has(threadOf(h.timer.Kind)) {
		n.gate.events = append(n.gate.events, *h)
		return
	}
	if local := n.clock.at(w.now); local < h.due && h.due.Sub(local) > n.Early {
		n.schedule(h.timer, h.due, h.cause, 0)
		return
	}
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventTimer, Timer: h.timer, Cause: h.cause})
	}
	w.fold(uint64(h.timer.Kind), uint64(h.timer.Token))
	if n.clock.at(w.now) > h.due {
		w.oracle.marks.hit(markLate)
	}
	n.gate.running = threadOf(h.timer.Kind)
	n.enter(input{kind: inputTimer, timer: h.timer.Kind})
	w.oracle.fired(n, h.timer)
	err := n.core.HandleTimer(h.timer, (*effects)(n))
	n.exit(err)
	n.gate.running = noThread
}

// schedule lets a timer event come at an instant of the node's clock.
func (n *Node) schedule(t swim.Timer[ID], due swim.Instant, cause uint64, shift time.Duration) {
	w := n.world
	at := max(w.now, n.clock.when(due, w.now).Add(shift))
	rank := rankTimer + uint8(t.Kind)
	if n.Grain > 0 {
		at = at.Add(n.Grain - 1 - time.Duration(at-1)%n.Grain)
		rank = rankTimer + uint8(n.dice.below(8))
	}
	w.queue.add(happening{at: at, cause: cause, kind: timing, node: n, epoch: n.epoch, timer: t, due: due}, rank)
}

// enter begins an input.
func (n *Node) enter(in input) {
	n.world.current = n
	n.world.oracle.entered(n, in)
}

// exit ends an input: the node is watched, and may be busy for a while.
func (n *Node) exit(err error) {
	w := n.world
	if n.Cost > 0 {
		n.busy = w.now.Add(n.Cost)
	}
	w.fold(uint64(w.now), uint64(n.number))
	if err != nil && w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventDrop, Text: err.Error(), Cause: w.step})
	}
	if w.Trace != nil {
		n.diary.compare(n)
	}
	w.oracle.stepped(n, err)
	w.current = nil
	if n.sealer != nil {
		n.goesBy(n.core.Self().ID)
	}
}

// effects is a node as its core sees it.
type effects Node

// Now implements [swim.Runtime].
func (r *effects) Now() swim.Instant { return r.clock.at(r.world.now) }

// SendTo implements [swim.Runtime].
func (r *effects) SendTo(to ID, packet []byte) {
	n, w := (*Node)(r), r.world
	if !w.unhashed {
		w.fold(uint64(to.Node)<<32|uint64(to.Life), digest(packet))
	}
	w.oracle.sent(n, to, packet)
	f := flight{from: n, cause: w.step, data: packet, edges: w.oracle.edges}
	if n.sealer != nil {
		n.seal(to, &f)
	}
	if n.gate.depth > 0 {
		n.hold(to, f)
		return
	}
	n.send(to, f)
}

// send lets a packet leave.
func (n *Node) send(to ID, f flight) {
	n.Traffic.Packets++
	n.Traffic.Bytes += uint64(len(f.data))
	n.world.send(to, f)
}

// SubmitAfter implements [swim.Runtime].
func (r *effects) SubmitAfter(event swim.Timer[ID], after time.Duration) {
	n := (*Node)(r)
	if g := n.seen.guard; g != nil {
		g.Submitted(event, after)
	}
	shift := time.Duration(0)
	if n.Lag > 0 {
		shift = n.dice.duration(0, n.Lag)
	}
	if n.Early > 0 && n.dice.below(8) == 0 {
		shift = -n.Early
	}
	n.schedule(event, n.clock.at(n.world.now).Add(after), n.world.step, shift)
}

// Notify implements [swim.Runtime].
func (r *effects) Notify(note swim.Notification[ID]) {
	n := (*Node)(r)
	w := n.world
	w.fold(uint64(note.Kind), uint64(note.Member.ID.Node)<<32|uint64(note.Member.ID.Life))
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventNotify, Note: note, Cause: w.step})
	}
	w.oracle.told(n, note)
	w.chronicle.told(n, &note)
	if n.OnNotify != nil {
		n.OnNotify(note)
	}
}
