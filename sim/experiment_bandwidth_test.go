package sim

import "testing"

// Sealing costs an idle member 50 bytes for each packet, and hardly ever more.
func TestSealingCostsWhatItSays(t *testing.T) {
	sent := map[Wire]float64{}
	for _, wire := range []Wire{WirePlain, WireSealed} {
		d := demand{nodes: 64, wire: wire}
		sent[wire] = mean(d.observe(1)[d.name("sent")])
	}
	if more := sent[WireSealed] - sent[WirePlain]; more < 0.095 || more > 0.13 || sent[WireSealed] > 0.22 {
		t.Errorf("a member sends %.0f bytes a second, %.0f more than unsealed", 1000*sent[WireSealed], 1000*more)
	}
}

// Whoever sends too much is found.
func TestTalkativeSealedClusterIsFound(t *testing.T) {
	o := Observations{}
	for _, d := range demands {
		if d.wire == WireSealed {
			o.add(d.name("sent"), 0.23)
		}
	}
	if wrong(t, bandwidth.judged(o)) != 1 {
		t.Error("nobody minds")
	}
}
