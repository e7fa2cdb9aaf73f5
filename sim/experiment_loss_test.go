package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestLossIsSeen(t *testing.T) {
	cfg := swim.LAN(lossMembers)
	mild := twice(t, lossy{variant{name: "default", config: cfg}, 20, 0, 20 * time.Second}.observe)
	if downs, doubts := mild["default, 20 % loss, downs"][0], mild["default, 20 % loss, suspicions"][0]; downs > 0 || doubts == 0 {
		t.Errorf("%v downs and %v suspicions at 20 %%", downs, doubts)
	}
	// Where hardly anything arrives, members are held down.
	worst := lossy{variant{name: "default", config: cfg}, 90, 0, 40 * time.Second}.observe()
	if downs := worst["default, 90 % loss, downs"][0]; downs == 0 {
		t.Error("nobody is down at 90 %")
	}
}

func TestDownsUnderLossAreBounded(t *testing.T) {
	o := Observations{"default, 5 % loss, downs": {0}, "default, 20 % loss, downs": {1, 1}, "default, 30 % loss, downs": {0, 20}}
	var out Outcome
	concludeLoss(o, &out)
	if failed := out.failed(); len(failed) > 0 {
		t.Errorf("out of range: %v", failed)
	}
	o["default, 5 % loss, downs"][0] = 1
	o["default, 30 % loss, downs"][0] = 1
	out = Outcome{}
	concludeLoss(o, &out)
	if failed := out.failed(); len(failed) != 2 {
		t.Errorf("out of range: %v", failed)
	}
}
