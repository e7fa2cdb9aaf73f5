package sim

import "testing"

func TestThoseWhoBlockDeclareHealthyMembersDead(t *testing.T) {
	at := func(on, off int) float64 {
		return interval{variant{"SWIM", paperSWIM(alpha), true}, 4, on, off, 0}.observe()["SWIM everywhere"][0]
	}
	// Each of the four suspects somebody after each of twelve times. It does not
	// hear of the refutation before the deadline passes, unless there is time for
	// that in between. Nobody blocks for so long as to be declared dead itself,
	// because then what it says would not count.
	if got := at(11000, 64); got < 10 || got > 4*4*12 {
		t.Errorf("%v failures, though deadlines pass while members block", got)
	}
	if got := at(11000, 4096); got > 0 {
		t.Errorf("%v failures, though there is time to hear of refutations", got)
	}
	if got := at(2048, 64); got > 0 {
		t.Errorf("%v failures, though nobody blocks for as long as a deadline", got)
	}
}

func TestIntervalRunsAreTheSameTwice(t *testing.T) {
	twice(t, interval{paperVariants()[5], 4, 32768, 1024, 1}.observe)
}

func TestEveryIntervalIsRunByDefault(t *testing.T) {
	if all := len(intervalTrials(false)); all != len(paperVariants())*432 {
		t.Errorf("%d runs", all)
	}
	if all := len(intervalTrials(true)); all != len(paperVariants())*4320 {
		t.Errorf("%d runs in full", all)
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
			o.add(row.name+" packets", 100)
			o.add(row.name+" bytes", 100)
		}
		return o
	}
	all, healthy := func(f falsity) float64 { return f.all }, func(f falsity) float64 { return f.healthy }
	published := observed(all, healthy)
	published["Lifeguard packets"][0] = 110.59
	var out Outcome
	concludeInterval(published, &out)
	if failed := out.failed(); len(failed) > 0 {
		t.Errorf("what was published is out of range: %v", failed)
	}
	same := func(falsity) float64 { return 100 }
	out = Outcome{}
	concludeInterval(observed(same, same), &out)
	if failed := out.failed(); len(failed) != 6 {
		t.Errorf("if nothing changes anything, this is out of range: %v", failed)
	}
}
