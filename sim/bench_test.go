package sim

import (
	"testing"
	"time"
)

// hoursPerCPU measures how much simulated time comes of a second of a processor:
// node-hours of what runs in between.
func hoursPerCPU(b *testing.B, run func() (nodeHours float64)) {
	hours := 0.0
	began := cpuTime(b)
	for b.Loop() {
		hours += run()
	}
	b.ReportMetric(hours/(cpuTime(b)-began).Seconds(), "node-hours/cpu-s")
}

// resting returns a cluster that has come to rest.
func resting(nodes int, watch bool) *World {
	w := New(1, LAN)
	w.Watch = watch
	w.Grow(nodes)
	w.Run(2 * time.Minute)
	return w
}

// BenchmarkQuietCluster measures 64 members to whom nothing happens, with all
// checks and without.
func BenchmarkQuietCluster(b *testing.B) {
	for _, mode := range []struct {
		name  string
		watch bool
	}{{"checked", true}, {"unchecked", false}} {
		b.Run(mode.name, func(b *testing.B) {
			w := resting(64, mode.watch)
			b.ReportAllocs()
			hoursPerCPU(b, func() float64 {
				w.Run(time.Second)
				return 64 * time.Second.Hours()
			})
		})
	}
}

// BenchmarkSwarmMix measures drawn plans, of any length and of that of continuous
// integration. The seeds are always the same, so that the figures can be compared.
func BenchmarkSwarmMix(b *testing.B) {
	for _, mix := range []struct {
		name string
		Mix
	}{{"default", Mix{}}, {"short", Mix{MaxNodes: 32, Least: time.Minute, Most: 6 * time.Minute}}} {
		b.Run(mix.name, func(b *testing.B) {
			seed := uint64(0)
			hoursPerCPU(b, func() float64 {
				seed++
				return Draw(seed%200, mix.Mix).Run(nil).NodeHours
			})
		})
	}
}

// BenchmarkThousand measures how much faster than in reality 1,000 members live
// on one processor to whom nothing happens, after they found each other packet
// by packet: with all checks and without.
func BenchmarkThousand(b *testing.B) {
	for _, mode := range []struct {
		name  string
		watch bool
	}{{"checked", true}, {"unchecked", false}} {
		b.Run(mode.name, func(b *testing.B) {
			w := resting(1000, mode.watch)
			b.ReportAllocs()
			began, start := cpuTime(b), w.Now()
			for b.Loop() {
				w.Run(time.Second)
			}
			b.ReportMetric(w.Now().Sub(start).Seconds()/(cpuTime(b)-began).Seconds(), "virtual-s/cpu-s")
		})
	}
}
