package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares a text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs, see -rewrite:\n%s", path, got)
	}
}

// small is a world in which something of every kind happens.
func small(trace func(Event)) *World {
	w := New(3, LAN)
	w.Trace = trace
	w.Grow(3)
	w.Run(4 * time.Second)
	w.Node(1).Pause()
	w.Run(300 * time.Millisecond)
	w.Node(1).Resume()
	cut := w.Partition(Nodes(2), Nodes(0, 1))
	w.Run(2 * time.Second)
	cut.End()
	w.Node(2).Crash()
	w.Run(time.Second)
	w.Node(2).Start(Boot{})
	w.Run(time.Second)
	w.oracle.broken("T1", w.Node(1), 2, "as the test wants it")
	return w
}

func TestTraceReadsAsALineForEachEvent(t *testing.T) {
	var text, lines bytes.Buffer
	asText, asJSON := TextTrace(&text, 3, Filter{From: 4_000_000_000}), JSONTrace(&lines, Filter{From: 6_000_000_000})
	small(func(e Event) { asText(e); asJSON(e) })
	golden(t, "trace.txt", text.String())
	golden(t, "trace.json", lines.String())
	for line := range strings.Lines(lines.String()) {
		var e struct {
			T          int64
			Time, Kind string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time == "" || e.Kind == "" || e.T < 6_000_000_000 {
			t.Errorf("%v: %s", err, line)
		}
	}
}

func TestFilterLetsThroughWhatItSays(t *testing.T) {
	count := func(f Filter) (all, wrong int) {
		small(func(e Event) {
			if !f.Has(&e) {
				return
			}
			all++
			if f.Nodes != nil && e.Node != 2 && (e.Peer != 2 || e.Kind > EventReceive || e.Kind < EventSend) ||
				f.Kinds != nil && e.Kind != EventNotify || f.To > 0 && e.At > f.To || e.At < f.From {
				wrong++
			}
		})
		return all, wrong
	}
	everything, _ := count(Filter{})
	for _, f := range []Filter{
		{Nodes: Nodes(2)},
		{Kinds: []EventKind{EventNotify}},
		{From: 5_000_000_000, To: 6_000_000_000},
		{Nodes: Nodes(2), Kinds: []EventKind{EventNotify}},
	} {
		if all, wrong := count(f); wrong > 0 || all == 0 || all == everything {
			t.Errorf("%+v let through %d of %d, %d wrongly", f, all, everything, wrong)
		}
	}
}

func TestKindsOfEventsAreReadByTheirNames(t *testing.T) {
	for i := range eventNames {
		var k EventKind
		if err := k.UnmarshalText([]byte(EventKind(i).String())); err != nil || k != EventKind(i) {
			t.Errorf("%v: %v, %v", EventKind(i), k, err)
		}
	}
	if len(eventNames) != len(signs) || EventKind(len(eventNames)).String() != "EventKind(14)" {
		t.Error("a kind lacks its name or its sign")
	}
	var k EventKind
	if k.UnmarshalText([]byte("sneeze")) == nil {
		t.Error("read a kind that there is not")
	}
}

// Nothing that anybody reads along changes what happens.
func TestReadingAlongChangesNothing(t *testing.T) {
	if a, b := small(nil), small(func(Event) {}); a.Hash() != b.Hash() {
		t.Errorf("%x alone, %x with a reader", a.Hash(), b.Hash())
	}
}
