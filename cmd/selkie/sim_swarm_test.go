package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/sim"
)

// short plans, of which some go wrong in a way that no protocol can mend.
func panicking(seeds ...uint64) func(uint64) sim.Plan {
	return func(seed uint64) sim.Plan {
		if slices.Contains(seeds, seed) {
			panic("out of luck")
		}
		return sim.Plan{Seed: seed, Profile: "lan", Nodes: 3, Form: 10 * time.Second, For: 20 * time.Second}
	}
}

func testSwarm(t *testing.T, s *swarm) *swarmReport {
	t.Helper()
	plan := s.plan
	s.least, s.most = defaultLeast, defaultMost
	if err := s.check(false, false); err != nil {
		t.Fatal(err)
	}
	s.plan = plan
	s.run(t.Context(), io.Discard)
	return &s.report
}

func TestSwarmIsTheSameWhateverRunsAtOnce(t *testing.T) {
	one := testSwarm(t, &swarm{first: 5, seeds: 12, jobs: 1, plan: panicking(14, 9)})
	for _, jobs := range []int{2, 7} {
		many := testSwarm(t, &swarm{first: 5, seeds: 12, jobs: jobs, plan: panicking(14, 9)})
		if !slices.Equal(one.Violations, many.Violations) || !maps.Equal(one.Marks, many.Marks) || one.Seeds != many.Seeds || one.LastSeed != many.LastSeed {
			t.Errorf("%d at once: %+v, want %+v", jobs, many, one)
		}
		// Sums of floating point depend on the order.
		if d := one.NodeHours - many.NodeHours; d > 1e-9 || d < -1e-9 {
			t.Errorf("%d at once: %v node-hours, want %v", jobs, many.NodeHours, one.NodeHours)
		}
	}
}

func TestPanicIsAViolationAndNotTheEnd(t *testing.T) {
	r := testSwarm(t, &swarm{mixture: mixture{nodes: 3}, first: 5, seeds: 6, jobs: 2, plan: panicking(7)})
	if r.Seeds != 6 || len(r.Violations) != 1 {
		t.Fatalf("%+v", r)
	}
	v := r.Violations[0]
	if v.Seed != 7 || v.Invariant != "S21" || !strings.Contains(v.Text, "panic: out of luck, at sim_swarm_test.go:") {
		t.Errorf("%+v", v)
	}
	if want := "selkie sim seed 7 --explain --nodes 3"; v.Replay != want {
		t.Errorf("%q, want %q", v.Replay, want)
	}
}

func TestSwarmPrintsALineForEachViolation(t *testing.T) {
	s := &swarm{first: 5, seeds: 6, jobs: 2, plan: panicking(7, 9)}
	testSwarm(t, s)
	var said bytes.Buffer
	a := &app{err: &said}
	if err := a.judgeSwarm(t.Context(), s); a.code(err, false) != exitFailed {
		t.Errorf("the verdict is %v", err)
	}
	for _, line := range []string{"selkie sim seed 7 --explain    # S21: ", "selkie sim seed 9 --explain    # S21: "} {
		if !strings.Contains(said.String(), line) {
			t.Errorf("no %q in\n%s", line, &said)
		}
	}
}

func TestSwarmFailsIfItTestedNothing(t *testing.T) {
	s := &swarm{jobs: 1, report: swarmReport{Seeds: 3, Invalid: 3}}
	a := &app{err: io.Discard}
	if err := a.judgeSwarm(t.Context(), s); err == nil {
		t.Error("three runs without activity passed")
	}
	s.report = swarmReport{Seeds: 3, Invalid: 2, Marks: map[string]int{"seen": 1, "unseen": 0}}
	if err := a.judgeSwarm(t.Context(), s); err != nil {
		t.Error(err)
	}
	s.allMarks = true
	if err := a.judgeSwarm(t.Context(), s); err == nil {
		t.Error("a mark that was never reached passed")
	}
}

func TestRunsUnderWayAreCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &swarm{jobs: 2, span: time.Hour, mixture: mixture{least: time.Hour, most: time.Hour}}
	if err := s.check(false, true); err != nil {
		t.Fatal(err)
	}
	s.plan = func(seed uint64) sim.Plan {
		if seed == 2 {
			cancel() // while another is at it, and before its own begins
		}
		return sim.Plan{Seed: seed, Profile: "lan", Nodes: 2, Form: time.Second, For: 100_000 * time.Hour}
	}
	s.first = 1
	s.run(ctx, io.Discard)
	if s.report.Seeds != 0 || s.report.NodeHours != 0 || len(s.report.Violations) != 0 {
		t.Errorf("counted what has not come to its end: %+v", s.report)
	}
}

func TestFreshSeedsDoNotMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := freshSeed(time.Now())
		time.Sleep(time.Second)
		if b := freshSeed(time.Now()); b-a != 1_000_000 {
			t.Errorf("%d, and a second later %d", a, b)
		}
	})
}
