package sim

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// crowded is a plan with 40 faults among 20 nodes, of which two matter to
// crashWhilePaused.
func crowded(seed uint64) Plan {
	d := roll(seed, "test")
	p := Plan{Seed: seed, Profile: WAN.Name, Config: swim.WAN(20), Nodes: 20, Form: 30 * time.Second, For: 3 * time.Minute}
	p.Config.Transmissions.Factor = 2
	some := func() Set {
		s := Set{}
		for n := range uint32(20) {
			if n != 3 && n != 5 && d.below(4) == 0 {
				s = append(s, n)
			}
		}
		return append(s, 7)
	}
	for i := range 38 {
		f := Fault{Name: fmt.Sprint("f", i), At: d.duration(0, 150*time.Second), For: d.duration(time.Second, time.Minute), Nodes: some()}
		switch f.Kind = []FaultKind{FaultLink, FaultCrash, FaultPause, FaultLeave}[d.below(4)]; f.Kind {
		case FaultLink:
			f.To, f.Link = some(), &Link{Loss: 0.37, Latency: Latency{Pareto, time.Millisecond, time.Second}}
		case FaultLeave:
			f.For = 0
		}
		p.Faults = append(p.Faults, f)
	}
	p.Faults = append(p.Faults[:20], append([]Fault{
		{Name: "crash", Kind: FaultCrash, At: 80*time.Second + 123456789, For: time.Minute, Nodes: append(some(), 3)},
		{Name: "pause", Kind: FaultPause, At: 70*time.Second + 7, For: 2 * time.Minute, Nodes: append(some(), 5)},
	}, p.Faults[20:]...)...)
	return p
}

// crashWhilePaused runs a plan and breaks T1 whenever node 3 crashes while node
// 5 is paused.
func crashWhilePaused(p Plan) Result {
	r := p.Begin(nil)
	w := r.World
	w.Halt = func(v Violation) bool { return v.Invariant == "T1" }
	paused := false
	w.Trace = func(e Event) {
		switch {
		case e.Kind == EventPause && e.Node == 5:
			paused = true
		case e.Kind == EventResume && e.Node == 5:
			paused = false
		case e.Kind == EventCrash && e.Node == 3 && paused && len(w.Violations) == 0:
			w.oracle.broken("T1", w.Node(3), 5, "it crashed at a bad time")
		}
	}
	return r.Run()
}

func TestShrinkingLeavesWhatMatters(t *testing.T) {
	for seed := range uint64(2) {
		s := &shrinker{run: crashWhilePaused}
		p, result := s.shrink(crowded(seed), "T1")
		t.Logf("%d tries:\n%v", s.tries, p)
		if len(p.Faults) != 2 || p.Nodes != 6 || p.For > 10*time.Second || p.Form > time.Second ||
			p.Config != (swim.Config{}) || p.Profile != "lan" || len(result.Violations) != 1 {
			t.Errorf("seed %d: %+v", seed, p)
		}
		for _, f := range p.Faults {
			if len(f.Nodes) != 1 {
				t.Errorf("%v", f)
			}
		}
		again := &shrinker{run: crashWhilePaused}
		if q, _ := again.shrink(crowded(seed), "T1"); !reflect.DeepEqual(p, q) {
			t.Errorf("seed %d shrinks to %v, then to %v", seed, p, q)
		}
	}
}

// What was shrunk can be written down and carried out again.
func TestShrunkPlanIsReplayable(t *testing.T) {
	p, result := (&shrinker{run: crashWhilePaused}).shrink(crowded(1), "T1")
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var read Plan
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if again := crashWhilePaused(read); again.Hash != result.Hash || len(again.Violations) != 1 {
		t.Errorf("%x with %v, at first %x", again.Hash, again.Violations, result.Hash)
	}
}

func TestShrinkingEndsWhenNobodyWantsMore(t *testing.T) {
	p := crowded(2)
	runs := 0
	s := &shrinker{run: func(p Plan) Result { runs++; return crashWhilePaused(p) }, more: func(tries int) bool { return tries < 5 }}
	smaller, result := s.shrink(p, "T1")
	if runs != 6 { // one to see that it is broken at all
		t.Errorf("%d runs", runs)
	}
	if len(result.Violations) == 0 || len(smaller.Faults) > len(p.Faults) {
		t.Errorf("%d faults, %v", len(smaller.Faults), result.Violations)
	}
}

func TestPlanThatBreaksNothingStaysAsItIs(t *testing.T) {
	p := Plan{Seed: 1, Profile: "lan", Nodes: 3, For: time.Second, Faults: []Fault{{Name: "a", Kind: FaultCrash, Nodes: Nodes(1)}}}
	q, result := Shrink(p, "T1", nil)
	if !reflect.DeepEqual(p, q) || len(result.Violations) != 0 || result.Hash != p.Run(nil).Hash {
		t.Errorf("%v", q)
	}
}

// A fault whose nodes are all gone is gone as well: an empty set is not all.
func TestLeavingNodesOutMovesTheOthersDown(t *testing.T) {
	p := Plan{Nodes: 6, Core: Nodes(0, 2, 5), Faults: []Fault{
		{Name: "a", Nodes: Nodes(2, 3)},
		{Name: "b", Nodes: Nodes(1, 2, 4), To: Nodes(5, 9)},
		{Name: "c"},
		{Name: "d", Nodes: Nodes(0), To: Nodes(3)},
	}}
	want := Plan{Nodes: 4, Core: Nodes(0, 3), Faults: []Fault{
		{Name: "b", Nodes: Nodes(1, 2), To: Nodes(3, 7)},
		{Name: "c"},
	}}
	if got := p.without(2, 4); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if p.Nodes != 6 || p.Faults[1].Nodes[2] != 4 {
		t.Error("the plan itself was changed")
	}
}

// A core without any seed can not be asked to heal.
func TestShrinkingKeepsASeedInTheCore(t *testing.T) {
	p := Plan{Seed: 1, Profile: "lan", Nodes: 9, For: time.Second, Core: Nodes(2, 6, 8)}
	s := &shrinker{run: func(p Plan) Result {
		if p.Core == nil {
			return Result{Plan: p} // there is no second phase
		}
		return Result{Plan: p, Violations: []Violation{{Invariant: "L3"}}}
	}}
	q, _ := s.shrink(p, "L3")
	if len(q.Core) != 1 || q.Core[0] > 2 || q.Nodes != 1 {
		t.Errorf("%v", q)
	}
}

func TestPlanPrintsWhatIsUnusual(t *testing.T) {
	p := Plan{Seed: 7, Profile: "wan", Config: swim.WAN(0), Nodes: 5, Form: time.Second, For: time.Minute, Core: Nodes(0, 1), Faults: []Fault{
		{Name: "a", Kind: FaultLink, At: time.Second, For: 3 * time.Second, Nodes: Nodes(2), To: Nodes(0, 1),
			Link: &Link{Loss: 0.1, Latency: Latency{Lognormal, time.Millisecond, time.Second}}},
		{Name: "b", Kind: "sneeze", Nodes: Nodes(3)},
	}}
	p.Config.Gossip.Num = 2
	text := p.String()
	for _, want := range []string{"seed 7", "profile wan", "nodes 5", "form 1s", "for 1m0s", "core [0 1]\nconfig  Gossip.Num=2\na ", "Latency.Typical=1ms  Latency.Tail=1s  Loss=0.1\nb ", "sneeze [3]"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}
