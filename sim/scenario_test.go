package sim

import (
	"flag"
	"testing"
	"time"
)

var scenarioSize = flag.Int("scenario-size", 1, "how many times as large as usual the scenarios are")

// Rules 15, 25, 79, 84: what went wrong elsewhere goes well here.
func TestScenarios(t *testing.T) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			s.size = *scenarioSize
			began := time.Now()
			r := s.run(1, nil)
			for _, v := range r.Violations {
				t.Error(v)
			}
			if r.Invalid != "" {
				t.Error(r.Invalid)
			}
			t.Logf("%.2f node-hours, %v", r.NodeHours, time.Since(began))
		})
	}
}
