package swim

import (
	"slices"
	"testing"
)

// places is where items of a ring are, kept in a slice.
type places []uint32

func (p places) moved(item, place uint32) { p[item] = place }

func TestRingGrowsWithoutMovingItems(t *testing.T) {
	var r ring
	where := make(places, 1000)
	for item := range uint32(1000) {
		where[item] = r.push(item, nil) // nothing to tell that moves
	}
	for item, place := range where {
		if !r.holds(uint32(item), place) {
			t.Fatalf("%d is not at %d", item, place)
		}
	}
}

func TestRingOfFewItemsStaysSmall(t *testing.T) {
	var r ring
	where := make(places, 10)
	for item := range uint32(10) {
		where[item] = r.push(item, where)
	}
	for i := range uint32(100_000) {
		item := i * 7 % 10
		r.remove(where[item])
		where[item] = r.push(item, where)
	}
	if len(r.items) > 64 {
		t.Errorf("%d places for 10 items", len(r.items))
	}
	var items []uint32
	r.each(func(item uint32, told int) { items = append(items, item) })
	slices.Sort(items)
	if want := []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(items, want) {
		t.Errorf("items %v", items)
	}
}

func TestRingForgetsAPlaceThatItLeft(t *testing.T) {
	var r ring
	where := make(places, 1)
	where[0] = r.push(0, where)
	out := r.gather(1, 1, nil, none)
	r.sent(out, 0, func(int) bool { return true }, where)
	if r.len() != 0 || r.holds(0, where[0]) {
		t.Errorf("%d items, still at its place: %v", r.len(), r.holds(0, where[0]))
	}
}
