package sim

import (
	"math"
	"reflect"
	"testing"
)

// conclude judges observations and returns the findings.
func (e *Experiment) judged(o Observations) []Finding { return e.Conclude([]Observations{o}).Findings }

// wrong counts the findings that are not as expected, of which there must be some.
func wrong(t *testing.T, findings []Finding) (count int) {
	t.Helper()
	if len(findings) == 0 {
		t.Error("nothing was found")
	}
	for _, f := range findings {
		if !f.OK {
			count++
			t.Logf("%s: %s: %g, expected %g, %s, %d samples", f.ID, f.Metric, f.Measured, f.Expected, f.Tolerance, f.Samples)
		}
	}
	return count
}

// about fails unless a measured value is within some percent of another one.
func about(t *testing.T, what string, want, percent, got float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > math.Abs(want)*percent/100 {
		t.Errorf("%s: %g, want %g ± %g %%", what, got, want, percent)
	}
}

func TestExperimentsSayWhatTheyAre(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Experiments() {
		if e.ID == "" || e.Title == "" || e.Source == "" || seen[e.ID] {
			t.Errorf("%+v", e)
		}
		seen[e.ID] = true
		if some, all := len(e.Trials(false)), len(e.Trials(true)); some == 0 || all < some {
			t.Errorf("%s: %d trials, %d in full", e.ID, some, all)
		}
	}
}

// What was not observed is not found, or not as expected; nothing divides by zero.
func TestNothingIsConcludedFromNothing(t *testing.T) {
	for _, e := range Experiments() {
		for _, f := range e.judged(Observations{}) {
			if f.Samples > 0 || f.OK && f.Tolerance != "none" {
				t.Errorf("%+v", f)
			}
		}
	}
}

// S20. A trial keeps its seed.
func TestATrialObservesTheSameAgain(t *testing.T) {
	trial := func() Observations { return crashes{nodes: 10, moving: 1}.observe(1, 200) }
	if !reflect.DeepEqual(trial(), trial()) {
		t.Error("two runs of a trial differ")
	}
	if reflect.DeepEqual(trial(), crashes{nodes: 10, moving: 1}.observe(2, 200)) {
		t.Error("the seed makes no difference")
	}
	if experimentSeed("E1", 0, 1) == experimentSeed("E1", 1, 0) || experimentSeed("E1", 0, 0) == experimentSeed("E2", 0, 0) {
		t.Error("two trials share a seed")
	}
}

func TestFiguresCountAndRank(t *testing.T) {
	if s := counted("dice", []float64{1, 2, 2, 9}, 3); !reflect.DeepEqual(s.X, []float64{1, 2, 3}) || !reflect.DeepEqual(s.Y, []float64{0.25, 0.5, 0}) {
		t.Errorf("%+v", s)
	}
	if s := distribution("ranks", []float64{3, 1, 2, 4}, 4); !reflect.DeepEqual(s.X, []float64{1, 2, 3, 4}) || s.Y[3] != 1 {
		t.Errorf("%+v", s)
	}
	if q := quantile([]float64{3, 1, 2, 4}, 0.5); q != 3 {
		t.Errorf("median %g", q)
	}
}
