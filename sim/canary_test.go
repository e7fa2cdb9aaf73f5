package sim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestOracleNoticesEveryLie(t *testing.T) {
	for _, believed := range Canary() {
		t.Error(believed)
	}
}

// Among liars only what no liar can help is reported.
func TestOracleForgivesWhoIsLiedTo(t *testing.T) {
	for _, l := range canaries {
		w := New(1, LAN)
		w.Grow(3)
		w.Run(10 * time.Second)
		w.oracle.distrust("the test wants it")
		w.current = w.nodes[0]
		l.tell(w.oracle, w.nodes[0], w.nodes[1])
		w.current = nil
		for _, v := range w.Violations {
			if !slices.Contains([]string{"S10", "S13", "S21", "S22", "S23", "S29", "S30", "F29"}, v.Invariant) && !strings.Contains(l.what, "challenge") {
				t.Errorf("%s (%s): %v", l.invariant, l.what, v)
			}
		}
	}
}

func TestOracleTrustsAgain(t *testing.T) {
	w := New(1, LAN)
	w.Grow(3)
	w.Run(10 * time.Second)
	forged, err := codec.Append(nil, 1400, says(w.nodes[1], w.nodes[0], swim.MessageGossip, record(ID{2, 5}, swim.Alive, 4)))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Node(0).Receive(forged); err != nil || w.oracle.trust {
		t.Errorf("made up: %v, trusted: %v", err, w.oracle.trust)
	}
	w.Run(5 * time.Minute)
	w.oracle.trustAgain()
	w.Run(5 * time.Minute)
	for _, v := range w.Violations {
		t.Error(v)
	}
	if !w.oracle.trust {
		t.Error("trust is gone for good")
	}
}

// A core that is handed garbage is as it was.
func TestGarbageChangesNothing(t *testing.T) {
	w := New(1, LAN)
	w.Grow(3)
	w.Run(10 * time.Second)
	for _, data := range [][]byte{nil, {0}, make([]byte, 100_000)} {
		if err := w.Node(0).Receive(data); err == nil {
			t.Errorf("%d bytes were taken for a packet", len(data))
		}
	}
	for _, v := range w.Violations {
		t.Error(v)
	}
	if !w.oracle.trust {
		t.Error("what is no packet can not lie")
	}
}

// A run in which nobody met is no test of anything.
func TestRunThatTestedNothingIsInvalid(t *testing.T) {
	p := Plan{Seed: 1, Profile: "lan", Nodes: 3, Form: 10 * time.Second, For: time.Minute}
	if r := p.Run(nil); r.Invalid != "" {
		t.Error(r.Invalid)
	}
	w := New(1, LAN)
	w.Partition(Nodes(0), Nodes(1), Nodes(2))
	w.Grow(3)
	w.Run(time.Minute)
	if w.oracle.invalid(0) == "" {
		t.Error("nobody met, and that is fine")
	}
	w.oracle.asked = activity{ups: 1}
	if w.oracle.invalid(0) == "" {
		t.Error("nobody probed, and that is fine")
	}
	w.oracle.asked = activity{ups: 1, probes: 1000}
	if w.oracle.invalid(1) == "" || w.oracle.invalid(0) != "" {
		t.Error("whether anybody told anything matters when things go wrong")
	}
}

func TestMarksHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Marks() {
		if m.Name == "" || m.Text == "" || seen[m.Name] {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
	if len(seen) < 50 || numMarks > maxMarks || len(everyMark()) != numMarks {
		t.Errorf("%d marks with a name, %d in all, counted %d", len(seen), len(everyMark()), numMarks)
	}
}

// Without the oracle nothing is checked, and the run is the same.
func TestUnwatchedRunIsTheSame(t *testing.T) {
	watched := eventful(3, LAN, 6, nil)
	unwatched := eventful(3, LAN, 6, func(w *World) { w.Watch = false })
	if watched.Hash() != unwatched.Hash() {
		t.Errorf("%x, then %x", watched.Hash(), unwatched.Hash())
	}
}
