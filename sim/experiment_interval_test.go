package sim

import "testing"

func TestThoseWhoBlockDeclareHealthyMembersDead(t *testing.T) {
	at := func(on, off int) float64 {
		return interval{variant{"SWIM", paperSWIM(alpha)}, 4, on, off, 0}.observe()["SWIM everywhere"][0]
	}
	// Each of the four suspects somebody after each of eight times. It does not
	// hear of the refutation before the deadline passes, unless there is time for
	// that in between.
	if got := at(16384, 64); got < 10 || got > 4*4*8 {
		t.Errorf("%v failures, though deadlines pass while members block", got)
	}
	if got := at(16384, 4096); got > 0 {
		t.Errorf("%v failures, though there is time to hear of refutations", got)
	}
	if got := at(2048, 64); got > 0 {
		t.Errorf("%v failures, though nobody blocks for as long as a deadline", got)
	}
}

func TestIntervalRunsAreTheSameTwice(t *testing.T) {
	twice(t, interval{variant{"selkie", paperVariants()[1].config}, 4, 32768, 1024, 1}.observe)
}

func TestQuickIntervalsCoverEverythingEqually(t *testing.T) {
	if all := len(intervalTrials(true)); all != len(paperVariants())*4320 {
		t.Errorf("%d runs in full", all)
	}
	if quick := len(intervalTrials(false)); quick != len(paperVariants())*72 {
		t.Errorf("%d runs if it is to be quick", quick)
	}
}

func TestFailuresAreHeldToTheTable(t *testing.T) {
	// Of a hundred runs' failures in one, and enough runs for all to be judged.
	observed := func(all, healthy func(f falsity) float64) Observations {
		o := Observations{}
		for _, row := range tableIV {
			o[row.name+" everywhere"] = make([]float64, enoughRuns)
			o[row.name+" healthy"] = make([]float64, enoughRuns)
			o[row.name+" everywhere"][0] = 100 * all(row)
			o[row.name+" healthy"][0] = 100 * healthy(row)
		}
		return o
	}
	all, healthy := func(f falsity) float64 { return f.all }, func(f falsity) float64 { return f.healthy }
	var out Outcome
	concludeInterval(observed(all, healthy), &out)
	if failed := out.failed(); len(failed) > 0 {
		t.Errorf("what was published is out of range: %v", failed)
	}
	same := func(falsity) float64 { return 100 }
	out = Outcome{}
	concludeInterval(observed(same, same), &out)
	if failed := out.failed(); len(failed) != 5 {
		t.Errorf("if nothing changes anything, this is out of range: %v", failed)
	}
}
