package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/selkie-go/selkie"
)

// A heartbeat asks the loop of a node whether it is there. However many want
// to know, it is asked once at a time.
type heartbeat struct {
	mu   sync.Mutex
	next chan struct{} // closed when the loop has answered; nil if it is not asked
}

// of a node: it returns a channel that is closed when the loop has answered.
func (h *heartbeat) of(node *selkie.Node) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next == nil {
		next := make(chan struct{})
		h.next = next
		go func() {
			node.Stats()
			h.mu.Lock()
			defer h.mu.Unlock()
			h.next = nil
			close(next)
		}()
	}
	return h.next
}

// liveTime is how long the loop may take to answer.
const liveTime = 2 * time.Second

// getLive says whether the protocol runs.
func (s *server) getLive(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.beat.of(s.node):
		fmt.Fprintln(w, "ok")
	case <-time.After(liveTime):
		http.Error(w, fmt.Sprintf("the protocol did not answer within %v", liveTime), http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}

// getReady says whether we found the cluster that we were to find.
func (s *server) getReady(w http.ResponseWriter, _ *http.Request) {
	if self := s.node.Self(); !self.State.Active() {
		http.Error(w, fmt.Sprintf("this member is %v", self.State), http.StatusServiceUnavailable)
		return
	}
	if s.seeds() && !s.found() {
		http.Error(w, "no other member found yet", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// found reports whether some other member is active.
func (s *server) found() bool {
	for m := range s.node.Members() {
		if m.State.Active() && !m.Self {
			return true
		}
	}
	return false
}
