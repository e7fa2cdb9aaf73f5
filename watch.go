package selkie

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// An Event is something that happened to the cluster as we see it.
type Event struct {
	Time time.Time
	Kind EventKind
	// Member is whom it is about, ourselves in an event about the node.
	Member Member
	// Old is the identity that was replaced, with EventRenamed and
	// EventRejoined; with EventConflict the one that others claimed.
	Old ID
	// Cause says why, with EventDown, EventLeft and EventSuspect.
	Cause *Cause
	// Members are all members, sorted by address, with EventSnapshot only.
	Members []Member
}

// An EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	EventSnapshot EventKind = iota // everybody we know, and what comes next follows on it
	EventUp                        // a member takes part
	EventDown                      // a member was declared dead
	EventLeft                      // a member said goodbye
	EventRenamed                   // a new life took over the address of an active one
	EventSuspect                   // a member is doubted
	EventRefuted                   // a member refuted that
	EventUpdated                   // the name, tags or keys of a member changed, or are known now
	EventActive                    // we are no longer alone
	EventIdle                      // we are alone
	EventDefunct                   // we left, or are down for good
	EventRejoined                  // we were declared down, and go on under a new generation
	EventConflict                  // somebody else uses our address
	numEventKinds
)

var eventNames = [numEventKinds]string{
	"snapshot", "up", "down", "left", "renamed", "suspect", "refuted", "updated",
	"active", "idle", "defunct", "rejoined", "conflict",
}

// String returns the kind in one lower-case word.
func (k EventKind) String() string {
	if k < numEventKinds {
		return eventNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// A Cause says why a member is doubted or gone.
type Cause struct {
	State     State     // suspect, down or left
	Accuser   ID        // who accused first, as far as we know; zero if nobody did
	Confirmed int       // how many others accused it too
	Gossiped  bool      // we were told; false: our own probe or deadline decided
	LastHeard time.Time // when a packet from the member last reached us; zero if never
}

// String returns the cause in a few words.
func (c Cause) String() string {
	switch {
	case c.State == Left:
		return "said goodbye"
	case c.Accuser == ID{}:
		return "no accuser known"
	}
	how := "own deadline"
	if c.Gossiped {
		how = "told"
	}
	return fmt.Sprintf("accused by %v, %d confirmed, %s", c.Accuser.Addr(), c.Confirmed, how)
}

// Watch returns what happens from the moment it is ranged over: first an
// [EventSnapshot], then every event that follows on it, in order. It never
// holds up the node. A watcher that falls more than [Config.EventBuffer]
// events behind is given a fresh snapshot in their place.
//
// The sequence ends with ctx, and when the node was closed.
func (n *Node) Watch(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		w := n.events.subscribe()
		defer n.events.unsubscribe(w)
		var batch []Event
		for open := true; ; {
			batch = n.events.take(w, batch)
			for _, e := range batch {
				if ctx.Err() != nil || !yield(e) {
					return
				}
			}
			if !open {
				return
			}
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			case <-n.stopped:
				open = false
			}
		}
	}
}

// A feed hands events to watchers, and the view that they add up to to
// everybody.
type feed struct {
	current atomic.Pointer[view]
	buffer  int           // most events that a watcher may be behind
	lost    atomic.Uint64 // how often a watcher fell behind

	// The mutex makes a view and the events that led to it one step for
	// watchers. Nobody calls out while they hold it.
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

// A watcher is somebody who ranges over Watch.
type watcher struct {
	pending []Event
	// behind says that pending is worthless, and a snapshot is wanted. Those
	// who just came are behind, too.
	behind bool
	wake   chan struct{}
}

func newFeed(buffer int, v *view) *feed {
	f := &feed{buffer: buffer, watchers: make(map[*watcher]struct{})}
	f.current.Store(v)
	return f
}

func (f *feed) view() *view { return f.current.Load() }

// publish makes v the view, and tells watchers the events that led to it.
func (f *feed) publish(v *view, events []Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current.Store(v)
	if len(events) == 0 {
		return
	}
	for w := range f.watchers {
		f.push(w, events)
	}
}

func (f *feed) push(w *watcher, events []Event) {
	switch {
	case w.behind:
	case len(w.pending)+len(events) > f.buffer:
		w.pending, w.behind = w.pending[:0], true
		f.lost.Add(1)
	default:
		w.pending = append(w.pending, events...)
	}
	signal(w.wake)
}

// take returns what w has not seen, in memory that w no longer needs.
func (f *feed) take(w *watcher, memory []Event) []Event {
	f.mu.Lock()
	events := w.pending
	clear(memory)
	w.pending = memory[:0]
	snapshot := w.behind
	w.behind = false
	v := f.view()
	f.mu.Unlock()
	if snapshot {
		events = append(events[:0], Event{Time: time.Now(), Kind: EventSnapshot, Member: v.self, Members: v.list()})
	}
	return events
}

func (f *feed) subscribe() *watcher {
	w := &watcher{behind: true, wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = struct{}{}
	return w
}

func (f *feed) unsubscribe(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
}
