package swim

import (
	"errors"
	"fmt"
	"time"
)

// A Guard watches one core, after every input, for whatever must never be:
// that what the core knows only ever gets later, that what it sends is
// allowed, that what it tells its owner adds up, that nobody is declared down
// without the time to refute. It looks inside the core, and keeps its own
// account of it: a [Violation] names an invariant that the core broke.
//
// Around every input of the core it is told what there is to know:
//
//	g.Received(packet) // or g.Fired(event), before HandleData or HandleTimer
//	core.HandleData(packet, g.Watch(rt))
//	err := g.Check()
//
// Inputs of the owner need no word before. A Check costs a fraction of the
// input: it compares the records that the core says it touched with what they
// were, and of the others a few each time, so that one that was changed
// without a word is found within a round. [Guard.CheckAll] looks at everything.
//
// A Guard is for tests and simulation. Like its core it is not safe for
// concurrent use, and a core has one Guard at a time.
type Guard[ID Identity[ID, Addr], Addr comparable] struct {
	core    *Core[ID, Addr]
	journal journal
	wrong   []error // since the last Check

	shadows []shadow[ID] // by slot: each record as it was after the last input
	tally   [numTallies]int
	up      map[Addr]ID // who takes part, by what the owner was told
	changes []Change[ID]
	names   []ID // where the accusers in changes lie

	us    ourselves[ID, Addr]
	doubt int     // of the core about itself
	heard Instant // when a packet came from somebody whom the core listens to, or it connected
	probe probeWitness[ID]
	rules Rules
	now   Instant
	most  Config // the loosest limits of all configurations so far
	peak  int    // the most members that were ever known
	stats witnessed

	input  inputWitness[ID]
	events int  // submitted, and not handed back
	timed  bool // the driver tells of submissions
	turn   int  // of the rolling checks

	pkt Packet[ID]
	buf []byte
}

// NewGuard returns a guard of a core, in whatever state the core is: what it
// holds now is taken for good. A guard that watched the core before no longer
// does.
func NewGuard[ID Identity[ID, Addr], Addr comparable](core *Core[ID, Addr]) *Guard[ID, Addr] {
	g := &Guard[ID, Addr]{core: core, up: make(map[Addr]ID), most: core.cfg, now: core.now, us: core.us, heard: core.pause.heard}
	core.journal = &g.journal
	for slot, r := range core.roster.each {
		if r.flags&inActive != 0 {
			g.up[r.id.Addr()] = r.id
		}
		s := g.shadow(slot)
		g.see(s, slot, r)
		if r.doubt != 0 {
			d := core.doubts.at(r.doubt)
			s.patience = d.patience
		}
		g.tally[tallyOf(r)]++
	}
	g.begin()
	return g
}

// A Violation is an invariant that a core broke.
type Violation struct {
	Invariant string // its name, such as "S1"
	What      string // who did what, in words
}

// Error returns "invariant: what".
func (v *Violation) Error() string { return v.Invariant + ": " + v.What }

// maxViolations bounds how many are kept between two calls of Check: the
// first ones say enough.
const maxViolations = 32

// violated notes that an invariant does not hold.
func (g *Guard[ID, Addr]) violated(invariant, format string, args ...any) {
	if len(g.wrong) < maxViolations {
		g.wrong = append(g.wrong, &Violation{invariant, fmt.Sprintf(format, args...)})
	}
}

// Check returns what the core broke by the last input: nil, or an error that
// joins one [Violation] after the other, which errors.As finds. Call it after
// every input.
func (g *Guard[ID, Addr]) Check() error {
	g.checkLastInput()
	g.sweepSome()
	g.bound(g.turn % numBounds)
	g.checkTasks(g.turn%16 == 0)
	g.begin()
	return g.verdict()
}

// CheckAll is Check, and looks at every record, order, queue and bound. It
// costs as much as the core holds.
func (g *Guard[ID, Addr]) CheckAll() error {
	g.checkLastInput()
	g.sweepAll()
	for i := range numBounds {
		g.bound(i)
	}
	g.checkTasks(true)
	g.begin()
	return g.verdict()
}

// checkLastInput checks what can only be seen right after an input.
func (g *Guard[ID, Addr]) checkLastInput() {
	c := g.core
	g.changes, g.names = g.changes[:0], g.names[:0]
	if c.now < g.now {
		g.violated("S18", "time went back from %v to %v", g.now, c.now)
	}
	g.most.Period = max(g.most.Period, c.cfg.Period)
	g.checkEvent()
	g.checkDoubtsAnew()
	if len(g.journal.touched)+len(g.journal.forgotten) > 0 {
		g.compareTouched()
	}
	g.checkPacket()
	g.checkHealth()
	g.checkSelf()
	g.checkCounts()
}

// begin takes down what is needed to judge the next input.
func (g *Guard[ID, Addr]) begin() {
	c := g.core
	g.turn++
	g.journal.clear()
	if c.us.phase == connected && g.us.phase != connected {
		g.heard = c.now
	}
	g.us, g.now, g.rules, g.doubt = c.us, c.now, c.cfg.Rules, c.health.doubt
	g.probe = probeWitness[ID]{target: c.probe.target, number: c.probe.number, sent: c.probe.sent, running: c.probe.running, acked: c.probe.acked}
	g.stats = witnessed{evicted: c.stats.Evicted, pauses: c.stats.Pauses, queued: c.backlog.len()}
	g.peak = max(g.peak, c.roster.len())
	active := len(g.up)
	g.input = inputWitness[ID]{fewest: active, most: active}
}

// verdict returns the violations since the last one.
func (g *Guard[ID, Addr]) verdict() error {
	if len(g.wrong) == 0 {
		return nil
	}
	err := errors.Join(g.wrong...)
	g.wrong = g.wrong[:0]
	return err
}

// Changes returns what the last input changed in the roster, for those who
// know the whole cluster and can say whether it is true. It is valid until the
// next Check. Our own record is not in it, see [Core.Self].
func (g *Guard[ID, Addr]) Changes() []Change[ID] { return g.changes }

// A Change is what one input changed about one member. Of a member that was
// forgotten and met again by one input there are two.
type Change[ID any] struct {
	Before, After       Update[ID] // as told to others; who accuses is valid until the next Check
	Knew, Knows         bool       // whether there was, and is, a record
	LoneBefore, LoneNow bool       // down for the owner alone
}

// witnessed are counters as they were before an input.
type witnessed struct {
	evicted, pauses uint64
	queued          int // updates to tell
}

// A probeWitness is the probe before an input.
type probeWitness[ID any] struct {
	target  ID
	number  uint32
	sent    Instant
	running bool
	acked   bool
}

// Watch returns a runtime that tells the guard what passes through it, and
// hands it on to rt.
func (g *Guard[ID, Addr]) Watch(rt Runtime[ID]) Runtime[ID] { return &watched[ID, Addr]{g, rt} }

// A watched is a Runtime between a core and its own.
type watched[ID Identity[ID, Addr], Addr comparable] struct {
	guard *Guard[ID, Addr]
	rt    Runtime[ID]
}

func (w *watched[ID, Addr]) Now() Instant { return w.rt.Now() }

func (w *watched[ID, Addr]) SendTo(to ID, packet []byte) {
	w.guard.Sent(to, packet)
	w.rt.SendTo(to, packet)
}

func (w *watched[ID, Addr]) SubmitAfter(event Timer[ID], after time.Duration) {
	w.guard.Submitted(event, after)
	w.rt.SubmitAfter(event, after)
}

func (w *watched[ID, Addr]) Notify(n Notification[ID]) {
	w.guard.Told(n)
	w.rt.Notify(n)
}
