package sim

import "testing"

func TestProbesCostWhatTheySay(t *testing.T) {
	if wrong(t, messageLoad.judged(observeLoad(1, 8, 2500))) > 0 {
		t.Error("the load is not that of theory")
	}
}

func TestALoadThatIsOffIsFound(t *testing.T) {
	o := observeLoad(1, 8, 200)
	o[loadName(8, 0.05, 1)] = o[loadName(8, 0.05, 3)] // who asks three others, and not one
	o[loadName(8, 0, 3)] = []float64{2.05}
	if wrong(t, messageLoad.judged(o)) < 2 {
		t.Error("nobody minds")
	}
}

// The figures of the design.
func TestTheoryOfTheLoadIsThatOfThePaper(t *testing.T) {
	about(t, "no loss", 2, 0, theoryLoad(0, 3))
	about(t, "k = 1", 2.31, 0.5, theoryLoad(0.05, 1))
	about(t, "k = 3", 3.04, 0.5, theoryLoad(0.05, 3))
}
