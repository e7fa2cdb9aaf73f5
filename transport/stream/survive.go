package stream

import (
	"errors"
	"net"
	"time"
)

// A socket that fails is given a pause, so that it can not take a whole
// processor: without a file to spare, it would fail again at once.
const pause = 5 * time.Millisecond

// survive counts an error of accepting, makes a pause, and reports whether to
// go on.
func (l *Listener) survive(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	l.gate.failed()
	select {
	case <-l.closed:
		return false
	case <-time.After(pause):
		return true
	}
}
