package sim

import (
	"encoding/binary"

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
	Text  string                // why, or what
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
	EventChange                   // a record of the node changed; Text says how
	EventFault                    // a fault began or ended
	EventBroken                   // a promise did not hold
)

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
func (w *World) fold(a, b uint64) { w.hash = mix(mix(w.hash, a), b) }

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
