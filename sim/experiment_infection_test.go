package sim

import "testing"

func TestNewsSpreadWithProbesAsInTheModel(t *testing.T) {
	o := observeInfection(1, 10, 800)
	in := infections(false)[0]
	for _, line := range []struct {
		name string
		want float64
	}{{carriages[0].name("t50", 10), in.t50}, {carriages[0].name("last", 10), in.last}, {carriages[1].name("last", 10), in.lossy}} {
		about(t, line.name, line.want, 14, mean(o[line.name]))
	}
	// With loss more packets are sent, all of which tell.
	if all, model := mean(o[carriages[2].name("last", 10)]), mean(o[carriages[1].name("last", 10)]); all >= model {
		t.Errorf("with all packets %g periods, with pings and acks %g", all, model)
	}
}

// News that pings do not carry but acks do take longer.
func TestNewsThatSpreadTooSlowlyAreFound(t *testing.T) {
	o := observeInfection(1, 10, 200)
	for _, what := range []string{"t50", "t99", "last"} {
		o[carriages[0].name(what, 10)] = o[carriages[1].name(what, 10)]
	}
	if wrong(t, infection.judged(o)) == 0 {
		t.Error("nobody minds")
	}
}
