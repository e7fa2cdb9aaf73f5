package sim

import (
	"fmt"
	"slices"
)

// An Experiment is a result that was published, or that follows from theory, and
// on which a correct simulation of a correct protocol lands. Its trials are
// independent of each other, so they may run at the same time; what they
// observed is judged once all are done.
//
//	var all []Observations
//	for _, trial := range e.Trials(false) {
//		all = append(all, trial())
//	}
//	outcome := e.Conclude(all)
type Experiment struct {
	ID     string // such as "E1"
	Title  string // what is measured, in a few words
	Source string // where the expected values come from

	trials   func(full bool) []Trial
	conclude func(o Observations, out *Outcome)
}

// NewExperiment returns an experiment that is none of ours, such as one of a
// test of what shows experiments. What conclude makes of the observations gets
// the ID of the experiment.
func NewExperiment(id, title, source string, trials func(full bool) []Trial, conclude func(o Observations, out *Outcome)) Experiment {
	return Experiment{ID: id, Title: title, Source: source, trials: trials, conclude: conclude}
}

// A Trial is one run of a part of an experiment. It keeps its seed: called
// again, it observes the same.
type Trial func() Observations

// longestFirst collects trials for several workers. Those that take the longest
// come first, so that nobody is still busy with one when all others are done.
type longestFirst []job

// A job is a trial, and how long it takes compared with others.
type job struct {
	work  int
	trial Trial
}

// add adds a trial.
func (l *longestFirst) add(work int, trial Trial) {
	*l = append(*l, job{work, trial})
}

// list returns the trials in their order.
func (l longestFirst) list() []Trial {
	slices.SortStableFunc(l, func(a, b job) int { return b.work - a.work })
	trials := make([]Trial, len(l))
	for i := range l {
		trials[i] = l[i].trial
	}
	return trials
}

// Observations are values that were observed, under the names of what was.
type Observations map[string][]float64

// add notes values.
func (o Observations) add(name string, values ...float64) { o[name] = append(o[name], values...) }

// Trials returns what has to be run: as much as fits into two minutes of two
// processors or, in full, as much as was published.
func (e *Experiment) Trials(full bool) []Trial { return e.trials(full) }

// Conclude judges what the trials observed, in their order.
func (e *Experiment) Conclude(trials []Observations) Outcome {
	all := Observations{}
	for _, o := range trials {
		for name, values := range o { // each name has a list of its own, so the order does not matter
			all.add(name, values...)
		}
	}
	out := Outcome{}
	e.conclude(all, &out)
	for i := range out.Findings {
		out.Findings[i].ID = e.ID
	}
	return out
}

// An Outcome is what came of an experiment.
type Outcome struct {
	Findings []Finding
	Figures  []Figure
}

// A Finding is one measured value beside the one that was expected.
type Finding struct {
	ID     string `json:"id"`
	Metric string `json:"metric"`
	// Expected is the published value, or what theory says.
	Expected float64 `json:"expected"`
	// Tolerance says in words how far from it the measured value may be, or
	// "none": then there is nothing to compare it with yet.
	Tolerance string  `json:"tolerance"`
	Measured  float64 `json:"measured"`
	Samples   int     `json:"samples"` // observations behind the measured value
	OK        bool    `json:"ok"`
}

// near adds a finding that is to be within some percent of a value.
func (out *Outcome) near(metric string, expected, percent, measured float64, samples int) {
	off := expected * percent / 100
	out.Findings = append(out.Findings, Finding{Metric: metric, Expected: expected, Tolerance: fmt.Sprintf("± %.4g %%", percent),
		Measured: measured, Samples: samples, OK: samples > 0 && measured >= expected-off && measured <= expected+off})
}

// within adds a finding that is to be from least to most.
func (out *Outcome) within(metric string, expected, least, most, measured float64, samples int) {
	out.Findings = append(out.Findings, Finding{Metric: metric, Expected: expected, Tolerance: fmt.Sprintf("%.4g to %.4g", least, most),
		Measured: measured, Samples: samples, OK: samples > 0 && measured >= least && measured <= most})
}

// atMost adds a finding that is not to be larger than some value.
func (out *Outcome) atMost(metric string, expected, most, measured float64, samples int) {
	out.Findings = append(out.Findings, Finding{Metric: metric, Expected: expected, Tolerance: fmt.Sprintf("at most %.4g", most),
		Measured: measured, Samples: samples, OK: samples > 0 && measured <= most})
}

// shown adds a finding that is not judged.
func (out *Outcome) shown(metric string, measured float64, samples int) {
	out.Findings = append(out.Findings, Finding{Metric: metric, Tolerance: "none", Measured: measured, Samples: samples, OK: true})
}

// A Figure is a plot of what an experiment observed, as data: how it is drawn
// is for whoever shows it.
type Figure struct {
	Title string `json:"title"`
	// Text says what can be seen, to somebody who does not know the code.
	Text   string   `json:"text"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series"`
}

// An Axis is what is laid off along one side of a figure.
type Axis struct {
	Label string   `json:"label"`
	Log   bool     `json:"log,omitempty"`
	Names []string `json:"names,omitempty"` // of the values 0, 1, …, if they are no numbers
}

// A Series is some points of a figure that belong together, in the order of X.
type Series struct {
	Name string     `json:"name"`
	Mark SeriesMark `json:"mark"`
	X    []float64  `json:"x"`
	Y    []float64  `json:"y"`
}

// add appends a point.
func (s *Series) add(x, y float64) { s.X, s.Y = append(s.X, x), append(s.Y, y) }

// A SeriesMark says how a series is drawn.
type SeriesMark string

// The marks.
const (
	MarkLine   SeriesMark = "line"   // measured, as a line
	MarkTheory SeriesMark = "theory" // expected, as a broken line
	MarkPoints SeriesMark = "points" // measured, each point for itself
	MarkBars   SeriesMark = "bars"
)

// distribution returns how values are distributed, as a series of at most so
// many points: of each, which part of all values is no larger.
func distribution(name string, values []float64, points int) Series {
	s := Series{Name: name, Mark: MarkLine}
	sorted := slices.Sorted(slices.Values(values))
	for i := range points {
		if len(sorted) == 0 {
			break
		}
		at := (len(sorted) - 1) * i / max(points-1, 1)
		s.X = append(s.X, sorted[at])
		s.Y = append(s.Y, float64(at+1)/float64(len(sorted)))
	}
	return s
}

// quantile returns the least value that a part of all does not exceed.
func quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

// counted returns which part of some values, which are whole numbers, is 1, 2 and
// so on.
func counted(name string, values []float64, most int) Series {
	s := Series{Name: name, Mark: MarkBars, X: make([]float64, most), Y: make([]float64, most)}
	for i := range most {
		s.X[i] = float64(i + 1)
	}
	for _, v := range values {
		if at := int(v) - 1; at >= 0 && at < most {
			s.Y[at] += 1 / float64(len(values))
		}
	}
	return s
}

// experimentSeed returns the seed of a part of a trial of an experiment.
func experimentSeed(id string, trial, part int) uint64 {
	seed, _ := label(0, "experiment "+id, uint64(trial), uint64(part))
	return seed
}

// sum adds values up.
func sum(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

// mean returns the average.
func mean(values []float64) float64 { return sum(values) / float64(max(len(values), 1)) }

// Experiments are all of them, in the order in which to print them. Each is
// defined in a file of its own.
func Experiments() []Experiment { return slices.Clone(experiments) }

var experiments = []Experiment{
	probeTime, completeness, messageLoad, falseSuspicion, infection, gossipLayer,
	thresholdExperiment(), intervalExperiment(), lossExperiment(), crashExperiment(), bootstrap, bandwidth, syncCost, healing, churn,
}
