package selkie

import (
	"net/netip"
	"sync"
)

// A received is a datagram on its way to run.
type received struct {
	data *[]byte // from memory
	from netip.AddrPort
}

// memory is for datagrams, and shared by all nodes of a process: few are on their
// way at a time.
var memory = sync.Pool{New: func() any { return new([]byte) }}

const (
	// maxWaiting is how many packets may wait for the core. Those beyond wait in
	// the transport.
	maxWaiting = 1024
	// fewWaiting is for how many there is always memory. More are rare: when many
	// join at once, or after a pause.
	fewWaiting = 32
)

// An inbox has the datagrams that were read and not handled yet. It takes little
// memory as long as few wait, and many when they come at once: what the system
// has no room for is lost.
type inbox struct {
	wake chan struct{} // something waits
	room chan struct{} // nothing waits any more

	mu      sync.Mutex
	waiting []received
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a datagram, and waits for room until the end. It reports whether there
// was some.
func (i *inbox) put(p received, end <-chan struct{}) bool {
	for {
		i.mu.Lock()
		full := len(i.waiting) >= maxWaiting
		if !full {
			i.waiting = append(i.waiting, p)
		}
		i.mu.Unlock()
		if !full {
			signal(i.wake)
			return true
		}
		select {
		case <-i.room:
		case <-end:
			return false
		}
	}
}

// take returns all that waits, in memory that the caller gives back with the next
// call.
func (i *inbox) take(memory []received) []received {
	clear(memory)
	if cap(memory) > fewWaiting {
		memory = nil
	}
	i.mu.Lock()
	waiting := i.waiting
	i.waiting = memory[:0]
	i.mu.Unlock()
	signal(i.room)
	return waiting
}

// signal wakes whoever waits, or comes next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was woken before and has not come yet
	}
}
