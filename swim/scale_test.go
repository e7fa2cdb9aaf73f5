package swim

import (
	"math"
	"testing"
	"time"
)

// Rule 103: 3·ceil(log10(n+1)), never below 4, without digests 4·ceil(log10(n+1)),
// and the paper's 3·ceil(ln(n+1)).
func TestTransmissionsGrowWithTheLogarithm(t *testing.T) {
	lan, silent := LAN(1).Transmissions, Config{Rules: Rules{SilentDigest: true}}.WithDefaults().Transmissions
	for n, digits := range map[int]int{1: 1, 2: 1, 9: 1, 10: 2, 99: 2, 100: 3, 999: 3, 1000: 4, 9999: 4, 1_000_000: 7} {
		if got, want := lan.at(n), max(4, 3*digits); got != want {
			t.Errorf("among %d: told %d times, want %d", n, got, want)
		}
		if got, want := silent.at(n), 4*digits; got != want {
			t.Errorf("without digests, among %d: told %d times, want %d", n, got, want)
		}
	}
	paper := Paper().Transmissions
	for n := 1; n < 3_000_000; n = n*5/3 + 1 {
		if got, want := paper.at(n), max(3, 3*int(math.Ceil(math.Log(float64(n+1))))); got != want {
			t.Errorf("paper among %d: told %d times, want %d", n, got, want)
		}
	}
	if got := (Scale{Factor: 63}).at(1 << 30); got != MaxTransmissions {
		t.Errorf("told %d times, more than anybody counts", got)
	}
}

// Rule 102: max(1, log10 n) · factor · period.
func TestSuspicionTimeGrowsWithTheLogarithm(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 4 * time.Second, 10: 4 * time.Second, 100: 8 * time.Second, 1000: 12 * time.Second, 1_000_000: 24 * time.Second} {
		if got := suspicionTime(n, 4, time.Second); (got - want).Abs() > time.Millisecond {
			t.Errorf("among %d: %v, want %v", n, got, want)
		}
	}
	for n := 11; n < 1<<30; n = n*7/4 + 1 {
		want := math.Log10(float64(n))
		if got := float64(log10(n)) / logUnit; math.Abs(got-want) > 1e-4 {
			t.Errorf("log10(%d) = %v, want %v", n, got, want)
		}
	}
	if got := suspicionTime(1<<30, 1000, 24*time.Hour); got <= 0 {
		t.Errorf("the longest suspicion overflows to %v", got)
	}
}

// Rule 102: the time of a suspicion follows the members known at its start.
func TestSuspicionTimeIsThatOfItsStart(t *testing.T) {
	c := newTestCore(t, calm(), "a")
	for i := range 99 {
		c.know(claim(string([]byte{'m', byte('a' + i/10), byte('a' + i%10)}), 1, Alive, 0))
	}
	c.know(claim("maa", 1, Suspect, 0, "mab"))
	if got := c.doubts.at(c.roster.at(must(c.roster.find("maa"))).doubt).least; (got - 8*time.Second).Abs() > time.Millisecond {
		t.Errorf("among a hundred: %v", got)
	}
	for i := 9; i < 99; i++ {
		c.know(claim(string([]byte{'m', byte('a' + i/10), byte('a' + i%10)}), 1, Left, 0))
	}
	if got := c.doubts.at(c.roster.at(must(c.roster.find("maa"))).doubt).least; (got - 8*time.Second).Abs() > time.Millisecond {
		t.Errorf("after most have left: %v", got)
	}
	c.know(claim("mac", 1, Suspect, 0, "mab"))
	if got := c.doubts.at(c.roster.at(must(c.roster.find("mac"))).doubt).least; got != 4*time.Second {
		t.Errorf("a new one: %v", got)
	}
}

func TestGossipReachesEverybodyAfterAsManyRoundsAsDoublings(t *testing.T) {
	for n, want := range map[int]int{1: 1, 3: 2, 4: 3, 1000: 10} {
		if got := spreadTime(n, time.Second); got != time.Duration(want)*time.Second {
			t.Errorf("among %d: %v, want %d rounds", n, got, want)
		}
	}
}
