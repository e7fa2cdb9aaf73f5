package sim

import (
	"math"
	"testing"
)

func TestACrashIsNoticedAsSoonInClustersOfAnySize(t *testing.T) {
	for _, s := range []crashes{{nodes: 10, moving: 1}, {nodes: 60, moving: 1}, {nodes: 61, gone: 14, moving: 2}} {
		expected, _ := firstProbe(s.nodes, 1-float64(s.gone+s.moving-1)/float64(s.nodes-1))
		about(t, s.name(), expected, 8, mean(s.observe(3, 1500)["waits, "+s.name()]))
	}
	for _, s := range []crashes{{nodes: 10, moving: 1, lockstep: true}, {nodes: 60, moving: 1, lockstep: true}} {
		about(t, s.name(), firstProbeInStep(s.nodes), 6, mean(s.observe(3, 1500)["waits, "+s.name()]))
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

// The first probe of a member that was down fails, even if it is soon back.
func TestNoCrashIsSpared(t *testing.T) {
	s := crashes{nodes: 10, moving: 1}
	o := s.observe(2, 300)
	if spared := o["spared, "+s.name()]; len(spared) != 1 || spared[0] != 0 {
		t.Errorf("spared %v", spared)
	}
	o["spared, "+s.name()] = []float64{3}
	if wrong(t, probeTime.judged(o)) == 0 {
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
		about(t, "in step", want.inStep, 1, firstProbeInStep(want.nodes))
	}
}

// firstProbe is how many periods it takes until one of n-1 others, of whom only a
// part probes, begins to probe a member, if each goes round its list in an order
// that it draws anew for each round: on average, and at most in 99 of 100 cases.
func firstProbe(n int, probers float64) (average, p99 float64) {
	const steps = 200 // of a period
	others := float64(n - 1)
	all, one := 1.0, 1.0 // the probability that all, or a given one, have not probed it yet
	for i := 0; one > 1e-9; i++ {
		one = max(0, one-gapBeyond(n-1, i/steps)/others/steps)
		next := math.Pow(one, others*probers)
		average += (all + next) / 2 / steps
		if next > 0.01 {
			p99 = float64(i+1) / steps
		}
		all = next
	}
	return average, p99
}
