package sim

import (
	"fmt"
	"time"
)

// intervalExperiment is how many healthy members are declared dead in the set-up
// of the Lifeguard paper: some agents block again and again for two minutes.
func intervalExperiment() Experiment {
	return Experiment{
		ID:       "E10",
		Title:    "healthy members that are declared dead while others block again and again",
		Source:   "Lifeguard, section V, tables IV and VI",
		trials:   intervalTrials,
		conclude: concludeInterval,
	}
}

// intervalTimes are for how long, in milliseconds, members do not block in
// between; how many there are and for how long they do is as in the other
// experiment.
var intervalTimes = []int{1, 4, 16, 64, 256, 1024, 4096, 16384}

// A falsity is what table IV says of a configuration: failures of healthy members
// as parts of those of SWIM, at any member and at healthy ones, and where they
// have to lie here. That of few events is held to its upper bound.
type falsity struct {
	name                 string
	all, healthy         float64 // percent of SWIM's
	leastAll, mostAll    float64
	leastHere, mostHere  float64 // of those at healthy members; not judged if zero
	perRun, perRunHealth float64
}

// enoughRuns is how many runs it takes to judge failures at healthy members. They
// are few, and come a hundred at once: a verdict that nobody had heard a suspicion
// before reaches nearly everybody before it is refuted.
const enoughRuns = 4000

var tableIV = []falsity{
	{name: "SWIM", all: 100, healthy: 100, perRun: 78.5, perRunHealth: 0.307},
	{name: "LHA-Probe", all: 67.72, healthy: 32.88, leastAll: 50, mostAll: 85, perRun: 53.1, perRunHealth: 0.101},
	{name: "LHA-Suspicion", all: 3.00, healthy: 6.71, leastAll: 1, mostAll: 6, perRun: 2.36, perRunHealth: 0.021},
	{name: "Buddy", all: 94.08, healthy: 44.57, leastHere: 30, mostHere: 60, perRun: 73.8, perRunHealth: 0.137},
	{name: "Lifeguard", all: 1.53, healthy: 1.89, mostAll: 3, mostHere: 4, perRun: 1.20, perRunHealth: 0.0058},
}

// An interval is one run.
type interval struct {
	variant
	count, on, off, repeat int
}

// intervalTrials are all combinations, once or as often as was published.
func intervalTrials(full bool) []Trial {
	var all []Trial
	repeats := 1
	if full {
		repeats = 10
	}
	for _, v := range paperVariants() {
		for _, count := range thresholdCounts {
			for _, on := range thresholdTimes {
				for _, off := range intervalTimes {
					for repeat := range repeats {
						all = append(all, interval{v, count, on, off, repeat}.observe)
					}
				}
			}
		}
	}
	return all
}

// observe lets the members block again and again, for at least two minutes.
func (i interval) observe() Observations {
	seed, _ := label(10, "interval", uint64(i.count), uint64(i.on), uint64(i.off), uint64(i.repeat))
	w := newWard(seed, i.variant, i.count)
	everywhere, healthy := 0, 0
	w.onDown(func(n, about uint32) {
		if w.anomalous[about] {
			return
		}
		everywhere++
		if !w.anomalous[n] {
			healthy++
		}
	})
	began, before := w.now, w.sent()
	for w.now.Sub(began) < 2*time.Minute {
		w.block(time.Duration(i.on) * time.Millisecond)
		w.Run(time.Duration(i.off) * time.Millisecond)
	}
	sent, memberSeconds := w.sent(), agents*w.now.Sub(began).Seconds()
	o := Observations{}
	o.add(i.name+" everywhere", float64(everywhere))
	o.add(i.name+" healthy", float64(healthy))
	o.add(fmt.Sprint(i.name, " count ", i.count), float64(everywhere))
	o.add(fmt.Sprint(i.name, " on ", i.on), float64(everywhere))
	o.add(fmt.Sprint(i.name, " off ", i.off), float64(everywhere))
	o.add(i.name+" packets", float64(sent.Packets-before.Packets)/memberSeconds)
	o.add(i.name+" bytes", float64(sent.Bytes-before.Bytes)/memberSeconds)
	return o
}

func concludeInterval(o Observations, out *Outcome) {
	for _, row := range tableIV {
		row.judge(o, out)
	}
	for _, v := range paperVariants() {
		name := v.name
		runs := len(o[name+" packets"])
		for _, what := range []string{"packets", "bytes"} {
			was, is := mean(o["SWIM "+what]), mean(o[name+" "+what])
			metric := fmt.Sprintf("%s, %s per member and second", name, what)
			out.shown(metric, is, runs)
			if name != "Lifeguard" {
				continue
			}
			if metric = fmt.Sprintf("Lifeguard, %s, %% of SWIM", what); what == "packets" {
				out.within(metric, 110.59, 105, 115, percent(is, was), runs)
			} else {
				out.within(metric, 97.97, 95, 102, percent(is, was), runs)
			}
		}
		if name == "selkie" {
			out.shown("selkie, failures of healthy members per run", mean(o[name+" everywhere"]), runs)
			out.shown("selkie, of these at healthy ones", mean(o[name+" healthy"]), runs)
		}
	}
	out.Figures = append(out.Figures, falseFailures(o),
		failuresOver(o, "count", "members that block", thresholdCounts, false),
		failuresOver(o, "on", "for how long they block, ms", thresholdTimes, true),
		failuresOver(o, "off", "for how long they do not in between, ms", intervalTimes, true))
}

// percent returns a as so many in a hundred of b.
func percent(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return 100 * a / b
}

// total returns the sum of whole numbers.
func total(values []float64) int {
	sum := 0
	for _, v := range values {
		sum += int(v)
	}
	return sum
}

// positive counts the values above zero.
func positive(values []float64) int {
	count := 0
	for _, v := range values {
		if v > 0 {
			count++
		}
	}
	return count
}

// judge holds the failures of a configuration, as parts of SWIM's, to the table.
func (f falsity) judge(o Observations, out *Outcome) {
	all, healthy := o[f.name+" everywhere"], o[f.name+" healthy"]
	runs := len(all)
	out.beside(f.name+", failures of healthy members per run", f.perRun, mean(all), runs)
	out.beside(f.name+", of these at healthy ones", f.perRunHealth, mean(healthy), runs)
	out.shown(f.name+", runs with any at healthy ones, %", percent(float64(positive(healthy)), float64(runs)), runs)
	if f.name == "SWIM" {
		return
	}
	part := percent(mean(all), mean(o["SWIM everywhere"]))
	metric := f.name + ", failures, % of SWIM"
	if f.mostAll > 0 {
		out.within(metric, f.all, f.leastAll, f.mostAll, part, runs)
	} else {
		out.beside(metric, f.all, part, runs)
	}
	metric = f.name + ", failures at healthy members, % of SWIM"
	was := float64(total(o["SWIM healthy"]))
	switch {
	case runs < enoughRuns:
		out.beside(metric, f.healthy, percent(float64(total(healthy)), was), runs)
	case f.leastHere > 0:
		out.within(metric, f.healthy, f.leastHere, f.mostHere, percent(float64(total(healthy)), was), runs)
	case f.mostHere > 0:
		out.atMost(metric+", upper bound", f.healthy, f.mostHere, percent(poissonUpper(total(healthy)), was), runs)
	default:
		out.beside(metric, f.healthy, percent(float64(total(healthy)), was), runs)
	}
}

// falseFailures shows how many there are with each configuration.
func falseFailures(o Observations) Figure {
	fig := Figure{
		Title: "Healthy members declared dead",
		Text: fmt.Sprintf("Of %d members 1 to 32 block again and again for two minutes. How often in a run anybody is told that a member is dead "+
			"that never blocked; and how often one is told that did not block itself.", agents),
		Y: Axis{Label: "failures per run", Log: true},
	}
	var all, healthy []float64
	for _, v := range paperVariants() {
		fig.X.Names = append(fig.X.Names, v.name)
		all = append(all, mean(o[v.name+" everywhere"]))
		healthy = append(healthy, mean(o[v.name+" healthy"]))
	}
	for _, s := range []struct {
		name   string
		values []float64
	}{{"told to anybody", all}, {"told to healthy members", healthy}} {
		fig.Series = append(fig.Series, series(s.name, MarkBars, len(s.values), func(i int) (x, y float64) { return float64(i), s.values[i] }))
	}
	return fig
}

// failuresOver shows how they depend on one of the three numbers of a run.
func failuresOver(o Observations, of, label string, values []int, log bool) Figure {
	fig := Figure{
		Title: "Healthy members declared dead, by " + label,
		Text:  "The same runs, apart by " + label + ".",
		X:     Axis{Label: label, Log: log},
		Y:     Axis{Label: "failures per run", Log: true},
	}
	for _, v := range paperVariants() {
		fig.Series = append(fig.Series, series(v.name, MarkLine, len(values), func(i int) (x, y float64) {
			return float64(values[i]), mean(o[fmt.Sprint(v.name, " ", of, " ", values[i])])
		}))
	}
	return fig
}
