package swim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// seeded runs a test with several random seeds, each as a subtest that is
// named after its seed.
func seeded(t *testing.T, runs int, test func(t *testing.T, rnd *rand.Rand)) {
	for seed := range uint64(runs) {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			test(t, rand.New(rand.NewPCG(seed, 0)))
		}) {
			return
		}
	}
}

func TestHeapEntryTakes24Bytes(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size != 24 {
		t.Errorf("an entry takes %d bytes", size)
	}
}

func TestHeapHandsOutByInstantThenRank(t *testing.T) {
	seeded(t, 200, func(t *testing.T, rnd *rand.Rand) {
		var h heap
		var model []entry
		for step := range 500 {
			if rnd.IntN(5) < 3 {
				// Few instants, so that many are equal; the rank is unique.
				e := entry{Instant(rnd.IntN(20) - 10), uint64(rnd.IntN(3))<<56 | uint64(step), rnd.Uint32()}
				h.push(e.at, e.rank, e.ref)
				at, _ := slices.BinarySearchFunc(model, e, func(a, b entry) int {
					if a.before(b) {
						return -1
					}
					return 1
				})
				model = slices.Insert(model, at, e)
			} else if top, ok := h.top(); ok != (len(model) > 0) {
				t.Fatalf("step %d: top says %v with %d entries", step, ok, len(model))
			} else if ok {
				if popped := h.pop(); popped != top || popped != model[0] {
					t.Fatalf("step %d: top %v, popped %v, want %v", step, top, popped, model[0])
				}
				model = model[1:]
			}
			if h.len() != len(model) {
				t.Fatalf("step %d: %d entries, want %d", step, h.len(), len(model))
			}
		}
	})
}

func TestHeapCloneIsIndependent(t *testing.T) {
	var h heap
	for i := range 10 {
		h.push(Instant(10-i), 0, uint32(i))
	}
	c := h.clone()
	for h.len() > 0 {
		h.pop()
	}
	h.push(-1, 0, 99)
	for want := range Instant(10) {
		if e := c.pop(); e.at != want+1 {
			t.Fatalf("the clone handed out %v, want instant %d", e, want+1)
		}
	}
}

func TestHeapInSteadyStateAllocatesNothing(t *testing.T) {
	var h heap
	for i := range 1000 {
		h.push(Instant(i), 0, uint32(i))
	}
	if n := testing.AllocsPerRun(100, func() {
		e := h.pop()
		h.push(e.at+1000, 0, e.ref)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
