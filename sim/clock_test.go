package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

const second = swim.Instant(time.Second)

func TestClockRunsAtItsRate(t *testing.T) {
	c := clock{base: 10 * second, local: 3 * second, ppm: 100_000}
	if got, want := c.at(20*second), 14*second; got != want {
		t.Errorf("a clock that is a tenth fast shows %v, want %v", got, want)
	}
	c.set(20*second, -500_000, false)
	if got, want := c.at(24*second), 16*second; got != want {
		t.Errorf("at half the rate it shows %v, want %v", got, want)
	}
}

func TestClockStandsStillWhileStopped(t *testing.T) {
	c := clock{}
	c.set(5*second, 0, true)
	if got := c.at(50 * second); got != 5*second {
		t.Errorf("a stopped clock shows %v", got)
	}
	c.set(50*second, 0, false)
	if got := c.at(51 * second); got != 6*second {
		t.Errorf("a second later it shows %v", got)
	}
}

func TestClockJumpsButIsNeverNegative(t *testing.T) {
	c := clock{}
	c.step(5*second, -3*time.Second)
	if got := c.at(6 * second); got != 3*second {
		t.Errorf("after a step back it shows %v", got)
	}
	c.step(6*second, -time.Hour)
	if got := c.at(7 * second); got != 0 {
		t.Errorf("after a long step back it shows %v", got)
	}
}

// The moment of the world at which a clock shows an instant is never too early,
// and by no more than a microsecond too late.
func TestClockKnowsWhenItWillShowAnInstant(t *testing.T) {
	d := roll(1, "clock")
	for range 10_000 {
		c := clock{base: swim.Instant(d.below(1 << 30)), local: swim.Instant(d.below(1 << 30)), ppm: int64(d.between(-100_000, 100_000))}
		now := c.base + swim.Instant(d.below(1<<30))
		due := c.at(now) + swim.Instant(d.below(1<<30))
		when := c.when(due, now)
		if early := due - c.at(when); early > 1 || early < -1000 {
			t.Fatalf("%+v shows %v at %v, want %v", c, c.at(when), when, due)
		}
	}
}
