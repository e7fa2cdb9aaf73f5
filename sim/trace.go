package sim

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/selkie-go/selkie/swim"
)

// An Event is something that happened, for those who want to read along.
type Event struct {
	At   swim.Instant
	Step uint64 // the happening that this was part of
	// Cause is the step that brought it about: of a packet that is received the
	// one in which it was sent, of a timer event the one that submitted it.
	Cause uint64
	Node  uint32
	Kind  EventKind
	Peer  uint32                // of packets, the other node
	Data  []byte                // the packet; valid only during the call
	Timer swim.Timer[ID]        // of EventTimer
	Note  swim.Notification[ID] // of EventNotify
	// Change is that of EventChange; whom it says to accuse is valid only
	// during the call.
	Change Change
	Text   string // why, or what
	By     string // the name of the impairment that lost a packet, or of a fault
}

// An EventKind says what kind of thing happened.
type EventKind uint8

// The kinds.
const (
	EventStart   EventKind = iota // a process started
	EventCrash                    // it ended
	EventPause                    // it stopped, but for its socket
	EventResume                   // it went on
	EventSend                     // a packet went on its way
	EventLost                     // a packet will not arrive; Text says why
	EventReceive                  // a packet reached the core
	EventTimer                    // a timer event reached the core
	EventNotify                   // the core told its owner something
	EventDrop                     // the core returned an error
	EventChange                   // a record of the node changed
	EventFault                    // a fault began or ended
	EventBroken                   // a promise did not hold
	EventOwner                    // the owner of the node calls its core, or does what Text says
)

var eventNames = [...]string{
	"start", "crash", "pause", "resume", "send", "lost", "receive", "timer",
	"notify", "drop", "change", "fault", "broken", "owner",
}

// String returns the kind in lower case.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// UnmarshalText reads what String returns.
func (k *EventKind) UnmarshalText(text []byte) error {
	at := slices.Index(eventNames[:], string(text))
	if at < 0 {
		return fmt.Errorf("sim: no kind of event is %q; they are %s", text, strings.Join(eventNames[:], ", "))
	}
	*k = EventKind(at)
	return nil
}

// packet reports whether the event is about one.
func (k EventKind) packet() bool { return k == EventSend || k == EventLost || k == EventReceive }

// A Filter says which events to let through. The zero value takes all.
type Filter struct {
	// Nodes are those to hear of. Packets belong to both ends. What belongs to
	// no node, a fault, passes.
	Nodes Set
	// Kinds are those to hear of; nil is all.
	Kinds []EventKind
	// From and To bound the time; without To there is no end.
	From, To swim.Instant
}

// Has reports whether the filter lets an event through.
func (f Filter) Has(e *Event) bool {
	switch {
	case e.At < f.From, f.To > 0 && e.At > f.To:
		return false
	case f.Kinds != nil && !slices.Contains(f.Kinds, e.Kind):
		return false
	case e.Kind == EventFault, f.Nodes.Has(e.Node):
		return true
	}
	return e.Kind.packet() && f.Nodes.Has(e.Peer)
}

// emit completes an event and hands it over.
func (w *World) emit(e Event) {
	e.At, e.Step = w.now, w.step
	w.Trace(e)
}

// note emits an event about a process.
func (w *World) note(n *Node, kind EventKind, life uint32) {
	w.fold(uint64(n.number)<<8|uint64(kind), uint64(life))
	if w.Trace != nil {
		w.emit(Event{Node: n.number, Kind: kind, Cause: w.step, Text: ID{n.number, life}.String()})
	}
}

// fold adds something that happened to the hash of the run.
func (w *World) fold(a, b uint64) {
	if !w.unhashed {
		w.hash = mix(mix(w.hash, a), b)
	}
}

// digest returns a hash of a packet.
func digest(packet []byte) uint64 {
	h := uint64(len(packet))
	for len(packet) >= 8 {
		h = mix(h, binary.LittleEndian.Uint64(packet))
		packet = packet[8:]
	}
	for _, b := range packet {
		h = mix(h, uint64(b))
	}
	return h
}
