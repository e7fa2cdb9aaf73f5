package sim

import (
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// The c of the dissemination bound is measured: how many rounds of gossip it
// takes until everybody knows of new metadata, by log2(N+1).
func TestNewsReachEverybodyInTime(t *testing.T) {
	for _, n := range []int{2, 3, 5, 8, 16, 32, 64} {
		b := boundsOf(n, 3, LAN.Config)
		var all []time.Duration
		count := 0
		for seed := range uint64(4) {
			w := New(seed, LAN.watched())
			w.Grow(n)
			w.Run(3 * time.Minute)
			for version := range uint64(16) {
				m := w.Node(uint32((seed + 3*version) % uint64(n)))
				m.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(version+1, rt) })
				w.Run(3 * time.Second)
			}
			w.Run(b.reach())
			r := w.Report()
			for _, news := range r.Of(NewsMetadata) {
				count++
				if news.Everywhere >= 0 {
					all = append(all, news.Everywhere)
				}
				if news.Everywhere > b.reach() {
					t.Errorf("%d nodes, seed %d: %+v", n, seed, news)
				}
			}
		}
		slices.Sort(all)
		late, _ := slices.BinarySearch(all, b.spread())
		usual := all[len(all)*95/100]
		t.Logf("%d nodes: %d news, half within %v, 95 %% within %v, c = %.2f; %d took longer than D = %v",
			n, count, all[len(all)/2], usual, usual.Seconds()/b.round().Seconds()/float64(bits.Len(uint(n))), count-late, b.spread())
		if (count-late)*20 > count {
			t.Errorf("%d nodes: %d of %d news took longer than %v", n, count-late, count, b.spread())
		}
	}
}
