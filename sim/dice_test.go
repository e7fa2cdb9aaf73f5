package sim

import (
	"testing"
	"time"
)

// The numbers are written down: a seed means the same on every machine.
func TestDiceAreTheSameEverywhere(t *testing.T) {
	d := roll(42, "test", 1, 2)
	if got, want := [...]int{d.below(1000), d.below(1000), d.below(1000), d.between(-5, 5)}, [...]int{643, 420, 783, -5}; got != want {
		t.Errorf("rolled %v, want %v", got, want)
	}
}

func TestPurposesHaveStreamsOfTheirOwn(t *testing.T) {
	seen := map[uint64]string{}
	for _, purpose := range []string{"", "a", "b", "ab", "ba"} {
		for seed := range uint64(20) {
			for number := range uint64(20) {
				first := roll(seed, purpose, number).src.Uint64()
				if before, twice := seen[first]; twice {
					t.Fatalf("%q %d %d begins like %s", purpose, seed, number, before)
				}
				seen[first] = purpose
			}
		}
	}
}

func TestChanceIsAsOftenAsItSays(t *testing.T) {
	d := roll(1, "chance")
	hits := 0
	for range 100_000 {
		if d.hit(0.3) {
			hits++
		}
		if d.hit(0) || !d.hit(1) {
			t.Fatal("never or always was not")
		}
		if x := d.duration(time.Second, 2*time.Second); x < time.Second || x > 2*time.Second {
			t.Fatalf("drew %v", x)
		}
		if x := d.between(3, 5); x < 3 || x > 5 {
			t.Fatalf("drew %d", x)
		}
	}
	if hits < 29_400 || hits > 30_600 {
		t.Errorf("%d of 100,000 at 0.3", hits)
	}
}
