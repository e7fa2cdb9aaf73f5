package netns

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What happens to packets: they get lost, all or some, here or there.

func TestTenPercentLossIsNoDeath(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	c.network.lose(t, "ip protocol udp numgen random mod 100 < 10 counter name one drop", "ip protocol tcp numgen random mod 100 < 10 counter name two drop")
	endure(10 * time.Second)
	lost, streams := c.network.hub.count(t, "bridge", "one"), c.network.hub.count(t, "bridge", "two")
	t.Logf("lost %d datagrams and %d segments", lost.packets, streams.packets)
	if lost.packets < 100 {
		t.Errorf("only %d datagrams were lost", lost.packets)
	}
	c.network.lose(t)
	c.awaitOneView(spread)
	c.wantNoDowns(nil)
	c.summary()
}

// A member that nobody hears, but that hears the others. Whether they take it for
// dead is up to how long it lasts; it must not harm others, and heals.
func TestMemberThatNobodyHearsComesBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	c.network.ports[5].filter(t, "inet", "output", "counter name one drop")
	endure(9 * time.Second)
	gone := 0
	c.mu.Lock()
	for _, l := range c.agents {
		if l.view[addr(5)].State == "down" {
			gone++
		}
	}
	c.mu.Unlock()
	t.Logf("%d hold it down; it lost %d packets", gone, c.network.ports[5].count(t, "inet", "one").packets)
	c.network.ports[5].filter(t, "inet", "output")
	c.awaitOneView(healing)
	c.wantNoDowns(func(s sighting) bool { return s.by.index == 5 || about(5)(s) })
	blamed := 0
	for _, s := range c.all("down") {
		if s.by.index == 5 {
			blamed++
		}
	}
	t.Logf("it held %d of the others down", blamed)
	c.awaitOneView(spread)
	c.summary()
}

func TestHalvesBecomeOneClusterAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	a, b := hosts(0, size/2), hosts(size/2, size)
	c.network.lose(t,
		fmt.Sprintf("ip saddr %s ip daddr %s counter name one drop", a, b),
		fmt.Sprintf("ip saddr %s ip daddr %s counter name two drop", b, a))
	// On a busy machine members doubt themselves, and take their time.
	c.await("two halves", 2*detection, func() string {
		for _, l := range c.agents {
			active := 0
			for _, m := range l.view {
				if m.active() {
					active++
				}
			}
			if active != size/2 {
				return fmt.Sprintf("%d knows %d", l.index, active)
			}
		}
		return ""
	})
	c.network.lose(t)
	c.awaitOneView(healing)
	c.wantNoDowns(func(s sighting) bool { return (s.by.index < size/2) != (s.Member.Addr.Compare(addr(size/2)) < 0) })
	c.summary()
}

func TestMemberThatOnlyStreamsReachLives(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	c.network.lose(t,
		fmt.Sprintf("ip saddr %v ip protocol udp counter name one drop", host(3)),
		fmt.Sprintf("ip daddr %v ip protocol udp counter name two drop", host(3)))
	endure(8 * time.Second)
	var own, others uint64
	for _, l := range c.living() {
		if s := l.report().Stats; l.index == 3 {
			own = s.StreamAcks
		} else {
			others += s.StreamAcks
		}
	}
	t.Logf("acks over streams: %d at it, %d at the others", own, others)
	if own == 0 || others == 0 {
		t.Error("streams did not keep it alive")
	}
	c.awaitOneView(spread)
	c.wantNoDowns(nil)
	c.network.lose(t)
	c.awaitOneView(spread)
	c.wantNoDowns(nil)
	c.summary()
}

func TestPairThatOnlyStreamsJoinLives(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	c.network.lose(t,
		fmt.Sprintf("ip saddr %v ip daddr %v ip protocol udp counter name one drop", host(3), host(4)),
		fmt.Sprintf("ip saddr %v ip daddr %v ip protocol udp counter name two drop", host(4), host(3)))
	endure(8 * time.Second)
	for _, i := range []int{3, 4} {
		if acks := c.agents[i].report().Stats.StreamAcks; acks == 0 {
			t.Errorf("%d had no ack over a stream", i)
		}
	}
	c.wantNoDowns(nil)
	c.awaitOneView(spread)
	c.summary()
}

// Everybody is cut off from four others, and reaches them through the rest.
func TestMembersThatReachEachOtherOnlyThroughOthersLive(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	c.form()
	var rules []string
	for i := range size {
		for _, step := range []int{1, 7, size - 1, size - 7} {
			rules = append(rules, fmt.Sprintf("ip saddr %v ip daddr %v drop", host(i), host((i+step)%size)))
		}
	}
	c.network.lose(t, rules...)
	endure(10 * time.Second)
	c.wantNoDowns(alone)
	c.network.lose(t)
	c.awaitOneView(spread)
	c.wantNoDowns(alone)
	c.summary()
}

// A path that swallows large packets lets small ones pass, so that everybody seems
// to be there while news do not arrive.
func TestClusterConvergesWhereLargePacketsGetLost(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	large := func(p *program) { p.Tags = map[string]string{"about": strings.Repeat("x", 300)} }
	for i := range size / 2 {
		c.start(i, large)
	}
	c.awaitOneView(20 * time.Second)
	c.network.lose(t,
		"ip protocol udp meta length > 600 counter name one drop",
		"ip protocol tcp meta length > 600 counter name two drop")
	for i := size / 2; i < size; i++ {
		l := c.start(i, large)
		for range 4 { // fill what carries the news of it
			l.tell(strings.Repeat("y", 400))
		}
	}
	c.awaitOneView(40 * time.Second)
	c.awaitDescribed(40 * time.Second)
	lost, streams := c.network.hub.count(t, "bridge", "one"), c.network.hub.count(t, "bridge", "two")
	t.Logf("lost %d datagrams and %d segments", lost.packets, streams.packets)
	if lost.packets == 0 {
		t.Error("nothing was lost")
	}
	c.wantNoDowns(nil)
	c.summary()
}
