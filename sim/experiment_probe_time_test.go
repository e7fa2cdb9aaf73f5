package sim

import "testing"

func TestACrashIsNoticedAsSoonInClustersOfAnySize(t *testing.T) {
	for _, s := range []crashes{{nodes: 10, moving: 1}, {nodes: 40, moving: 2}, {nodes: 41, gone: 9, moving: 4}} {
		expected, _ := firstProbe(s.nodes, s.probers())
		about(t, s.name(), expected, 8, mean(s.observe(3, 1500)["waits, "+s.name()]))
	}
	for _, s := range []crashes{{nodes: 10, moving: 1, lockstep: true}, {nodes: 40, moving: 2, lockstep: true}} {
		about(t, s.name(), firstProbeInStep(s.nodes, s.probers()), 6, mean(s.observe(3, 1500)["waits, "+s.name()]))
	}
}

// In a cluster in which half of the others are down for good, a crash is noticed
// later than it should be.
func TestALateFirstProbeIsFound(t *testing.T) {
	few, full := crashes{nodes: 10, gone: 4, moving: 1}, crashes{nodes: 10, moving: 1}
	waits := few.observe(1, 500)["waits, "+few.name()]
	if wrong(t, probeTime.judged(Observations{"waits, " + full.name(): waits})) == 0 {
		t.Error("nobody minds")
	}
}

// The figures of the design: those of simulations of the model, and of SWIM.
func TestTheoryOfTheFirstProbeIsThatOfTheModel(t *testing.T) {
	for _, want := range []struct {
		nodes                int
		average, p99, inStep float64
	}{{10, 0.91, 3.7, 1.487}, {100, 1, 4.5, 1.582}, {1000, 1, 4.6, 1.582}} {
		average, p99 := firstProbe(want.nodes, 1)
		about(t, "mean", want.average, 1.5, average)
		about(t, "99th percentile", want.p99, 2, p99)
		about(t, "in step", want.inStep, 1, firstProbeInStep(want.nodes, 1))
	}
}
