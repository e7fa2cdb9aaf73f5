//go:build mutants

package sim

import (
	"slices"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// The scenarios are checks too: a bug that brings an outage back is found by the
// scenario of that outage.
func TestScenariosFindPlantedBugs(t *testing.T) {
	for bug, scenario := range map[string]script{
		"condemn-alone":        isolatedObserver,
		"believe-down":         isolatedObserver,
		"abandon-the-lost":     longPartition,
		"renew-below-newest":   oldCluster,
		"apply-up-to-damage":   poisonRecord,
		"rename-as-up":         rollingRestart,
		"hush-rename":          rollingRestart,
		"old-life-replaces":    massRestart,
		"overfill-packet":      syncStorm,
		"keep-news-to-oneself": syncStorm,
	} {
		t.Run(bug, func(t *testing.T) {
			for m := range swim.Mutants() {
				if m.Name != bug {
					continue
				}
				swim.Plant(m.Number)
				defer swim.Plant(0)
				scenario.spoil = func(p *play) { p.Halt = func(v Violation) bool { return slices.Contains(m.Breaks, v.Invariant) } }
				r := scenario.run(1, nil)
				if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return slices.Contains(m.Breaks, v.Invariant) }) {
					t.Errorf("%s does not see that %s; violations: %v", scenario.name, m.Does, r.Violations)
				}
				return
			}
			t.Error("there is no such bug")
		})
	}
}
