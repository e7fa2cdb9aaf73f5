package main

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
)

// Rule of the house: a name that somebody may have put into a chart stays.
func TestMetricsKeepTheirNames(t *testing.T) {
	node := memNode(t, mem.NewNetwork(), "10.0.0.1:1")
	events := newEventLog()
	events.begin(nil)
	events.note(eventInfo{Kind: "suspect", Addr: "10.0.0.2:1", State: "suspect"})
	w := httptest.NewRecorder()
	h := []*hook{newHook("true", slog.New(slog.DiscardHandler))}
	metricsHandler(node, events, h).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`selkie_members{state="alive"} 1`, `selkie_members{state="down"} 0`,
		`selkie_member_transitions_total{from="none",to="suspect"} 1`, `selkie_health_score 0`,
		`selkie_probes_total{result="answered"} 0`, `selkie_probes_total{result="failed"} 0`,
		`selkie_suspicions_total 1`, `selkie_refutations_total 0`, `selkie_messages_sent_total{type="ping"} 0`,
		`selkie_messages_received_total{type="ack"} 0`, `selkie_packets_sent_total 0`, `selkie_packets_received_total 0`,
		`selkie_packets_dropped_total{reason="`, `selkie_packet_bytes_sent_total 0`, `selkie_packet_bytes_received_total 0`,
		`selkie_updates_backlog `, `selkie_build_info{`, `selkie_keys 0`, `selkie_hook_events_dropped_total 0`,
		`selkie_payloads_lost_total{kind="message"} 0`, `selkie_streams_total 0`, `go_goroutines `,
	} {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(w.Body.String(), "10.0.0.2") {
		t.Error("a member is named: a large cluster would make very many series")
	}
	if t.Failed() {
		t.Log(w.Body)
	}
}

func TestAnsweredProbesNeverBecomeFewer(t *testing.T) {
	var c collector
	last := uint64(0)
	for _, p := range []swim.Stats{{}, {Probes: 1}, {Probes: 2}, {Probes: 2, ProbesFailed: 1}, {Probes: 3, ProbesFailed: 1}, {Probes: 4, ProbesFailed: 1, ProbesVoid: 1}, {Probes: 9, ProbesFailed: 2, ProbesVoid: 1}} {
		got := c.countAnswered(p)
		if got < last || got > p.Probes-p.ProbesFailed-p.ProbesVoid {
			t.Errorf("%d after %d of %+v", got, last, p)
		}
		last = got
	}
	if last != 5 {
		t.Errorf("%d in the end", last)
	}
}

func TestLiveAsLongAsTheProtocolAnswers(t *testing.T) {
	var h heartbeat
	node, err := selkie.Start(t.Context(), selkie.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	select {
	case <-h.of(node):
	case <-time.After(20 * time.Second):
		t.Error("no answer")
	}
}
