package sim

import (
	"cmp"
	"slices"
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// What happens first comes out first; at one instant the lower rank, then what
// was entered earlier.
func TestQueueIsInOrder(t *testing.T) {
	type key struct {
		at     swim.Instant
		rank   uint8
		number int
	}
	d := roll(1, "queue")
	var q queue
	var want, got []key
	waiting := map[uint64]key{}
	put := func(number int) {
		k := key{swim.Instant(d.below(50)), uint8(d.below(4)), number}
		q.add(happening{at: k.at, cause: uint64(number)}, k.rank)
		waiting[uint64(number)] = k
	}
	for number := range 3000 {
		put(number)
		if d.below(3) == 0 {
			h, ref := q.take()
			k := waiting[h.cause]
			q.done(ref)
			for _, other := range waiting {
				if compareKeys(k.at, other.at, k.rank, other.rank, k.number, other.number) > 0 {
					t.Fatalf("%v came before %v", k, other)
				}
			}
			delete(waiting, uint64(k.number))
		}
	}
	for _, k := range waiting {
		want = append(want, k)
	}
	slices.SortFunc(want, func(a, b key) int { return compareKeys(a.at, b.at, a.rank, b.rank, a.number, b.number) })
	for len(q.heap) > 0 {
		h, ref := q.take()
		got = append(got, waiting[h.cause])
		q.done(ref)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(q.table) > 3000 || len(q.free) != len(q.table) {
		t.Errorf("%d places, %d free", len(q.table), len(q.free))
	}
}

func compareKeys(at, at2 swim.Instant, rank, rank2 uint8, number, number2 int) int {
	return cmp.Or(cmp.Compare(at, at2), cmp.Compare(rank, rank2), cmp.Compare(number, number2))
}
