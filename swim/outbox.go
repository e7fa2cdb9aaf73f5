package swim

import (
	"fmt"
	"iter"
	"math"
	"strings"
	"time"
)

// Never is what [Outbox.Wake] returns if no event waits: longer than any
// driver runs.
const Never = time.Duration(math.MaxInt64)

// A Datagram is a packet and whom it goes to.
type Datagram[ID any] struct {
	To   ID
	Data []byte
}

// String returns the length of the packet and whom it goes to.
func (d Datagram[ID]) String() string {
	return fmt.Sprintf("%d bytes to %v", len(d.Data), d.To)
}

// An Outbox is the [Runtime] that most drivers use. It collects what a core
// decides until the driver has carried it out, and keeps the events that wait
// for their time.
//
// It is not safe for concurrent use. Make one with [NewOutbox].
type Outbox[ID any] struct {
	// Packets are to be sent, in this order. Their Data is valid until Reset.
	Packets []Datagram[ID]
	// Notifications are for the owner, in this order.
	Notifications []Notification[ID]

	clock func() Instant
	arena []byte // where the Data of the packets lives

	queue    heap        // when each event is due; refers to events
	events   []Timer[ID] // those waiting, and vacant places
	vacant   []uint32    // places in events that may be used again
	sequence uint64      // how many events were submitted so far
}

// NewOutbox returns an empty outbox whose time is that of the clock. The clock
// must not go backwards.
func NewOutbox[ID any](clock func() Instant) *Outbox[ID] {
	return &Outbox[ID]{clock: clock}
}

// Now returns the time of the clock.
func (o *Outbox[ID]) Now() Instant { return o.clock() }

// SendTo appends a copy of the packet to Packets.
func (o *Outbox[ID]) SendTo(to ID, packet []byte) {
	if len(packet) > cap(o.arena)-len(o.arena) {
		// Packets that were handed out stay in the old arena, which lives as
		// long as they do. The new one is larger, so that after a few rounds
		// one arena holds all that a round sends.
		o.arena = make([]byte, 0, max(2*cap(o.arena), len(packet), 4096))
	}
	start := len(o.arena)
	o.arena = append(o.arena, packet...)
	o.Packets = append(o.Packets, Datagram[ID]{to, o.arena[start:len(o.arena):len(o.arena)]})
}

// Notify appends to Notifications.
func (o *Outbox[ID]) Notify(n Notification[ID]) {
	o.Notifications = append(o.Notifications, n)
}

// kindShift leaves the low bits of a rank to the sequence: more events than
// can ever be submitted.
const kindShift = 56

// SubmitAfter lets the event wait until it is due. A negative time counts as
// none.
func (o *Outbox[ID]) SubmitAfter(event Timer[ID], after time.Duration) {
	var place uint32
	if n := len(o.vacant); n > 0 {
		place = o.vacant[n-1]
		o.vacant = o.vacant[:n-1]
		o.events[place] = event
	} else {
		place = uint32(len(o.events))
		o.events = append(o.events, event)
	}
	// The rank repeats Timer.Compare and then counts, which makes it a total
	// order that costs one comparison.
	rank := uint64(event.Kind)<<kindShift | o.sequence
	o.sequence++
	o.queue.push(o.clock().Add(max(0, after)), rank, place)
}

// Due takes out and yields the events whose time has come, for
// [Core.HandleTimer]: by instant, then [Timer.Compare], then order of
// submission. The clock is read before each, and events that become due during
// the loop belong to it, whoever submits them. What a loop that ends early
// left waits on.
func (o *Outbox[ID]) Due() iter.Seq[Timer[ID]] {
	return func(yield func(Timer[ID]) bool) {
		for {
			first, ok := o.queue.top()
			if !ok || first.at > o.clock() || !yield(o.take()) {
				return
			}
		}
	}
}

// take removes the first event.
func (o *Outbox[ID]) take() Timer[ID] {
	place := o.queue.pop().ref
	event := o.events[place]
	// An identity may hold a pointer, which must not live on here.
	o.events[place] = Timer[ID]{}
	o.vacant = append(o.vacant, place)
	return event
}

// Wake returns how long the driver may sleep: the time until the next event is
// due, 0 if one is, [Never] if none waits.
func (o *Outbox[ID]) Wake() time.Duration {
	first, ok := o.queue.top()
	if !ok {
		return Never
	}
	now := o.clock()
	if first.at <= now {
		return 0
	}
	// Between the ends of time lies more than a Duration can say.
	if d := first.at.Sub(now); d > 0 {
		return d
	}
	return Never
}

// Len returns the number of events that wait, due or not.
func (o *Outbox[ID]) Len() int { return o.queue.len() }

// Reset forgets the packets and notifications, which the driver has carried
// out, and reuses their memory. Events wait on.
func (o *Outbox[ID]) Reset() {
	clear(o.Packets)
	clear(o.Notifications)
	o.Packets = o.Packets[:0]
	o.Notifications = o.Notifications[:0]
	o.arena = o.arena[:0]
}

// String returns the packets, the notifications and the waiting events, each
// in its order, one a line.
func (o *Outbox[ID]) String() string {
	var b strings.Builder
	for _, p := range o.Packets {
		fmt.Fprintf(&b, "send %v\n", p)
	}
	for _, n := range o.Notifications {
		fmt.Fprintf(&b, "notify %v\n", n)
	}
	for waiting := o.queue.clone(); waiting.len() > 0; {
		e := waiting.pop()
		fmt.Fprintf(&b, "submit %v at %v\n", o.events[e.ref], e.at)
	}
	return b.String()
}
