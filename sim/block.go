package sim

import "github.com/selkie-go/selkie/swim"

// A blockade is how a process stands still at its sockets while all else in it
// goes on. It is the anomaly of the Lifeguard paper (section V): agents block
// immediately before every send and after every receive.
//
// A core has one input at a time, but the programs of which it is a model have
// goroutines, and each of them stands still at the next packet of its own. This
// is what happens in memberlist, which the paper measured:
//
//   - The goroutine that probes starts its time-outs, then blocks at the ping.
//     They run out meanwhile. Unblocked it sends the ping, finds the time-out in
//     its channel, asks others, finds it again, and suspects its target at once;
//     a tick of its ticker waits, so the next probe starts at once too. One that
//     blocks after the ping has left blocks at asking others. So there is one
//     false suspicion for each blockade of more than a period, however long.
//   - The goroutine that gossips has made up its packet and blocks at sending it.
//     One tick waits.
//   - Timers of suspicions call functions that send nothing themselves: they run
//     out on time, and members that refuted long ago are declared dead, because
//     the refutation lies unread in the socket.
//   - The goroutine that reads has one packet in its hands; the others wait in
//     the socket, whose buffer of 2 MB holds thousands.
//
// So packets that the core sends are kept; a task whose event made one is stuck,
// and further events of its thread wait; all other events come on time; what
// arrives waits in the socket, as much as World.Backlog says. When it is over
// the kept packets leave first, because whoever sends them has nothing else to do
// before. Then come the events that waited, and last what lies in the socket:
// time-outs that ran out have ended their probes by then, and no ack that is read
// afterwards counts for them.
type blockade struct {
	depth   int         // how many are under way
	packets []kept      // that wait to leave
	events  []happening // of threads that are stuck
	socket  []happening // what arrived
	running thread      // whose event is under way
	stuck   threads
}

// kept is a packet that waits to leave.
type kept struct {
	to ID
	flight
}

// A thread is what the tasks that wait for each other have in common.
type thread uint8

const (
	noThread thread = iota // each event has one of its own, so nothing waits for it
	probes
	gossips
	announces
	contacts
)

// threads is a set of them.
type threads uint8

func (t threads) has(one thread) bool { return t&(1<<one) != 0 && one != noThread }

// threadOf returns the thread of a timer event. Those of suspicions are in none:
// they only change what is known. Nor are nacks, of which each has a goroutine of
// its own in memberlist.
func threadOf(k swim.TimerKind) thread {
	switch k {
	case swim.TimerIndirect, swim.TimerProbe:
		return probes
	case swim.TimerGossip:
		return gossips
	case swim.TimerAnnounce:
		return announces
	case swim.TimerAnnounceDown:
		return contacts
	default:
		return noThread
	}
}

// Block lets the process stand still wherever it sends or receives, while its
// timers go on. Blockades add up.
func (n *Node) Block() {
	g := &n.gate
	if g.depth++; g.depth > 1 {
		return
	}
	n.world.note(n, EventPause, 0)
	rest := n.waiting[:0]
	for i := range n.waiting { // what a busy process has not read yet
		if n.waiting[i].kind == arrival {
			g.socket = append(g.socket, n.waiting[i])
		} else {
			rest = append(rest, n.waiting[i])
		}
	}
	n.waiting = rest
}

// Unblock ends a blockade. When the last has ended what waited happens, see
// [Node.Block].
func (n *Node) Unblock() {
	g := &n.gate
	if g.depth == 0 {
		return
	}
	if g.depth--; g.depth > 0 {
		return
	}
	n.world.note(n, EventResume, 0)
	for _, k := range g.packets {
		n.send(k.to, k.flight)
		n.world.done(k.data)
	}
	g.packets, g.stuck = g.packets[:0], 0
	for _, waited := range []*[]happening{&g.events, &g.socket} {
		for i := range *waited {
			n.goOn(&(*waited)[i])
		}
		*waited = (*waited)[:0]
	}
	n.wakeLater()
}

// goOn does what waited for the end of a blockade, or lets it wait on because
// the process has something else to do.
func (n *Node) goOn(h *happening) {
	switch {
	case n.occupied():
		h.epoch = n.epoch
		n.waiting = append(n.waiting, *h)
	case h.kind == timing:
		n.tick(h)
	default:
		n.receive(h)
		n.world.done(h.data)
	}
}

// hold keeps a packet until the blockade is over. Whoever sent it waits for that.
func (n *Node) hold(to ID, f flight) {
	g := &n.gate
	f.data = n.world.copyOf(f.data)
	g.packets = append(g.packets, kept{to, f})
	g.stuck |= 1 << g.running
}

// queueUp lets what arrives wait in the socket.
func (n *Node) queueUp(h *happening) {
	if len(n.gate.socket) >= n.world.room() {
		n.world.lose(h.flight(), "socket")
		n.world.done(h.data)
		return
	}
	n.gate.socket = append(n.gate.socket, *h)
}

// lift forgets a blockade, and all that waits for its end.
func (b *blockade) lift(w *World) {
	for _, k := range b.packets {
		w.done(k.data)
	}
	for i := range b.socket {
		w.done(b.socket[i].data)
	}
	*b = blockade{}
}
