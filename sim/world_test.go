package sim

import (
	"runtime"
	"testing"
	"time"
)

func TestNodesFindEachOther(t *testing.T) {
	w := New(1, LAN)
	w.Grow(16)
	if !w.RunUntil(time.Minute, func() bool { return w.everybodySees(15) }) {
		t.Fatal("not everybody knows everybody after a minute")
	}
	w.Node(3).Crash()
	if !w.RunUntil(time.Minute, func() bool { return w.everybodySees(14) }) {
		t.Fatal("a crash went unnoticed for a minute")
	}
}

func (w *World) everybodySees(others int) bool {
	for _, n := range w.nodes {
		if n.running && n.core.NumActive() != others {
			return false
		}
	}
	return true
}

// A run is the same twice, and whatever the number of processors is.
func TestSameSeedSameRun(t *testing.T) {
	run := func() uint64 {
		w := New(7, LAN)
		w.Grow(9)
		w.Run(10 * time.Second)
		cut := w.Partition(Nodes(0, 1, 2), Nodes(3, 4, 5, 6))
		loss := w.Impair("loss", nil, nil, Link{Loss: 0.1, Duplicate: 0.1, Spread: time.Second})
		w.Run(time.Minute)
		cut.End()
		loss.End()
		w.Node(8).Start(Boot{})
		w.Run(time.Minute)
		return w.Hash()
	}
	first := run()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if again := run(); again != first {
		t.Errorf("%x, then %x", first, again)
	}
}

func BenchmarkQuietCluster(b *testing.B) {
	w := New(1, LAN)
	w.Grow(64)
	w.Run(time.Minute)
	b.ReportAllocs()
	start := w.Now()
	for b.Loop() {
		w.Run(time.Second)
	}
	hours := 64 * w.Now().Sub(start).Hours()
	b.ReportMetric(hours/b.Elapsed().Seconds(), "node-hours/s")
}
