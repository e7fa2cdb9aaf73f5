package sim

import (
	"fmt"
	"math"
)

// falseSuspicion is E4: how often a probe of a member that is well fails, because
// packets get lost.
//
// A probe fails if the ping or its ack is lost, and for each of the k others that
// are asked then one of four packets. So each of them makes failures rarer by the
// same factor.
var falseSuspicion = Experiment{
	ID:       "E4",
	Title:    "failed probes of members that are well",
	Source:   "SWIM, section 3.1",
	trials:   suspicionTrials,
	conclude: concludeSuspicion,
}

// A doubtful is a loss and a number of helpers, under which so many probes are
// observed: enough to see 700 failures, by which ten percent are two and a half
// times the error. Where they are rarer than that can be observed, only a bound is
// judged.
type doubtful struct {
	loss    float64
	helpers int
	probes  int
	parts   int // trials that the probes are divided among
	rare    bool
}

var lossySetups = []doubtful{
	{loss: 0.01, helpers: 1, probes: 900_000, parts: 3},
	{loss: 0.01, helpers: 2, probes: 200_000, parts: 1, rare: true},
	{loss: 0.01, helpers: 3, probes: 200_000, parts: 1, rare: true},
	{loss: 0.05, helpers: 1, probes: 60_000, parts: 1},
	{loss: 0.05, helpers: 2, probes: 300_000, parts: 1},
	{loss: 0.05, helpers: 3, probes: 1_200_000, parts: 4},
	{loss: 0.10, helpers: 1, probes: 40_000, parts: 1},
	{loss: 0.10, helpers: 2, probes: 60_000, parts: 1},
	{loss: 0.10, helpers: 3, probes: 150_000, parts: 1},
}

// suspicionNodes is the number of members. The result does not depend on it.
const suspicionNodes = 100

func suspicionTrials(bool) []Trial {
	var trials longestFirst
	for i, l := range lossySetups {
		for part := range l.parts {
			trials.add(l.probes/l.parts, func() Observations {
				return l.observe(experimentSeed("E4", i, part), suspicionNodes, l.probes/l.parts)
			})
		}
	}
	return trials.list()
}

func (l doubtful) name() string { return fmt.Sprintf("loss %g %%, k = %d", 100*l.loss, l.helpers) }

// observe counts probes and those that failed.
func (l doubtful) observe(seed uint64, n, probes int) Observations {
	p := undecided(Paper).terse()
	p.Config.IndirectProbes = l.helpers
	w := acquainted(seed, p, n)
	w.introduce()
	w.Impair("loss", nil, nil, Link{Loss: l.loss})
	w.Run(p.periods(2)) // by then a probe has ended at each member
	before := w.total()
	w.Run(p.periods(probes / n))
	after := w.total()
	return Observations{
		"probes, " + l.name(): {float64(after.Probes - before.Probes)},
		"failed, " + l.name(): {float64(after.ProbesFailed - before.ProbesFailed)},
	}
}

// theory is the probability that a probe fails.
func (l doubtful) theory() float64 {
	q := 1 - l.loss // a packet arrives
	return (1 - q*q) * math.Pow(1-q*q*q*q, float64(l.helpers))
}

func concludeSuspicion(o Observations, out *Outcome) {
	f := Figure{
		Title: "Probes of healthy members that fail",
		Text: "Which part of all probes fails although the member is well, over how many others are asked to probe it too. " +
			"Each of them makes that rarer by a constant factor, so the points lie on straight lines on this scale; the broken lines are theory. " +
			"A failed probe raises a suspicion, which the member can refute: it is not yet a wrong verdict.",
		X: Axis{Label: "others that are asked"},
		Y: Axis{Label: "failed probes by all probes", Log: true},
	}
	for _, l := range lossySetups {
		probes, failed := sum(o["probes, "+l.name()]), sum(o["failed, "+l.name()])
		if probes == 0 {
			continue
		}
		expected := l.theory()
		if l.rare {
			// What the bound is at most in 99 of 100 runs, if theory is right.
			most := math.Ceil(1e6*poissonUpper(poissonQuantile(expected*probes, 0.99))/probes) / 1e6
			out.atMost("failed probes by all probes, "+l.name()+", 95 % upper bound", expected, most, poissonUpper(int(failed))/probes, int(probes))
		} else {
			out.near("failed probes by all probes, "+l.name(), expected, 10, failed/probes, int(probes))
		}
		f.plot(l, failed/probes)
	}
	out.Figures = append(out.Figures, f)
}

// plot enters a point and its theory into the series of its loss.
func (f *Figure) plot(l doubtful, measured float64) {
	name := fmt.Sprintf("loss %g %%", 100*l.loss)
	last := len(f.Series) - 2
	if last < 0 || f.Series[last].Name != name {
		f.Series = append(f.Series, Series{Name: name, Mark: MarkPoints}, Series{Name: name + ", theory", Mark: MarkTheory})
		last = len(f.Series) - 2
	}
	points, theory := &f.Series[last], &f.Series[last+1]
	theory.add(float64(l.helpers), l.theory())
	if measured > 0 { // zero has no place on a logarithmic axis
		points.add(float64(l.helpers), measured)
	}
}

// poissonQuantile returns the least number of events that a part of all
// observations around a mean does not exceed.
func poissonQuantile(mean, part float64) int {
	events := 0
	for atMost(events, mean) < part {
		events++
	}
	return events
}
