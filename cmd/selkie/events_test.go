package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
)

func TestEventLogIsBounded(t *testing.T) {
	l := newEventLog()
	l.begin(nil)
	start := l.next
	for i := range maxEvents + 10 {
		l.note(eventInfo{Kind: "up", Addr: fmt.Sprint(i), State: "alive"})
	}
	if _, _, ok := l.after(start); ok {
		t.Error("the oldest events are still there")
	}
	events, more, ok := l.after(l.first)
	if !ok || len(events) != maxEvents || events[0].addr != "10" {
		t.Errorf("ok %v, %d events", ok, len(events))
	}
	l.note(eventInfo{Kind: "up", Addr: "x", State: "alive"})
	<-more // is closed
	if _, _, ok := l.after(l.next + 1); ok {
		t.Error("events of the future are there")
	}
	id, err := swim.NewID(netip.MustParseAddrPort("10.0.0.1:1"), 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		l.deliver(kindMessage, id, "", make([]byte, 1<<20))
		if l.bytes > maxEventBytes {
			t.Fatalf("%d bytes are kept", l.bytes)
		}
	}
	if l.next-l.first > 16 || l.next == l.first {
		t.Errorf("%d large events are kept", l.next-l.first)
	}
}

func TestChangesOfStatesAreCounted(t *testing.T) {
	l := newEventLog()
	l.begin(nil)
	for _, e := range []eventInfo{
		{Kind: "up", State: "alive"}, {Kind: "suspect", State: "suspect"}, {Kind: "refuted", State: "alive"},
		{Kind: "updated", State: "alive"}, {Kind: "suspect", State: "suspect"}, {Kind: "down", State: "down"}, {Kind: "up", State: "alive"},
	} {
		e.Addr = "10.0.0.1:1"
		l.note(e)
	}
	moves, suspected := l.tally()
	want := map[move]uint64{{"none", "alive"}: 1, {"alive", "suspect"}: 2, {"suspect", "alive"}: 1, {"suspect", "down"}: 1, {"down", "alive"}: 1}
	if fmt.Sprint(moves) != fmt.Sprint(want) || suspected != 2 {
		t.Errorf("got %v, %d suspicions", moves, suspected)
	}
}

// A reader reads a stream of events.
type reader struct {
	lines *bufio.Scanner
	close context.CancelFunc
}

func listen(t *testing.T, url, last string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return &reader{bufio.NewScanner(resp.Body), cancel}
}

// next returns the next event and its id.
func (r *reader) next(t *testing.T) (id string, e eventInfo) {
	t.Helper()
	for r.lines.Scan() {
		if text, ok := strings.CutPrefix(r.lines.Text(), "id: "); ok {
			id = text
		}
		if text, ok := strings.CutPrefix(r.lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatal(err)
			}
			return id, e
		}
	}
	t.Fatalf("the stream ended: %v", r.lines.Err())
	return "", e
}

func TestWhoComesBackMissesNothing(t *testing.T) {
	var log *eventLog
	var node *selkie.Node
	h := serverFor(t, mem.NewNetwork(), "10.0.0.1:1", func(s *server) { log, node = s.events, s.node })
	note := func(i int) {
		log.note(eventInfo{Kind: "up", Addr: fmt.Sprintf("10.0.1.%d:1", i), Name: fmt.Sprint(i), State: "alive"})
	}
	r := listen(t, h.URL, "")
	id, e := r.next(t)
	if e.Kind != "snapshot" || len(e.Members) != 1 || !e.Members[0].Self {
		t.Errorf("first came %+v", e)
	}
	note(1)
	if id, e = r.next(t); e.Name != "1" {
		t.Errorf("then came %+v", e)
	}
	r.close()
	note(2)
	note(3)
	r = listen(t, h.URL, id)
	for _, want := range []string{"2", "3"} {
		if _, e := r.next(t); e.Kind != "up" || e.Name != want {
			t.Errorf("got %+v, want %s", e, want)
		}
	}
	for _, unknown := range []string{"other-1", "nonsense", log.process + "-x", log.process + "-999999", log.process + "-0"} {
		if _, e := listen(t, h.URL, unknown).next(t); e.Kind != "snapshot" || len(e.Members) != 4 {
			t.Errorf("%s: got %s with %d members", unknown, e.Kind, len(e.Members))
		}
	}
	for i := range maxEvents {
		note(i % 100)
	}
	if _, e := listen(t, h.URL, id).next(t); e.Kind != "snapshot" {
		t.Errorf("too late: got %+v", e)
	}
	node.Close()
	for r.lines.Scan() { // it ends
	}
}
