package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A clock is the monotonic clock of one node: the time of the world, but for
// its rate, the steps that it made, and the time that it stood still.
type clock struct {
	base    swim.Instant // of the world, when the clock showed local
	local   swim.Instant
	ppm     int64 // how many parts in a million it is fast
	stopped bool
}

const million = 1_000_000

// at returns what the clock shows at a moment of the world.
func (c *clock) at(now swim.Instant) swim.Instant {
	if c.stopped {
		return c.local
	}
	d := int64(now - c.base)
	if c.ppm == 0 {
		return max(0, c.local+swim.Instant(d))
	}
	return max(0, c.local+swim.Instant(d+d/million*c.ppm+d%million*c.ppm/million))
}

// when returns the moment of the world at which the clock will show an instant.
func (c *clock) when(local swim.Instant, now swim.Instant) swim.Instant {
	d := int64(local - c.at(now))
	if d <= 0 || c.ppm == 0 {
		return now.Add(time.Duration(max(d, 0)))
	}
	rate := million + c.ppm
	return now.Add(time.Duration(d/rate*million + (d%rate*million+rate-1)/rate))
}

// set makes the clock go on from now at another rate.
func (c *clock) set(now swim.Instant, ppm int64, stopped bool) {
	c.local = c.at(now)
	c.base, c.ppm, c.stopped = now, ppm, stopped
}

// step makes the clock jump.
func (c *clock) step(now swim.Instant, d time.Duration) {
	c.set(now, c.ppm, c.stopped)
	c.local += swim.Instant(d)
}
