package sim

import (
	"testing"

	"github.com/selkie-go/selkie/swim"
)

func TestCrashesAreNoticedByAll(t *testing.T) {
	o := twice(t, crashing{variant{name: "default", config: swim.LAN(agents)}, 0, 4}.observe)
	first, everywhere := o["default first"], o["default everywhere"]
	if len(first) != 4 || len(everywhere) != 4 {
		t.Fatalf("of 4 crashes the first noticed %d, all %d", len(first), len(everywhere))
	}
	for i := range first {
		// One probe and the time to refute, 4·log10(128) periods.
		if first[i] < 9.4 || first[i] > 20 || everywhere[i] < first[i] {
			t.Errorf("crash %d: the first noticed after %.2f s, all after %.2f s", i, first[i], everywhere[i])
		}
	}
}

func TestCrashesThatAreNoticedLateAreFound(t *testing.T) {
	o := Observations{"default first": {10}, "default everywhere": {11}, "default crashes": {1}}
	var out Outcome
	if concludeCrash(o, &out); len(out.failed()) > 0 {
		t.Errorf("out of range: %v", out.failed())
	}
	o = Observations{"default first": {13}, "default everywhere": {14}, "default crashes": {1, 1}}
	out = Outcome{}
	if concludeCrash(o, &out); len(out.failed()) != 3 {
		t.Errorf("out of range: %v", out.failed())
	}
}
