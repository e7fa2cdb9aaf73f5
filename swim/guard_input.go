package swim

import "time"

// An inputWitness is what is known of the input under way.
type inputWitness[ID any] struct {
	packet   bool // it is a packet
	read     bool // which was not too long to be read
	size     int  // of this many bytes
	received [numMessages]uint64

	event       Timer[ID] // the event that fired
	fired       bool
	outstanding bool    // it is one that is waited for
	armed       bool    // and its task has something to do
	at          Instant // when it was due

	packets, notes, submissions int
	resubmitted                 bool   // the event, for when it is due
	fewest, most                int    // active members meanwhile
	turn                        uint32 // of the audit, before
	goodbyes                    int    // members of whom the owner was told that they left
}

// Received says that the next input is HandleData with this packet.
func (g *Guard[ID, Addr]) Received(packet []byte) {
	in := &g.input
	in.packet, in.size = true, len(packet)
	in.read = len(packet) <= g.core.cfg.MaxReceive
	in.received = g.core.stats.Received
}

// Fired says that the next input is HandleTimer with this event.
func (g *Guard[ID, Addr]) Fired(event Timer[ID]) {
	c, in := g.core, &g.input
	in.fired, in.event, in.turn = true, event, c.audit.turn
	g.events = max(0, g.events-1)
	switch {
	case event.Kind == TimerSuspicion:
		slot, known := c.roster.find(event.ID.Addr())
		if !known || c.roster.at(slot).doubt == 0 {
			return
		}
		d := c.doubts.at(c.roster.at(slot).doubt)
		in.outstanding, in.armed, in.at = d.armed && d.token == event.Token, true, d.due
	case event.Kind < numTimerKinds:
		t := &c.tasks[event.Kind]
		in.outstanding, in.armed, in.at = t.outstanding && t.token == event.Token, t.armed, t.at
	}
}

// Submitted hands over an event that the core submitted. Call it from the
// Runtime's SubmitAfter; a driver that does so must do so always, and call
// Fired for each event that it hands back.
func (g *Guard[ID, Addr]) Submitted(event Timer[ID], after time.Duration) {
	in := &g.input
	g.timed = true
	if in.fired || in.packet { // how often an owner changes settings is up to them
		g.events++
	}
	in.submissions++
	if in.fired && event == in.event && g.core.now.Add(after) == in.at {
		in.resubmitted = true
	}
	if after == 0 && event.Kind < numTimerKinds && g.core.tasks[event.Kind].token == event.Token {
		in.submissions-- // it is due, and may have got lost (rule 111)
	}
	if in.fired && in.event.Kind == TimerSuspicion && event.Kind == TimerSuspicion && event.ID == in.event.ID {
		in.submissions-- // the suspicion is looked at, and waits for an event from now on
	}
}

// eventsPerMember and eventsBesides bound the events that are outstanding: for
// each member that was ever known at one time two suspicions, of which one is
// out of date, an event that each confirmation replaced, and a tombstone's and a
// returned one's share of the others.
const (
	eventsPerMember = 4 + MaxAccusers - 1
	eventsBesides   = 64
)

// checkEvent: an event that nobody waits for does nothing, an early one is
// only submitted again, and a late one shortens nothing.
func (g *Guard[ID, Addr]) checkEvent() {
	c, in := g.core, &g.input
	// A count of members that was damaged is no reason for more events, or fewer.
	if most := eventsPerMember*min(max(g.peak, c.roster.len()), int(c.roster.slots)) + eventsBesides; g.events > most {
		g.violated("S16", "%d events are outstanding, at most %d", g.events, most)
	}
	if !in.fired {
		g.checkPause(0)
		return
	}
	audited := c.audit.turn != in.turn // an audit came with it, and may do anything
	did := len(g.journal.touched) + len(g.journal.forgotten) + in.packets + in.notes
	late := c.now.Sub(in.at)
	switch {
	case !in.outstanding || late >= 0 && !in.armed:
		if did+in.submissions > 0 && !audited {
			g.violated("S17", "the stale event %v caused %d records, %d packets, %d notifications and %d events", in.event,
				len(g.journal.touched)+len(g.journal.forgotten), in.packets, in.notes, in.submissions)
		}
		late = 0
	case late < 0:
		if (did > 0 || g.timed && !in.resubmitted) && !audited {
			g.violated("S18", "%v came %v early, was submitted again: %v, and caused %d packets and %d notifications",
				in.event, -late, in.resubmitted, in.packets, in.notes)
		}
		late = 0
	case in.event.Kind == TimerForget:
		late = 0
	}
	g.checkPause(late)
}

// checkPause moves the time that suspects have by the length of a pause, as
// the core has to: the members that were not heard may not have been silent.
func (g *Guard[ID, Addr]) checkPause(late time.Duration) {
	c := g.core
	stood := c.cfg.StallLimit != Off && late > c.cfg.StallLimit
	if stood != (c.stats.Pauses != g.stats.pauses) {
		g.violated("S18", "an event came %v late, and a pause was counted: %v", late, !stood)
	}
	if !stood {
		return
	}
	g.heard = g.heard.Add(min(late, c.now.Sub(g.heard)))
	for slot := range g.shadows {
		s := &g.shadows[slot]
		s.since = s.since.Add(min(late, c.now.Sub(s.since)))
	}
}

// checkDoubtsAnew gives suspects their time anew where the core does: after
// deadlines meant nothing, or nobody was judged.
func (g *Guard[ID, Addr]) checkDoubtsAnew() {
	c := g.core
	if g.input.packet || g.input.fired {
		return
	}
	if g.rules.AccuserDeadline && !c.cfg.Rules.AccuserDeadline || g.us.id != c.us.id && !g.us.present() {
		for slot := range g.shadows {
			g.shadows[slot].since = c.now
		}
	}
}
