package sim

import (
	"math"
	"slices"
	"testing"
	"time"
)

// Each shape has the mean, the median or the tail that it says.
func TestLatenciesAreDistributedAsTheySay(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		of                Latency
		median, tail      time.Duration
		mean              time.Duration
		tolerance, toTail float64
	}{
		{of: Latency{Constant, 3 * ms, 0}, median: 3 * ms, tail: 3 * ms, mean: 3 * ms},
		{of: Latency{Exponential, 10 * ms, 0}, median: 6931 * time.Microsecond, tail: 46052 * time.Microsecond, mean: 10 * ms, tolerance: 0.02, toTail: 0.04},
		{of: Latency{Lognormal, 300 * time.Microsecond, ms}, median: 300 * time.Microsecond, tail: ms, mean: 343 * time.Microsecond, tolerance: 0.02, toTail: 0.04},
		{of: Latency{Pareto, ms, 100 * ms}, median: 2 * ms, tail: 100 * ms, tolerance: 0.03, toTail: 0.1},
		{of: Latency{Bimodal, ms, 50 * ms}, median: ms, tail: 50 * ms, mean: 5900 * time.Microsecond, tolerance: 0.03},
	} {
		var s sampler
		d := roll(1, "latency")
		drawn := make([]time.Duration, 100_000)
		sum := 0.0
		for i := range drawn {
			drawn[i] = s.draw(c.of, d)
			sum += float64(drawn[i])
		}
		slices.Sort(drawn)
		near := func(what string, got, want time.Duration, tolerance float64) {
			if math.Abs(float64(got-want)) > tolerance*float64(want)+1 {
				t.Errorf("%v: %s is %v, want %v", c.of, what, got, want)
			}
		}
		near("the median", drawn[len(drawn)/2], c.median, c.tolerance)
		near("the tail", drawn[len(drawn)*99/100], c.tail, c.toTail)
		if c.mean > 0 {
			near("the mean", time.Duration(sum/float64(len(drawn))), c.mean, c.tolerance)
		}
	}
}

// A tail that is longer than any patience is cut, not wrapped around.
func TestLatencyHasAnEnd(t *testing.T) {
	var s sampler
	d := roll(1, "end")
	for range 100_000 {
		for _, l := range []Latency{{Pareto, time.Minute, time.Hour}, {Exponential, 50 * time.Minute, 0}, {Lognormal, 1, 1000 * time.Hour}} {
			if got := s.draw(l, d); got < 0 || got > longest {
				t.Fatalf("%v drew %v", l, got)
			}
		}
	}
}

func TestLogarithmsOfWholeNumbers(t *testing.T) {
	for _, x := range []uint64{1, 2, 3, 10, 1000, 1 << 40, 1<<64 - 1} {
		if got, want := float64(log2(x))/one, math.Log2(float64(x)); math.Abs(got-want) > 1e-4 {
			t.Errorf("log2(%d) is %v, want %v", x, got, want)
		}
		if got, want := float64(scale(time.Second, log2(x)-30*one)), 1e9*float64(x)/(1<<30); x < 1<<33 && math.Abs(got-want) > 1e-3*want+1 {
			t.Errorf("2^log2(%d) s is %v, want %v", x, got, want)
		}
	}
}
