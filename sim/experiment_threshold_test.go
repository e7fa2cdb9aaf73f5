package sim

import (
	"maps"
	"reflect"
	"slices"
	"testing"
)

// failed returns the metrics that are out of range.
func (out *Outcome) failed() []string {
	var failed []string
	for _, f := range out.Findings {
		if !f.OK {
			failed = append(failed, f.Metric)
		}
	}
	return failed
}

// twice observes a trial twice, which has to be the same.
func twice(t *testing.T, trial Trial) Observations {
	t.Helper()
	first, second := trial(), trial()
	if !reflect.DeepEqual(first, second) {
		t.Errorf("observed %v, then %v", first, second)
	}
	return first
}

func TestMembersThatBlockAreNoticedAsTheOneLineOfTheorySays(t *testing.T) {
	o := twice(t, threshold{variant{"SWIM", paperSWIM(alpha), true}, 8, 16384, 0}.observe)
	first, full := o["SWIM first"], o["SWIM full"]
	if len(first) < 7 || len(full) < 7 {
		t.Fatalf("of 8 members the first noticed %d, all %d", len(first), len(full))
	}
	// A probe of one period and the time to refute come before any; by the median
	// somebody has begun that probe.
	if least := slices.Min(first); least < 1+refutation || least > 1+refutation+0.5 {
		t.Errorf("the first is noticed after %.2f s", least)
	}
	if median := quantile(first, 0.5); median < 11.6 || median > 13.5 {
		t.Errorf("the median is %.2f s", median)
	}
	if slices.Min(full) < slices.Min(first) {
		t.Error("all know before the first does")
	}
}

func TestNobodyIsDownWhoBlocksForLessThanItTakesToRefute(t *testing.T) {
	o := threshold{variant{"SWIM", paperSWIM(alpha), true}, 8, 8192, 0}.observe()
	if got := slices.Collect(maps.Keys(o)); len(got) != 1 {
		t.Errorf("observed %v", got)
	}
}

func TestDetectionIsHeldToTheTable(t *testing.T) {
	published := Observations{}
	for _, row := range tableV {
		for i := range 1000 { // medians and tails as published
			part := 0
			if i >= 985 {
				part = 1
			}
			if i == 999 {
				part = 2
			}
			published.add(row.name+" first", row.first[part])
			published.add(row.name+" full", row.full[part])
		}
	}
	for _, cell := range tableVII {
		published.add(cell.name()+" first", cell.first/100*tableV[0].first[0])
	}
	var out Outcome
	concludeThreshold(published, &out)
	if failed := out.failed(); len(failed) > 0 {
		t.Errorf("what was published is out of range: %v", failed)
	}
	for name, values := range published {
		for i := range values {
			published[name][i] *= 1.1
		}
	}
	out = Outcome{}
	concludeThreshold(published, &out)
	if failed := out.failed(); len(failed) < 4 {
		t.Errorf("a tenth later, only this is out of range: %v", failed)
	}
	for _, cell := range tableVII { // as if alpha changed nothing
		published[cell.name()+" first"] = published["SWIM first"]
	}
	out = Outcome{}
	concludeThreshold(published, &out)
	if failed := out.failed(); len(failed) < 10 {
		t.Errorf("if alpha changed nothing, only this is out of range: %v", failed)
	}
}
