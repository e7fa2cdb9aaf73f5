package sim

import (
	"errors"
	"fmt"

	"github.com/selkie-go/selkie/swim"
)

// A Violation is a promise that did not hold.
type Violation struct {
	Invariant string // its number: "S1", "L3"
	At        swim.Instant
	Step      uint64
	Node      uint32 // who broke it, or at whom it showed
	About     uint32 // of which member, if of one
	Text      string
}

// String returns the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("%v node %d: %s: %s", v.At, v.Node, v.Invariant, v.Text)
}

// maxViolations bounds how many a world keeps: the first ones say enough.
const maxViolations = 64

// An oracle sees the whole cluster, and knows what no node can: who really runs,
// and who ever said what. It holds the nodes to the promises that take such
// knowledge; what one core can be held to by itself is its guard's.
//
// Whatever it checks follows from what just happened: a packet that was written
// or read, a record that changed. So a step costs the same in every cluster.
type oracle struct {
	w     *World
	marks marks
	// trust is false once packets or memory were damaged, or somebody lied. Then
	// whatever anybody says is taken down as if it were true, and only what holds
	// among liars is checked: S13, S16, S21.
	trust bool

	lives     [][]*life // that the owners of the addresses had, in their order
	in        input     // under way
	edges     uint8     // of the packet that was written last
	samples   sampling
	finalDown bool // Rules.FinalDown was on somewhere
	asked     activity
}

// witness is what the oracle knows of one process.
type witness struct {
	life  *life
	id    ID
	state swim.State       // what it says of itself
	inc   swim.Incarnation // the same
	cfg   swim.Config
	now   swim.Instant // of the latest input, by its clock; never goes back

	guard    *guard
	heard    uint32 // the latest life of its address that it was told of
	probe    probing
	judged   probing // the probe before
	relays   []relayed
	warnings []warning
	renewal  renewing
}

// An input is what a core is handed, and what the oracle has seen of it so far.
type input struct {
	kind  inputKind
	timer swim.TimerKind
	edges uint8 // of the packet

	timeless bool // the core does not read its clock for it

	read    bool // the packet was parsed
	refused bool // it was none
	header  swim.Header[ID]
	strange bool // it is for somebody else
	acks    bool // it answers the running probe

	defence      // what it says of the receiver
	became  bool // the identity changed meanwhile
	// returned is whether an announce is from one of the lost, who takes part
	// from now on.
	returned bool
	packets  int       // written so far
	answers  int       // of those, caused by the packet
	told     int       // notifications
	passed   int       // of packets, those of the probes of others
	hash     uint64    // of the core before
	hashed   bool      // hash is known
	unheard  []unheard // records whose origin is not known yet
}

// An inputKind says what an input is.
type inputKind uint8

const (
	inputOwner inputKind = iota
	inputPacket
	inputTimer
)

func newOracle(w *World) *oracle { return &oracle{w: w, trust: true} }

// distrust suspends the promises that hold only among honest members.
func (o *oracle) distrust(why string) {
	if o.trust {
		o.marks.hit(markDistrust)
	}
	o.trust = false
}

// trustAgain puts them into force again, some time after the last damage: by
// then the members must have healed (L10). What they hold now is taken for true,
// as what they said meanwhile was.
func (o *oracle) trustAgain() {
	if o.trust || !o.w.Watch {
		return
	}
	for _, n := range o.w.nodes {
		if !n.running {
			continue
		}
		for u := range n.core.State() {
			o.admit(&u)
		}
		// A liar may have said for others that they left.
		n.seen.life.left = n.core.Self().State == swim.Left
		o.guarded(n)
	}
	for _, n := range o.w.nodes {
		if n.running { // whatever it said of itself meanwhile
			n.seen.life.left = n.core.Self().State == swim.Left
		}
	}
	o.trust = true
	o.marks.hit(markTrustAgain)
}

// broken notes a violation.
func (o *oracle) broken(invariant string, n *Node, about uint32, format string, args ...any) {
	w := o.w
	if w.halted { // an end too early is nobody's fault
		return
	}
	if len(w.Violations) >= maxViolations {
		return
	}
	v := Violation{Invariant: invariant, At: w.now, Step: w.step, Node: n.number, About: about, Text: fmt.Sprintf(format, args...)}
	w.Violations = append(w.Violations, v)
	w.halted = w.Halt != nil && w.Halt(v)
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: EventBroken, Text: v.String(), Cause: w.step})
	}
}

// began notes that a process started.
func (o *oracle) began(n *Node) {
	if !o.w.Watch {
		return
	}
	self := n.core.Self()
	n.seen = witness{id: self.ID, cfg: n.core.Config(), relays: n.seen.relays[:0], warnings: n.seen.warnings[:0]}
	n.seen.life = o.born(self.ID)
	o.finalDown = o.finalDown || n.seen.cfg.Rules.FinalDown
	o.guarded(n)
}

// ended notes that a process ended.
func (o *oracle) ended(n *Node) {
	if o.w.Watch {
		o.marks.sum(n.core.Stats())
	}
}

// entered notes that an input begins.
func (o *oracle) entered(n *Node, in input) {
	in.unheard = o.in.unheard[:0]
	o.in = in
	o.in.inc, o.in.highest = n.seen.inc, o.w.codec.Limits().Incarnation
	if !in.timeless {
		n.seen.now = max(n.seen.now, n.clock.at(o.w.now))
	}
}

// wrote is shown every packet that a node encodes.
func (o *oracle) wrote(n *Node, p *swim.Packet[ID]) {
	h := &p.Header
	o.in.packets++
	o.spoke(n, h)
	o.checkChain(n, h)
	switch h.Message {
	case swim.MessagePing:
		o.pinged(n, h)
	case swim.MessageAck, swim.MessageIndirectAck:
		o.checkAcking(n, h)
	case swim.MessageIndirectPing, swim.MessageForwardedAck, swim.MessageNack:
		o.checkRelay(n, h)
	}
	if o.in.strange {
		o.checkExplanation(n, p)
	}
	o.checkPacket(n, p)
	o.markWritten(p)
}

// read is shown every packet that a node has parsed, before it counts.
func (o *oracle) read(n *Node, p *swim.Packet[ID]) {
	h := &p.Header
	o.in.read, o.in.header = true, *h
	if h.Dst != n.seen.id && (h.Message != swim.MessageAnnounce || h.Dst.Node != n.seen.id.Node) {
		o.in.strange = true
		o.sampleHash(n)
		return
	}
	switch h.Message {
	case swim.MessageAck, swim.MessageForwardedAck:
		o.heardAck(n, h)
	case swim.MessageIndirectAck:
		n.seen.settleRelay(h)
	case swim.MessageTurnUndead:
		o.in.doomed(h)
	case swim.MessageAnnounce:
		was, known := n.core.Member(h.Src.Node)
		o.in.returned = known && was.State == swim.Down
	}
	for i := range p.Updates {
		if u := &p.Updates[i]; u.ID.Node == n.seen.id.Node {
			o.in.accused(&n.seen, u)
		}
	}
}

// unreadable is told that a node was handed what is no packet.
func (o *oracle) unreadable(n *Node) {
	o.in.refused = true
	o.sampleHash(n)
}

// told is shown what the owner of a node is told.
func (o *oracle) told(n *Node, note swim.Notification[ID]) {
	if !o.w.Watch {
		return
	}
	if n.seen.guard != nil {
		n.seen.guard.Told(note)
	}
	if note.Kind != swim.NotifySent && note.Kind != swim.NotifyReceived {
		o.in.told++
	}
	switch note.Kind {
	case swim.NotifyRejoin:
		o.checkRenewal(n, note)
	case swim.NotifyConflict:
		n.seen.renewal.reported = true
	}
	o.markTold(&note)
}

// stepped is called after every input of a node.
func (o *oracle) stepped(n *Node, err error) {
	if !o.w.Watch {
		return
	}
	self := n.core.Self()
	if self.ID != n.seen.id {
		o.became(n, self.ID)
	}
	heard := o.in.kind == inputPacket && o.in.said && listened(err)
	if o.in.became {
		o.checkAbove(n, heard)
	}
	if heard && self.State == swim.Alive { // who left or is down listens to nothing about itself
		n.seen.heard = max(n.seen.heard, o.in.newest)
	}
	o.checkIncarnation(n, self.Incarnation, self.Metadata)
	o.checkState(n, self.State)
	o.checkGuard(n)
	if o.in.acks && listened(err) && err != swim.DropStaleAck && !o.in.became {
		o.checkAcked(n)
	}
	switch in := &o.in; {
	case in.refused || in.strange:
		o.checkIgnored(n, err)
	case heard:
		o.checkDefence(n)
	case in.kind == inputOwner:
		o.checkConfig(n, err)
	}
	if len(o.in.unheard) > 0 {
		o.checkUnheard(n)
	}
	n.seen.state = self.State
}

// listened reports whether all of a packet counted but what it asks for.
func listened(err error) bool {
	if err == nil {
		return true
	}
	var drop swim.Drop // which takes memory
	if !errors.As(err, &drop) {
		return true
	}
	switch drop {
	case swim.DropMalformed, swim.DropTooBig, swim.DropEcho, swim.DropMisaddressed, swim.DropSelfRelay,
		swim.DropUnasked, swim.DropStaleUndead, swim.DropDownSender, swim.DropFull, swim.DropNewRate:
		return false
	}
	return true
}
