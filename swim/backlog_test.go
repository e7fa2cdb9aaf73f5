package swim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A naiveBacklog is a backlog that is easy to believe: it sorts.
type naiveBacklog struct {
	items []naiveItem
	now   int
}

type naiveItem struct {
	slot     uint32
	priority priority
	told     int
	since    int // when it came into its class
}

func (n *naiveBacklog) sort() {
	slices.SortFunc(n.items, func(a, b naiveItem) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.told, b.told), cmp.Compare(a.since, b.since))
	})
}

func (n *naiveBacklog) find(slot uint32) int {
	return slices.IndexFunc(n.items, func(i naiveItem) bool { return i.slot == slot })
}

func (n *naiveBacklog) push(slot uint32, p priority) {
	if i := n.find(slot); i >= 0 {
		if n.items[i].told == 0 && n.items[i].priority == p {
			return
		}
		n.remove(slot)
	}
	n.now++
	n.items = append(n.items, naiveItem{slot, p, 0, n.now})
}

func (n *naiveBacklog) remove(slot uint32) {
	if i := n.find(slot); i >= 0 {
		n.items = slices.Delete(n.items, i, i+1)
	}
}

func (n *naiveBacklog) expire(limit int) {
	n.items = slices.DeleteFunc(n.items, func(i naiveItem) bool { return i.told >= limit })
}

func (n *naiveBacklog) gather(limit, most int, skip uint32) (out []uint32) {
	n.expire(limit)
	n.sort()
	for _, i := range n.items {
		if i.slot != skip && len(out) < most {
			out = append(out, i.slot)
		}
	}
	return out
}

func (n *naiveBacklog) sent(limit int, gathered []uint32, told []bool) {
	for i, slot := range gathered {
		if told[i] {
			item := &n.items[n.find(slot)]
			item.told++
			n.now++
			item.since = n.now
		}
	}
	n.expire(limit)
}

// checkBacklog checks that the backlog holds what the naive one does, that its
// records know their places, and that holes are few.
func checkBacklog(t *testing.T, r *roster[ID, Addr], b *backlog, n *naiveBacklog) {
	t.Helper()
	n.sort()
	i := 0
	b.each(func(slot uint32, p priority, told int) {
		if i >= len(n.items) {
			t.Fatalf("more than %d items", len(n.items))
		}
		if want := n.items[i]; slot != want.slot || p != want.priority || told != want.told {
			t.Fatalf("item %d is %d, priority %d, told %d times; want %+v", i, slot, p, told, want)
		}
		if ring, place := b.locate(r, slot); ring != &b.rings[p] || ring.class(place) != told {
			t.Fatalf("%d is not where its record says", slot)
		}
		i++
	})
	if i != len(n.items) || b.len() != i {
		t.Fatalf("%d items, len says %d, want %d", i, b.len(), len(n.items))
	}
	queued := 0
	for slot := range r.each {
		if ring, _ := b.locate(r, slot); ring != nil {
			queued++
		}
	}
	if queued != i {
		t.Fatalf("%d records say that they are queued, want %d", queued, i)
	}
}

// checkHoles checks that holes are few, as they are when something was told.
func checkHoles(t *testing.T, b *backlog) {
	t.Helper()
	for p := range b.rings {
		ring := &b.rings[p]
		if holes := ring.span() - ring.count; holes > max(ring.span()/2, leastRing) {
			t.Fatalf("%d holes among %d items", holes, ring.count)
		}
	}
}

func TestBacklogAgreesWithANaiveOne(t *testing.T) {
	seeded(t, 200, func(t *testing.T, rnd *rand.Rand) {
		members := 1 + rnd.IntN(200)
		priorities := 1 + rnd.IntN(int(numPriorities))
		atMost := 1 + rnd.IntN(2*members)
		limit := 1 + rnd.IntN(12)
		if rnd.IntN(4) == 0 {
			limit = MaxTransmissions
		}
		r := newRoster[ID, Addr]()
		for i := range members {
			r.insert(numbered(i, 0))
		}
		var b backlog
		for p := range b.rings {
			// Places may wrap around.
			for told := range b.rings[p].bound {
				b.rings[p].bound[told] = 1<<32 - 300
			}
		}
		var n naiveBacklog
		var out []uint32
		for step := range 600 {
			slot := uint32(rnd.IntN(members))
			switch what := rnd.IntN(20); {
			case what < 9:
				p := priority(rnd.IntN(priorities))
				b.push(r, slot, p)
				n.push(slot, p)
			case what < 10:
				// The slot is used again at once, by the last that became vacant.
				b.remove(r, slot)
				n.remove(slot)
				id := r.at(slot).id
				r.remove(slot)
				if r.insert(id) != slot {
					t.Fatal("another slot")
				}
			case what < 11:
				limit = min(max(0, limit+rnd.IntN(5)-2), MaxTransmissions)
			default:
				most := rnd.IntN(1 + atMost)
				skip := slot
				if rnd.IntN(2) == 0 {
					skip = none
				}
				want := n.gather(limit, most, skip)
				out = b.gather(always(limit), most, out, skip)
				if !slices.Equal(out, want) {
					t.Fatalf("step %d: gathered %v, want %v", step, out, want)
				}
				fits := rnd.IntN(5) // of 4: nothing to everything
				told := make([]bool, len(out))
				for i := range told {
					told[i] = rnd.IntN(4) < fits
				}
				if rnd.IntN(2) == 0 { // only the first ones
					slices.SortFunc(told, func(a, b bool) int {
						if a == b {
							return 0
						} else if a {
							return -1
						}
						return 1
					})
				}
				b.sent(r, out, func(i int) bool { return told[i] })
				checkHoles(t, &b)
				n.sent(limit, out, told)
			}
			checkBacklog(t, r, &b, &n)
		}
	})
}

// Rule 103.
func TestEachUpdateIsToldAsOftenAsTheLimitSays(t *testing.T) {
	for _, limit := range []int{1, 2, 4, 12, MaxTransmissions, MaxTransmissions + 1} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			r := ordered(100)
			var b backlog
			told := make([]int, 100)
			for slot := range uint32(100) {
				b.push(r, slot, priority(slot%4))
			}
			var out []uint32
			for b.len() > 0 {
				out = b.gather(always(limit), 7, out, none)
				b.sent(r, out, func(i int) bool { told[out[i]]++; return true })
			}
			for slot, n := range told {
				if n != min(limit, MaxTransmissions) {
					t.Errorf("%d was told %d times", slot, n)
				}
			}
		})
	}
}

// Rule 64.
func TestUpdateThatDoesNotFitIsSkippedAndGoesFirstTheNextTime(t *testing.T) {
	r := ordered(4)
	var b backlog
	for slot := range uint32(4) {
		b.push(r, slot, prioAlive)
	}
	out := b.gather(always(4), 3, nil, none)
	b.sent(r, out, func(i int) bool { return out[i] != 1 })
	if got, want := b.gather(always(4), 9, nil, none), []uint32{1, 3, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("next are %v, want %v", got, want)
	}
}

// Rule 62.
func TestReplacedUpdateHasItsFullBudgetAgain(t *testing.T) {
	r := ordered(2)
	var b backlog
	b.push(r, 0, prioAlive)
	b.push(r, 1, prioAlive)
	b.push(r, 0, prioAlive) // never told: it stays first
	out := b.gather(always(2), 9, nil, none)
	if want := []uint32{0, 1}; !slices.Equal(out, want) {
		t.Fatalf("first are %v, want %v", out, want)
	}
	b.sent(r, out, func(int) bool { return true })
	b.push(r, 1, prioAlive)
	for _, want := range [][]uint32{{1, 0}, {1}, {}} {
		out = b.gather(always(2), 9, out, none)
		if !slices.Equal(out, want) {
			t.Fatalf("next are %v, want %v", out, want)
		}
		b.sent(r, out, func(int) bool { return true })
	}
}

func TestBacklogCloneIsIndependent(t *testing.T) {
	r := ordered(50)
	var b backlog
	for slot := range uint32(50) {
		b.push(r, slot, prioSuspect)
	}
	r2, b2 := r.clone(), b.clone()
	for slot := range uint32(50) {
		b.remove(r, slot)
	}
	for slot := range uint32(50) {
		b.push(r, 49-slot, prioSuspect)
	}
	want := make([]uint32, 50)
	for i := range want {
		want[i] = uint32(i)
	}
	if got := b2.gather(always(1), 99, nil, none); !slices.Equal(got, want) {
		t.Errorf("the clone has %v", got)
	}
	b2.sent(r2, want, func(int) bool { return true })
	if b.len() != 50 || b2.len() != 0 {
		t.Errorf("%d and, of the clone, %d items", b.len(), b2.len())
	}
}

func TestBacklogInSteadyStateAllocatesNothing(t *testing.T) {
	r := ordered(1000)
	var b backlog
	out := make([]uint32, 0, 450)
	next := uint32(0)
	round := func() {
		for range 100 {
			next = (next + 7) % 1000
			b.push(r, next, priority(next%4))
		}
		out = b.gather(always(8), 450, out, next)
		b.sent(r, out, func(i int) bool { return i%5 != 0 })
		b.remove(r, next)
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}

// always is the budget of so many times for everything.
func always(times int) (b budget) {
	for p := range b {
		b[p] = times
	}
	return b
}
