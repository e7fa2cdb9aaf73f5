package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// keepAlive is how often a stream without events says that it is there.
const keepAlive = 30 * time.Second

// A stream is the events that one client listens to.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	events  *eventLog
}

// getEvents streams events for as long as the client listens: those behind the
// one that Last-Event-ID names, or a snapshot if that is not known any more,
// and all that follow.
func (s *server) getEvents(w http.ResponseWriter, r *http.Request) {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("the agent serves no more than %d event streams", maxStreams))
		return
	}
	defer s.streams.Add(-1)
	select {
	case <-s.events.begun:
	case <-s.events.ended:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	to := stream{w, http.NewResponseController(w), s.events}
	next, known := s.events.resume(r.Header.Get("Last-Event-ID"))
	for {
		events, more, kept := s.events.after(next)
		if !known || !kept {
			snapshot, number := s.events.snapshot(s.node)
			data, err := json.Marshal(snapshot)
			if err != nil || to.send(number, snapshot.Kind, data) != nil {
				return
			}
			next, known = number, true
			continue
		}
		for _, e := range events {
			next++
			if to.send(next, e.kind, e.data) != nil {
				return
			}
		}
		if to.control.Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-time.After(keepAlive):
			if to.write(": still here\n\n") != nil {
				return
			}
		case <-s.events.ended:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// send writes one event. Its id is that of the events before a number.
func (t stream) send(number uint64, kind string, data []byte) error {
	return t.write("id: %s\nevent: %s\ndata: %s\n\n", t.events.id(number), kind, data)
}

func (t stream) write(format string, args ...any) error {
	// A client that stopped reading must not keep the stream for ever.
	_ = t.control.SetWriteDeadline(time.Now().Add(time.Minute))
	_, err := fmt.Fprintf(t.w, format, args...)
	return err
}
