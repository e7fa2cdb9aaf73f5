package main

import (
	"fmt"
	"math"

	"github.com/selkie-go/selkie/sim"
)

// gallery has a figure of every kind that an experiment of ours has: to look
// at, and to see that each can be drawn.
func gallery() sim.Experiment {
	return sim.NewExperiment("M5", "A figure of every kind", "Nobody", trialsOf(1, nothing), func(_ sim.Observations, out *sim.Outcome) {
		out.Figures = []sim.Figure{distributions(), sizes(), rates(), configurations(), views()}
	})
}

// along returns the values of a function.
func along(name string, mark sim.SeriesMark, xs []float64, y func(float64) float64) sim.Series {
	s := sim.Series{Name: name, Mark: mark, X: xs}
	for _, x := range xs {
		s.Y = append(s.Y, y(x))
	}
	return s
}

// steps returns so many numbers from first on, at the same distance.
func steps(first, distance float64, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = first + distance*float64(i)
	}
	return xs
}

func distributions() sim.Figure {
	f := sim.Figure{
		Title: "How long it takes until a crash is noticed", Text: "The share of crashes that somebody had noticed by then. The lines of all sizes lie on each other: the size of the cluster does not matter.",
		X: sim.Axis{Label: "periods from the crash to the first failed probe"}, Y: sim.Axis{Label: "share of all crashes"},
	}
	for i, n := range []int{10, 100, 1000} {
		off := 1 - 0.04*float64(2-i)
		f.Series = append(f.Series, along(fmt.Sprintf("%d members", n), sim.MarkLine, steps(0, 0.04, 200), func(x float64) float64 {
			return 1 - math.Exp(-x/off) + 0.01*math.Sin(5*x)*math.Exp(-x)
		}))
	}
	f.Series = append(f.Series, along("theory", sim.MarkTheory, steps(0, 0.1, 80), func(x float64) float64 { return 1 - math.Exp(-x) }))
	return f
}

func sizes() sim.Figure {
	xs := []float64{10, 100, 1000, 10000}
	return sim.Figure{
		Title: "How fast news spreads", Text: "Ten times the members cost two periods more.",
		X: sim.Axis{Label: "members", Log: true}, Y: sim.Axis{Label: "periods until everybody knows"},
		Series: []sim.Series{
			along("measured, no loss", sim.MarkLine, xs, func(x float64) float64 { return 0.7*math.Log(x) + 0.8 }),
			along("measured, 10 % loss", sim.MarkLine, xs, func(x float64) float64 { return 0.9*math.Log(x) + 0.7 }),
			along("expected, no loss", sim.MarkTheory, xs, func(x float64) float64 { return 0.72*math.Log(x) + 0.75 }),
			along("expected, 10 % loss", sim.MarkTheory, xs, func(x float64) float64 { return 0.88*math.Log(x) + 0.8 }),
		},
	}
}

func rates() sim.Figure {
	f := sim.Figure{
		Title: "How often a probe of a live member fails", Text: "Each helper makes it rarer by the same factor.",
		X: sim.Axis{Label: "packets lost", Names: []string{"1 %", "5 %", "10 %"}}, Y: sim.Axis{Label: "failed probes / probes", Log: true},
	}
	for k := 1.0; k <= 3; k++ {
		rate := func(x float64) float64 {
			q := 1 - []float64{0.01, 0.05, 0.1}[int(x)]
			return (1 - q*q) * math.Pow(1-q*q*q*q, k)
		}
		f.Series = append(f.Series, along(fmt.Sprintf("%g helpers", k), sim.MarkPoints, steps(0, 1, 3), func(x float64) float64 {
			if k > 1 && x == 0 {
				return 0 // too rare to be seen
			}
			return rate(x) * (1 + 0.04*k)
		}), along(fmt.Sprintf("%g helpers, theory", k), sim.MarkTheory, steps(0, 1, 3), rate))
	}
	return f
}

func configurations() sim.Figure {
	names := []string{"SWIM", "LHA-Probe", "LHA-Suspicion", "Buddy System", "Lifeguard"}
	all, healthy := []float64{100, 67.7, 3, 94.1, 1.53}, []float64{100, 32.9, 6.7, 44.6, 1.89}
	return sim.Figure{
		Title: "Wrong verdicts by configuration", Text: "What each part of Lifeguard adds.",
		X: sim.Axis{Label: "configuration", Names: names}, Y: sim.Axis{Label: "wrong verdicts, % of those of SWIM"},
		Series: []sim.Series{
			along("all", sim.MarkBars, steps(0, 1, 5), func(x float64) float64 { return all[int(x)] * 1.05 }),
			along("at healthy members", sim.MarkBars, steps(0, 1, 5), func(x float64) float64 { return healthy[int(x)] * 0.9 }),
			along("all, published", sim.MarkTheory, steps(0, 1, 5), func(x float64) float64 { return all[int(x)] }),
			along("at healthy members, published", sim.MarkTheory, steps(0, 1, 5), func(x float64) float64 { return healthy[int(x)] }),
		},
	}
}

func views() sim.Figure {
	f := sim.Figure{
		Title: "How many members each member sees", Text: "A cluster of a thousand forms, splits, and heals.",
		X: sim.Axis{Label: "seconds"}, Y: sim.Axis{Label: "members seen"},
	}
	for i := range 10 {
		f.Series = append(f.Series, along(fmt.Sprintf("member %d", i), sim.MarkLine, steps(0, 0.25, 480), func(x float64) float64 {
			switch {
			case x < 10:
				return math.Floor(math.Min(1000, 10*x*x+float64(i)))
			case x > 40+float64(i)/3 && x < 80+float64(i)/5:
				return 500 + float64(i%2)
			}
			return 1000
		}))
	}
	cloud := sim.Series{Name: "sizes seen by all others", Mark: sim.MarkPoints}
	for i := range 1500 {
		cloud.X = append(cloud.X, float64(i)*0.08)
		cloud.Y = append(cloud.Y, 500+400*math.Abs(math.Sin(float64(i*i))))
	}
	f.Series = append(f.Series, cloud)
	return f
}
