package selkie

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// publish folds what the core notified into the view, and tells watchers.
func (n *Node) publish() {
	now := time.Now()
	n.keepVersion()
	current := n.events.view()
	self, audit := n.self(now), n.untilAudit() <= 0
	if len(n.out.Notifications) == 0 && len(n.heard) == 0 && current.self.same(self) && !audit {
		return
	}
	n.changed = true
	d := current.edit()
	if before := current.self.ID; before != self.ID {
		n.lives = append(n.lives[max(0, len(n.lives)-maxLives+1):], before.Generation())
		if before.Addr() != self.ID.Addr() {
			d.remove(before.Addr())
		}
	}
	d.set(self)
	n.happened = n.happened[:0]
	for _, note := range n.out.Notifications {
		n.happened = append(n.happened, n.fold(d, note, now))
	}
	if audit {
		n.audit(d, now)
	}
	n.happened = n.foldHeard(d, now, n.happened)
	n.events.publish(d.done(), n.happened)
	if clear(n.happened); cap(n.happened) > 16 {
		n.happened = nil // a burst is rare, and the memory for one is not small
	}
}

// maxLives is of how many earlier generations packets are still let in at once.
const maxLives = 16

// keepVersion follows the core, which raises the version of our description if
// somebody knows a higher one (rule 24).
func (n *Node) keepVersion() {
	if version := n.core.Self().Metadata; version > 0 && (n.described == nil || n.described.version < version) {
		n.described = n.described.edit()
		n.described.version = version
	}
}

// foldHeard applies the descriptions that reached us.
func (n *Node) foldHeard(d *draft, now time.Time, events []Event) []Event {
	for _, h := range n.heard {
		known, ok := n.core.Member(h.id.Addr())
		if !ok || known.ID != h.id || !known.Active() {
			continue
		}
		// Nobody is believed about a version that its owner did not announce: it
		// would be in the way of all that the owner says later.
		if h.described.version > known.Metadata {
			h.described = h.described.edit()
			h.described.version = known.Metadata
		}
		if !d.describe(h.id, h.described) {
			continue
		}
		m, _ := d.find(h.id.Addr())
		n.seek(d, known) // perhaps a newer one is wanted already
		e := Event{Time: now, Kind: EventUpdated, Member: m}
		n.report(e)
		events = append(events, e)
	}
	clear(n.heard)
	clear(n.pushed)
	n.heard = n.heard[:0]
	return events
}

// fold applies one notification to the draft and returns the event that it is.
func (n *Node) fold(d *draft, note swim.Notification[swim.ID], now time.Time) Event {
	e := Event{Time: now, Kind: kindOf(note), Old: note.Old}
	switch note.Kind {
	case swim.NotifyUp, swim.NotifyDown, swim.NotifyRename, swim.NotifySuspect, swim.NotifyUpdated:
		e.Member = member(note.Member, now)
		if note.Member.ID.Addr() != d.self.ID.Addr() { // else it had the address that we took
			d.set(e.Member)
			e.Member, _ = d.find(note.Member.ID.Addr())
			n.seek(d, note.Member)
		}
		if note.Kind == swim.NotifyDown || note.Kind == swim.NotifySuspect {
			e.Cause = n.cause(note, now)
		}
	default:
		e.Member = d.self
		n.own(note)
	}
	n.report(e)
	return e
}

// own takes note of what happened to ourselves.
func (n *Node) own(note swim.Notification[swim.ID]) {
	switch note.Kind {
	case swim.NotifyDefunct:
		n.defunct = true
		for _, said := range n.goodbyes {
			close(said)
		}
		n.goodbyes = nil
	case swim.NotifyRejoin:
		n.defunct = false
	case swim.NotifyActive:
		n.meetings, n.meetAt = maxMeetings, n.clock().Add(meetFirst)
	}
}

// eventKinds are the events that notifications become.
var eventKinds = map[swim.NotificationKind]EventKind{
	swim.NotifyUp:       EventUp,
	swim.NotifyDown:     EventDown,
	swim.NotifyRename:   EventRenamed,
	swim.NotifySuspect:  EventSuspect,
	swim.NotifyUpdated:  EventRefuted,
	swim.NotifyActive:   EventActive,
	swim.NotifyIdle:     EventIdle,
	swim.NotifyDefunct:  EventDefunct,
	swim.NotifyRejoin:   EventRejoined,
	swim.NotifyConflict: EventConflict,
}

func kindOf(note swim.Notification[swim.ID]) EventKind {
	if note.Kind == swim.NotifyDown && note.Member.State == Left {
		return EventLeft
	}
	return eventKinds[note.Kind]
}

func (n *Node) cause(note swim.Notification[swim.ID], now time.Time) *Cause {
	c := &Cause{
		State:     note.Member.State,
		Accuser:   note.Cause.Accuser,
		Confirmed: int(note.Cause.Confirmed),
		Gossiped:  note.Cause.Gossiped,
	}
	if note.Cause.LastHeard != 0 {
		c.LastHeard = now.Add(note.Cause.LastHeard.Sub(n.clock()))
	}
	return c
}

// report logs an event. What concerns us alone is rarer and worth more.
func (n *Node) report(e Event) {
	switch e.Kind {
	case EventSuspect, EventRefuted, EventUpdated:
		n.log.Debug(e.Kind.String(), "member", e.Member.Addr(), "incarnation", e.Member.Incarnation)
	case EventDown:
		n.log.Info(e.Kind.String(), "member", e.Member.Addr(), "cause", *e.Cause)
	case EventConflict:
		n.log.Warn("somebody else uses our address", "claimed", e.Old)
	case EventRejoined:
		n.log.Warn("we were declared down, and go on", "generation", e.Member.ID.Generation())
	default:
		n.log.Info(e.Kind.String(), "member", e.Member.Addr())
	}
}

func member(m swim.Member[swim.ID], since time.Time) Member {
	return Member{ID: m.ID, Incarnation: uint64(m.Incarnation), State: m.State, Since: since}
}

// self returns ourselves as the core says.
func (n *Node) self(since time.Time) Member {
	m := member(n.core.Self(), since)
	m.Self, m.described = true, n.described
	return m
}

// How often the view is compared with the core, which does not tell when it
// forgets somebody, or learns of somebody who was down before: soon if their
// sizes differ, and now and then in case they only seem to agree.
const (
	auditSoon = time.Second
	auditRest = time.Minute
)

// untilAudit is how long the next comparison has time.
func (n *Node) untilAudit() time.Duration {
	every := auditRest
	if s := n.core.Stats(); s.Alive+s.Suspect+s.Lone+s.Down+s.Left+1 != n.events.view().size {
		every = auditSoon
	}
	return n.audited.Add(every).Sub(n.clock())
}

// audit makes the draft say what the core knows.
func (n *Node) audit(d *draft, now time.Time) {
	n.audited = n.clock()
	known := 1 // ourselves
	for m := range n.core.Known() {
		d.set(member(m, now))
		n.seek(d, m)
		known++
	}
	if known == d.size {
		return
	}
	before := d.view
	for m := range before.all() {
		if _, ok := n.core.Member(m.ID.Addr()); !ok && !m.Self {
			d.remove(m.ID.Addr())
		}
	}
}
