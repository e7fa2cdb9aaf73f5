package sim

import "testing"

func TestEveryoneIsProbedWithinTwoRounds(t *testing.T) {
	const n = 50
	waits := roundRobinWaits(1, n, 1000)
	about(t, "mean", 7*float64(n-1)/12, 8, mean(waits))
	if longest := quantile(waits, 1); longest > 2*n-1 || longest < n {
		t.Errorf("longest wait %g", longest)
	}
}

// Targets that are drawn at random keep neither the bound nor the mean.
func TestABoundThatDoesNotHoldIsFound(t *testing.T) {
	o := Observations{}
	for _, n := range completenessSizes {
		drawn := randomWaits(1, n, 4000)
		o.add(roundWaits(n), drawn...)
		o.add(drawnWaits(n), drawn...)
	}
	if count := wrong(t, completeness.judged(o)); count != 2*len(completenessSizes) {
		t.Errorf("%d findings are wrong", count)
	}
}
