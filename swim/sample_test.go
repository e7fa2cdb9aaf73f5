package swim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestEverySampleIsEquallyProbable(t *testing.T) {
	// Of 8 and fewer all are drawn from a copy, of more one by one.
	for _, m := range []int{4, 8, 9, 11} {
		t.Run(fmt.Sprint(m), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			r := ordered(m)
			counts := map[[3]uint32]int{}
			var out []uint32
			for range 200 * m * (m - 1) * (m - 2) {
				out = r.sample(&r.active, 3, rnd, out, nil)
				counts[[3]uint32(out)]++
			}
			if want := m * (m - 1) * (m - 2); len(counts) != want {
				t.Errorf("%d of %d samples happened", len(counts), want)
			}
			even(t, slices.Collect(maps.Values(counts)))
		})
	}
}

func TestEveryMemberIsSampledEquallyOften(t *testing.T) {
	for _, test := range []struct{ m, k int }{{100, 3}, {100, 49}, {100, 48}, {1000, 200}} {
		t.Run(fmt.Sprintf("%d of %d", test.k, test.m), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			r := ordered(test.m)
			counts := make([]int, test.m)
			var out []uint32
			for range 100_000 / test.k {
				out = r.sample(&r.active, test.k, rnd, out, nil)
				for _, slot := range out {
					counts[slot]++
				}
			}
			even(t, counts)
		})
	}
}

func TestSampleIsOfDifferentMembersThatAreNotRejected(t *testing.T) {
	seeded(t, 300, func(t *testing.T, rnd *rand.Rand) {
		m, k := rnd.IntN(500), rnd.IntN(40)
		if rnd.IntN(3) == 0 {
			k = rnd.IntN(600)
		}
		r := ordered(m)
		for range rnd.IntN(1 + m) {
			r.next(&r.active, rnd)
		}
		rejected := make([]bool, m)
		possible := m
		for range rnd.IntN(1 + m) {
			if slot := rnd.IntN(m); !rejected[slot] {
				rejected[slot] = true
				possible--
			}
		}
		before := r.active.clone()
		got := r.sample(&r.active, k, rnd, []uint32{1, 2, 3}, func(slot uint32) bool { return rejected[slot] })
		if !slices.Equal(before.slots, r.active.slots) || before.cursor != r.active.cursor {
			t.Fatal("the order changed")
		}
		sorted := slices.Compact(slices.Sorted(slices.Values(got)))
		if len(sorted) != len(got) {
			t.Fatalf("%v has members twice", got)
		}
		for _, slot := range got {
			if rejected[slot] {
				t.Fatalf("%d is in the sample, but rejected", slot)
			}
		}
		// Of so few members none is overlooked.
		if m <= max(2*k+2, leastWalk) && len(got) != min(k, possible) {
			t.Fatalf("%d of %d, %d possible: the sample has %d", k, m, possible, len(got))
		}
	})
}

func TestSampleLooksAtBoundedNumberOfMembers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := ordered(20_000)
	for _, k := range []int{1, 3, 16, 450} {
		looks := 0
		got := r.sample(&r.active, k, rnd, nil, func(uint32) bool { looks++; return true })
		if bound := 8*k + 32 + max(leastWalk, 2*k); len(got) != 0 || looks > bound {
			t.Errorf("k = %d: %d looks for %d members, at most %d wanted", k, looks, len(got), bound)
		}
	}
}

func TestSampleOfNobodyIsEmpty(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	if got := ordered(0).sample(&order{}, 3, rnd, nil, nil); len(got) != 0 {
		t.Errorf("sample of nobody: %v", got)
	}
	r := ordered(100)
	if got := r.sample(&r.active, 0, rnd, nil, nil); len(got) != 0 {
		t.Errorf("sample of none: %v", got)
	}
}
