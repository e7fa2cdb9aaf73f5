package swim

import (
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkOutbox submits one event and takes the one that is due, while
// 100,000 suspicions wait.
func BenchmarkOutbox(b *testing.B) {
	const waiting = 100_000
	const reach = time.Second
	rnd := rand.New(rand.NewPCG(1, 2))
	now := Instant(0)
	out := NewOutbox[ID](func() Instant { return now })
	event := Timer[ID]{Kind: TimerSuspicion}
	for range waiting {
		out.SubmitAfter(event, time.Duration(rnd.Int64N(int64(reach))))
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(out.Wake())
		for due := range out.Due() {
			out.SubmitAfter(due, time.Duration(rnd.Int64N(int64(reach))))
			break
		}
	}
	if out.Len() != waiting {
		b.Fatalf("%d events wait, want %d", out.Len(), waiting)
	}
}
