package sim

import "testing"

func TestProbesFailAsOftenAsPacketsGetLost(t *testing.T) {
	l := doubtful{loss: 0.1, helpers: 1}
	o := l.observe(1, 20, 40_000)
	about(t, l.name(), l.theory(), 8, o["failed, "+l.name()][0]/o["probes, "+l.name()][0])
}

// A path that loses a little more, or members of whom nobody relays, fail more
// probes.
func TestTooManyFailedProbesAreFound(t *testing.T) {
	bad, good := doubtful{loss: 0.12, helpers: 1}, doubtful{loss: 0.1, helpers: 1}
	o := bad.observe(1, 20, 20_000)
	rare := doubtful{loss: 0.01, helpers: 3}
	o = Observations{
		"probes, " + good.name(): o["probes, "+bad.name()], "failed, " + good.name(): o["failed, "+bad.name()],
		"probes, " + rare.name(): {200_000}, "failed, " + rare.name(): {20},
	}
	if wrong(t, falseSuspicion.judged(o)) != 2 {
		t.Error("nobody minds")
	}
}

// The figures of the design.
func TestTheoryOfFailedProbesIsThatOfThePaper(t *testing.T) {
	for l, want := range map[doubtful]float64{
		{loss: 0.01, helpers: 1}: 7.8e-4, {loss: 0.05, helpers: 1}: 1.8e-2, {loss: 0.05, helpers: 3}: 6.2e-4,
		{loss: 0.1, helpers: 1}: 6.5e-2, {loss: 0.1, helpers: 3}: 7.7e-3,
	} {
		about(t, l.name(), want, 1, l.theory())
	}
	for mean, want := range map[float64]int{0.1: 1, 1: 4, 9: 17} {
		if got := poissonQuantile(mean, 0.99); got != want {
			t.Errorf("mean %g: %d, want %d", mean, got, want)
		}
	}
}
