package sim

import (
	"fmt"
	"time"
)

// thresholdExperiment is how soon failures are noticed, in the set-up of the
// Lifeguard paper: some of its agents block once, and the healthy ones have to
// notice. What all of it comes to is one line,
//
//	Exp(n / healthy) + period + 5·log10(128) s,
//
// the wait for the first healthy prober, its probe, and the time to refute.
func thresholdExperiment() Experiment {
	return Experiment{
		ID:       "E9",
		Title:    "when members that block are noticed",
		Source:   "Lifeguard, sections V and VI, tables V and VII",
		trials:   thresholdTrials,
		conclude: concludeThreshold,
	}
}

// thresholdCounts are how many members block, and thresholdTimes for how long.
// Nobody is down before 10.5 s are over, so only the last two times can show
// anything; the others are run in full, to show that.
var (
	thresholdCounts = []int{1, 4, 8, 12, 16, 20, 24, 28, 32}
	thresholdTimes  = []int{128, 512, 2048, 8192, 16384, 32768} // ms
)

// A detection is what table V says of a configuration: medians and tails of the
// seconds until the first healthy member noticed, and until all had.
type detection struct {
	name        string
	first, full [3]float64 // p50, p99, p99.9
	judged      bool
}

var tableV = []detection{
	{"SWIM", [3]float64{12.44, 16.96, 19.40}, [3]float64{12.90, 16.93, 20.17}, true},
	{"LHA-Probe", [3]float64{12.42, 17.75, 20.10}, [3]float64{12.90, 17.98, 20.56}, false},
	{"LHA-Suspicion", [3]float64{12.42, 17.47, 25.41}, [3]float64{12.89, 17.33, 23.80}, false},
	{"Buddy", [3]float64{12.45, 17.12, 19.16}, [3]float64{12.92, 17.18, 19.81}, false},
	{"Lifeguard", [3]float64{12.45, 17.90, 21.20}, [3]float64{12.91, 18.05, 21.68}, true},
}

// A cell is what table VII says of Lifeguard with other parameters: the median
// until the first healthy member noticed, in percent of SWIM's with alpha 5.
type cell struct {
	alpha, beta int
	first       float64
}

// tableVII is all of it but alpha 5 with beta 6, which is Lifeguard itself.
var tableVII = []cell{
	{2, 2, 53.14}, {2, 4, 54.10}, {2, 6, 54.34},
	{4, 2, 82.96}, {4, 4, 83.04}, {4, 6, 83.12},
	{5, 2, 99.76}, {5, 4, 99.52},
}

func (c cell) name() string { return fmt.Sprintf("Lifeguard a%d b%d", c.alpha, c.beta) }

// A threshold is one run.
type threshold struct {
	variant
	count, lasts, repeat int
}

func thresholdTrials(full bool) []Trial {
	var all []Trial
	times := thresholdTimes[4:]
	if full {
		times = thresholdTimes
	}
	add := func(v variant, times []int, repeats int) {
		for _, count := range thresholdCounts {
			for _, lasts := range times {
				for repeat := range repeats {
					all = append(all, threshold{v, count, lasts, repeat}.observe)
				}
			}
		}
	}
	for _, v := range paperVariants() {
		repeats := 10
		if !full && v.name != "SWIM" && v.name != "Lifeguard" {
			repeats = 2 // these are shown only
		} else if !full {
			repeats = 8
		}
		add(v, times, repeats)
	}
	for _, cell := range tableVII {
		repeats := 10
		if !full {
			repeats = 2 // hundreds of failures, of which the median is taken
		}
		add(variant{cell.name(), paperLifeguard(cell.alpha, cell.beta), true}, thresholdTimes[4:], repeats)
	}
	return all
}

// observe lets the members block once, until all is well again or two minutes
// are over.
func (t threshold) observe() Observations {
	seed, _ := label(9, "threshold", uint64(t.count), uint64(t.lasts), uint64(t.repeat))
	w := newWard(seed, t.variant, t.count)
	var noticed [agents]struct {
		by    [agents]bool
		count int
	}
	o, began := Observations{}, w.now
	w.onDown(func(n, about uint32) {
		it := &noticed[about]
		if !w.anomalous[about] || w.anomalous[n] || it.by[n] {
			return
		}
		it.by[n] = true
		after := w.now.Sub(began).Seconds()
		if it.count++; it.count == 1 {
			o.add(t.name+" first", after)
		}
		if it.count == agents-t.count {
			o.add(t.name+" full", after)
		}
	})
	o.add(t.name+" blocked", float64(t.count))
	w.block(time.Duration(t.lasts) * time.Millisecond)
	w.RunUntil(2*time.Minute-w.now.Sub(began), func() bool { return w.everybodySees(agents - 1) })
	return o
}

func concludeThreshold(o Observations, out *Outcome) {
	fig := Figure{
		Title: "When the first healthy member notices",
		Text: fmt.Sprintf("Of %d members 1 to 32 block for 16 or 33 s. The part of them that some healthy member has declared down by then; "+
			"the rest are noticed later, or were well again before.", agents),
		X: Axis{Label: "seconds since they block"}, Y: Axis{Label: "part of those noticed"},
	}
	for _, row := range tableV {
		first, full := o[row.name+" first"], o[row.name+" full"]
		row.judge(out, "first", row.first, first)
		row.judge(out, "everywhere", row.full, full)
		fig.Series = append(fig.Series, distribution(row.name, first, 200))
	}
	first, everywhere := o["selkie first"], o["selkie full"]
	for i, part := range detectionParts {
		out.shown("selkie, first "+detectionNames[i]+" s", quantile(first, part), len(first))
		out.shown("selkie, everywhere "+detectionNames[i]+" s", quantile(everywhere, part), len(everywhere))
	}
	fig.Series = append(fig.Series, distribution("selkie", first, 200), predicted())
	was := quantile(o["SWIM first"], 0.5)
	for _, cell := range append(tableVII, cell{alpha, beta, 100.08}) {
		first := o[cell.name()+" first"]
		if cell.alpha == alpha && cell.beta == beta {
			first = o["Lifeguard first"]
		}
		out.near(cell.name()+", first median, % of SWIM", cell.first, 4, percent(quantile(first, 0.5), was), len(first))
	}
	out.Figures = append(out.Figures, fig)
}

var (
	detectionParts = []float64{0.5, 0.99, 0.999}
	detectionNames = []string{"median", "p99", "p99.9"}
)

// judge holds quantiles to those of the table: the median to 3 percent, the tail
// to 8; that of one in a thousand is some few values, and shown.
func (d detection) judge(out *Outcome, what string, want [3]float64, values []float64) {
	for i, part := range detectionParts {
		metric, got := fmt.Sprintf("%s, %s %s s", d.name, what, detectionNames[i]), quantile(values, part)
		switch {
		case d.judged && i == 0:
			out.near(metric, want[i], 3, got, len(values))
		case d.judged && i == 1:
			out.near(metric, want[i], 8, got, len(values))
		default:
			out.beside(metric, want[i], got, len(values))
		}
	}
}

// predicted is the one line of theory for SWIM, by drawing from it. Those who
// block count by their number; none of them probes.
func predicted() Series {
	var values []float64
	d := roll(9, "theory")
	wait := sampler{}
	for _, count := range thresholdCounts {
		mean := time.Second * agents / time.Duration(agents-count)
		for range 50 * count {
			values = append(values, wait.draw(Latency{Shape: Exponential, Typical: mean}, d).Seconds()+1+refutation)
		}
	}
	s := distribution("theory", values, 200)
	s.Mark = MarkTheory
	return s
}

// refutation is 5·log10(128) seconds.
const refutation = 10.536
