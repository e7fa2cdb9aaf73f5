package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/sim"
)

// mainMadeUp is selkie with experiments that take no time.
func mainMadeUp() {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, experiments: madeUp()}
	os.Exit(a.run(os.Args[1:]))
}

// madeUp returns experiments of every kind that there is: one that goes well,
// one with a finding that is off, one that panics, and one that never ends.
func madeUp() []sim.Experiment {
	return []sim.Experiment{
		sim.NewExperiment("M1", "Sums of two dice", "The theory of chance", dice, concludeDice),
		sim.NewExperiment("M2", "What is <off> & empty", "Nobody", trialsOf(1, nothing), func(_ sim.Observations, out *sim.Outcome) {
			out.Findings = []sim.Finding{
				{Metric: "is <off>", Expected: 1, Tolerance: "± 2 %", Measured: 0.00002, Samples: 12345},
				{Metric: "is no number", Expected: 1, Tolerance: "± 2 %", Measured: math.NaN()},
			}
			out.Figures = []sim.Figure{{Title: "An <empty> figure", X: sim.Axis{Label: "x"}, Y: sim.Axis{Label: "y"}}}
		}),
		sim.NewExperiment("M3", "A panic", "Nobody", trialsOf(3, func(i int) sim.Observations {
			if i == 1 {
				panic("out of luck")
			}
			return nil
		}), nil),
		sim.NewExperiment("M4", "A trial without an end", "Nobody", trialsOf(1, func(int) sim.Observations {
			fmt.Fprintln(os.Stderr, "begun")
			select {}
		}), nil),
		gallery(),
	}
}

// trialsOf returns the same trial so many times.
func trialsOf(n int, trial func(i int) sim.Observations) func(bool) []sim.Trial {
	return func(full bool) []sim.Trial {
		var trials []sim.Trial
		for i := range n {
			trials = append(trials, func() sim.Observations { return trial(i) })
		}
		return trials
	}
}

func nothing(int) sim.Observations { return nil }

// dice rolls two dice, in as many ways as there are, and more often in full.
func dice(full bool) []sim.Trial {
	times := 1
	if full {
		times = 2
	}
	return trialsOf(6*times, func(i int) sim.Observations {
		o := sim.Observations{}
		for second := range 6 {
			o["sum"] = append(o["sum"], float64(i%6+second+2))
		}
		return o
	})(full)
}

func concludeDice(o sim.Observations, out *sim.Outcome) {
	bars := sim.Series{Name: "rolled", Mark: sim.MarkBars}
	theory := sim.Series{Name: "theory", Mark: sim.MarkTheory}
	counts := map[float64]float64{}
	total := 0.0
	for _, v := range o["sum"] {
		counts[v]++
		total += v
	}
	for sum := 2.0; sum <= 12; sum++ {
		bars.X, bars.Y = append(bars.X, sum), append(bars.Y, counts[sum]/float64(len(o["sum"])))
		theory.X, theory.Y = append(theory.X, sum), append(theory.Y, (6-math.Abs(7-sum))/36)
	}
	out.Findings = []sim.Finding{
		{Metric: "mean", Expected: 7, Tolerance: "± 1 %", Measured: total / float64(len(o["sum"])), Samples: len(o["sum"]), OK: true},
		{Metric: "first", Tolerance: "none", Measured: o["sum"][0], Samples: 1, OK: true},
	}
	out.Figures = []sim.Figure{{
		Title: "How often each sum came", Text: "Seven comes most often.",
		X: sim.Axis{Label: "sum of both dice"}, Y: sim.Axis{Label: "part of all rolls"}, Series: []sim.Series{bars, theory},
	}}
}

func TestAnExperimentIsTheSameWhateverRunsAtOnce(t *testing.T) {
	e := madeUp()[0]
	one := runExperiment(t.Context(), e, true, 1, io.Discard)
	many := runExperiment(t.Context(), e, true, 5, io.Discard)
	if one.err != nil || many.err != nil {
		t.Fatal(one.err, many.err)
	}
	if one.trials != 12 || len(one.Findings) != 2 || one.Findings[0].ID != "M1" {
		t.Errorf("got %d trials and %+v", one.trials, one.Findings)
	}
	if !reflect.DeepEqual(one.Outcome, many.Outcome) {
		t.Errorf("got\n%+v\nand with five at once\n%+v", one.Outcome, many.Outcome)
	}
}

func TestTrialsAreNeverMoreAtOnceThanAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		trials := trialsOf(10, func(i int) sim.Observations {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Duration(10-i) * time.Second) // the later ones end first
			now.Add(-1)
			return sim.Observations{"trial": {float64(i)}}
		})(false)
		observed, err := runTrials(t.Context(), trials, 3, func(int) {})
		if err != nil || most.Load() != 3 {
			t.Errorf("%d at once: %v", most.Load(), err)
		}
		for i, o := range observed {
			if o["trial"][0] != float64(i) {
				t.Errorf("trial %d stands at %d", int(o["trial"][0]), i)
			}
		}
	})
}

func TestTolerancesAreReadable(t *testing.T) {
	for tolerance, want := range map[string]string{
		"± 2.5 %": "± 2.5 %", "12 to 1999": "12 to 1,999", "at most 3.147896810935995e-05": "at most 3.15×10⁻⁵", "none": "none",
	} {
		if got := readable(tolerance); got != want {
			t.Errorf("%q: got %q, want %q", tolerance, got, want)
		}
	}
}

func TestAPanicNamesItsTrial(t *testing.T) {
	e := madeUp()[2]
	r := runExperiment(t.Context(), e, false, 2, io.Discard)
	if r.err == nil || !strings.HasPrefix(r.err.Error(), "trial 2 of 3 panicked: out of luck, at sim_experiment_test.go:") {
		t.Errorf("got %v", r.err)
	}
	noPlan := sim.NewExperiment("M", "", "", func(bool) []sim.Trial { panic("none") }, nil)
	if r := runExperiment(t.Context(), noPlan, false, 2, io.Discard); r.err == nil || !strings.HasPrefix(r.err.Error(), "the plan of its trials panicked: none") {
		t.Errorf("got %v", r.err)
	}
	noEnd := sim.NewExperiment("M", "", "", trialsOf(1, nothing), func(sim.Observations, *sim.Outcome) { panic("none") })
	if r := runExperiment(t.Context(), noEnd, false, 2, io.Discard); r.err == nil || !strings.HasPrefix(r.err.Error(), "its conclusion panicked: none") {
		t.Errorf("got %v", r.err)
	}
}

func TestNobodyWaitsForATrialThatDoesNotEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun, release := make(chan bool), make(chan bool)
	defer close(release)
	stuck := trialsOf(4, func(int) sim.Observations { begun <- true; <-release; return nil })(false)
	go func() { <-begun; cancel() }()
	if _, err := runTrials(ctx, stuck, 1, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
