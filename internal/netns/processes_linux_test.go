package netns

import (
	"fmt"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// What happens to processes: they start, stand still, are killed, and come back.

func TestTwentyMembersFindEachOtherThroughOne(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	c.awaitDescribed(20 * time.Second)
	for _, l := range c.living() {
		r := l.report()
		if len(r.Members) != size {
			t.Errorf("%d lists %d members", l.index, len(r.Members))
		}
	}
	c.wantNoDowns(nil)
	c.summary()
}

func TestKilledMemberIsDownEverywhereAndBackAfterARestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	victim := c.agents[7]
	before := c.seen(7, 7)
	victim.kill()
	killed := time.Now()
	c.await("down everywhere", detection, func() string {
		for _, l := range c.agents {
			if l != nil && l.view[addr(7)].State != "down" {
				return fmt.Sprintf("%d holds it to be %s", l.index, l.view[addr(7)].State)
			}
		}
		return ""
	})
	downs := c.all("down")
	t.Logf("first down after %v, last after %v", downs[0].Time.Sub(killed), downs[len(downs)-1].Time.Sub(killed))
	for _, s := range downs {
		if s.Cause == "" || s.Cause == "no accuser known" {
			t.Errorf("%d knows no cause: %q", s.by.index, s.Cause)
		}
	}
	if len(downs) != size-1 {
		t.Errorf("%d reports of a death, want one of each of the others", len(downs))
	}
	c.start(7, seedless)
	c.awaitOneView(healing)
	if self := c.seen(7, 7); self.Generation <= before.Generation {
		t.Errorf("generation %d after %d", self.Generation, before.Generation)
	}
	c.wantNoDowns(about(7))
	c.summary()
}

func TestStoppedMemberComesBackByItselfAndBlamesNobody(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	stopped := c.agents[11]
	before := c.seen(0, 11)
	stopped.stop()
	c.await("down everywhere", detection, func() string {
		for _, l := range c.agents {
			if l != stopped && l.view[addr(11)].State != "down" {
				return fmt.Sprintf("%d holds it to be %s", l.index, l.view[addr(11)].State)
			}
		}
		return ""
	})
	endure(time.Second)
	stopped.goOn()
	c.awaitOneView(healing)
	// It renews, or it refutes: then it heard the suspicion before the verdict.
	if self := c.seen(0, 11); self.Generation <= before.Generation && self.Incarnation <= before.Incarnation {
		t.Errorf("it is back as %+v, and was %+v", self, before)
	}
	endure(suspicion)
	c.wantNoDowns(func(s sighting) bool { return s.by != stopped && about(11)(s) })
	c.awaitOneView(spread)
	c.summary()
}

// One after the other is killed and started again, sooner than it is missed: a
// restart is no failure.
func TestRollingRestartIsNoDeath(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.config = swim.LAN(size)
	c.form()
	var longest time.Duration
	for i := range size {
		killed := time.Now()
		c.agents[i].kill()
		endure(time.Duration(i%5) * 400 * time.Millisecond)
		c.start(i, seedless)
		c.await(fmt.Sprintf("one view after the restart of %d", i), 10*time.Second, c.oneView)
		longest = max(longest, time.Since(killed))
	}
	endure(6 * time.Second) // the shortest suspicion is 5.2 s
	t.Logf("one view again after %v at the most", longest)
	c.wantNoDowns(nil)
	c.awaitOneView(spread)
	c.summary()
}

// All are killed at once and have only what they kept.
func TestClusterComesBackFromItsDirectories(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	endure(2 * time.Second) // so that it was kept: that takes up to a second
	for _, l := range c.living() {
		l.kill()
	}
	for i := range size {
		c.start(i, seedless)
	}
	c.awaitOneView(healing)
	c.wantNoDowns(nil)
	c.summary()
}
