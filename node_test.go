package selkie

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
)

// The tests of this file run whole clusters over a network in memory and in
// fake time.

// addr returns the address of the n-th node of a test.
func addr(n int) string { return fmt.Sprintf("10.0.%d.%d:7946", n/200, 1+n%200) }

// start returns a node at an address, closed at the end of the test.
func start(t *testing.T, network *mem.Network, at string, configure ...func(*Config)) *Node {
	t.Helper()
	conn, err := network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Transport: conn}
	for _, c := range configure {
		c(&cfg)
	}
	n, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func seeds(at ...string) func(*Config) { return func(c *Config) { c.Seeds = at } }

// cluster returns size nodes that know each other. What gossip missed is found
// with the next feeds, so it may take some of their intervals.
func cluster(t *testing.T, network *mem.Network, size int) []*Node {
	t.Helper()
	nodes := make([]*Node, size)
	for i := range nodes {
		nodes[i] = start(t, network, addr(i), seeds(addr(0)))
	}
	for range 120 {
		time.Sleep(time.Second)
		if !slices.ContainsFunc(nodes, func(n *Node) bool { return count(n, Alive) != size }) {
			return nodes
		}
	}
	for _, n := range nodes {
		wantStates(t, n, Alive, size)
	}
	t.FailNow()
	return nil
}

// count returns how many members a node holds to be in a state.
func count(n *Node, s State) int {
	count := 0
	for m := range n.Members() {
		if m.State == s {
			count++
		}
	}
	return count
}

// wantStates checks how many members a node holds to be in a state.
func wantStates(t *testing.T, n *Node, s State, want int) {
	t.Helper()
	if got := count(n, s); got != want {
		t.Errorf("%v knows %d %v members, want %d: %v", n.Self(), got, s, want, slices.Collect(n.Members()))
	}
}

// wantState checks what a node thinks of the member at an address.
func wantState(t *testing.T, n *Node, at string, want State) Member {
	t.Helper()
	m, ok := n.Member(netip.MustParseAddrPort(at))
	if !ok || m.State != want {
		t.Errorf("%v thinks of %s: %v (known: %v), want %v", n.Self(), at, m.State, ok, want)
	}
	return m
}

// A recorder keeps the events of a node.
type recorder struct {
	end    context.CancelFunc
	events chan Event
}

// record starts to keep the events of a node; the snapshot is passed over.
func record(t *testing.T, n *Node) *recorder {
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	r := &recorder{end: end, events: make(chan Event, 10_000)}
	go func() {
		for e := range n.Watch(ctx) {
			if e.Kind != EventSnapshot {
				r.events <- e
			}
		}
	}()
	synctest.Wait()
	return r
}

// kinds returns what happened so far to the member at an address, less doubts
// and refutations.
func (r *recorder) kinds(at string) string {
	var kinds []string
	for _, e := range r.about(at) {
		if e.Kind != EventSuspect && e.Kind != EventRefuted {
			kinds = append(kinds, e.Kind.String())
		}
	}
	return strings.Join(kinds, " ")
}

func (r *recorder) about(at string) []Event {
	synctest.Wait()
	var about []Event
	for {
		select {
		case e := <-r.events:
			if e.Member.Addr().String() == at {
				about = append(about, e)
			}
		default:
			return about
		}
	}
}

func TestNodesFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network = mem.NewNetwork()
		a := start(t, network, addr(0))
		b := start(t, network, addr(1))
		c := start(t, network, addr(2))
		if err := b.Join(t.Context(), addr(0)); err != nil {
			t.Fatal(err)
		}
		if err := c.Join(t.Context(), addr(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		for _, n := range []*Node{a, b, c} {
			wantStates(t, n, Alive, 3)
			self, _ := n.Member(n.Self().Addr())
			if !self.Self || self != n.Self() {
				t.Errorf("own record %+v, Self %+v", self, n.Self())
			}
		}
		if members := slices.Collect(a.Members()); !slices.IsSortedFunc(members, byAddr) {
			t.Errorf("members are not sorted by address: %v", members)
		}
	})
}

func TestFiftyNodesConverge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster(t, mem.NewNetwork(), 50)
	})
}

func TestCrashIsReportedWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := cluster(t, mem.NewNetwork(), 5)
		r := record(t, nodes[0])
		before := time.Now()
		nodes[4].Close()
		time.Sleep(15 * time.Second)
		for _, n := range nodes[:4] {
			wantState(t, n, addr(4), Down)
			wantStates(t, n, Alive, 4)
		}
		var down []Event
		for _, e := range r.about(addr(4)) {
			if e.Kind == EventDown {
				down = append(down, e)
			}
		}
		if len(down) != 1 {
			t.Fatalf("%d reports of the crash, want 1", len(down))
		}
		cause := down[0].Cause
		if cause.State != Down || cause.Accuser == (ID{}) || cause.LastHeard.After(before) || cause.LastHeard.Before(before.Add(-10*time.Second)) {
			t.Errorf("cause %+v of a crash at %v", *cause, before)
		}
		if got := wantState(t, nodes[0], addr(4), Down).Since; got != down[0].Time {
			t.Errorf("down since %v, reported at %v", got, down[0].Time)
		}
	})
}

func TestWhoLeavesIsNotMourned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := cluster(t, mem.NewNetwork(), 3)
		r := record(t, nodes[0])
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Errorf("leaving again: %v", err)
		}
		nodes[2].Close()
		time.Sleep(time.Minute)
		for _, n := range nodes[:2] {
			wantState(t, n, addr(2), Left)
		}
		if got := r.kinds(addr(2)); got != "left" {
			t.Errorf("events: %q, want one goodbye", got)
		}
	})
}

func TestLeavingAloneIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, mem.NewNetwork(), addr(0))
		before := time.Now()
		if err := n.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(before); took > time.Second {
			t.Errorf("took %v with nobody to tell", took)
		}
	})
}

func TestWhoLeftMayComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := cluster(t, mem.NewNetwork(), 3)
		before := nodes[2].Self().ID
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if err := nodes[2].Join(t.Context(), addr(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for _, n := range nodes {
			if m := wantState(t, n, addr(2), Alive); !m.ID.Supersedes(before) {
				t.Errorf("came back as %v, was %v", m.ID, before)
			}
			wantStates(t, n, Alive, 3)
		}
	})
}

func TestRestartUnderTheSameAddressIsANewLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := cluster(t, network, 3)
		before := nodes[2].Self().ID
		r := record(t, nodes[0])
		nodes[2].Close()
		again := start(t, network, addr(2), seeds(addr(0)))
		time.Sleep(10 * time.Second)
		for _, n := range []*Node{nodes[0], nodes[1], again} {
			if m := wantState(t, n, addr(2), Alive); !m.ID.Supersedes(before) {
				t.Errorf("%v still knows %v", n.Self(), m.ID)
			}
			wantStates(t, n, Alive, 3)
		}
		if got := r.kinds(addr(2)); got != "renamed" {
			t.Errorf("events: %q, want one renaming", got)
		}
	})
}

func TestRestartAfterTheVerdictIsANewLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := cluster(t, network, 3)
		r := record(t, nodes[0])
		nodes[2].Close()
		time.Sleep(30 * time.Second)
		start(t, network, addr(2), seeds(addr(0)))
		time.Sleep(10 * time.Second)
		wantState(t, nodes[1], addr(2), Alive)
		if got := r.kinds(addr(2)); got != "down up" {
			t.Errorf("events: %q", got)
		}
	})
}

func TestSeedsAreContactedForAsLongAsItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		a := start(t, network, addr(0), seeds(addr(0), addr(1)))
		time.Sleep(time.Hour)
		b := start(t, network, addr(1))
		time.Sleep(2 * time.Minute)
		wantStates(t, a, Alive, 2)
		wantStates(t, b, Alive, 2)
	})
}

func TestSeedsAreContactedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		start(t, network, addr(0))
		n := start(t, network, addr(1), seeds(addr(7), addr(0)), func(c *Config) { c.Protocol = swim.WAN(1) })
		synctest.Wait()
		wantStates(t, n, Alive, 2)
	})
}

func TestJoinReturnsWithTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		start(t, network, addr(0))
		n := start(t, network, addr(1))
		before := time.Now()
		if err := n.Join(t.Context(), addr(7), addr(0), addr(8)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > time.Second {
			t.Errorf("took %v although one answered at once", took)
		}
	})
}

func TestJoinWithoutAnAnswerSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		n := start(t, network, addr(0))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := n.Join(ctx, addr(1))
		if !errors.Is(err, ErrNoSeed) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		late := start(t, network, addr(1))
		time.Sleep(2 * time.Minute)
		wantStates(t, late, Alive, 2)
	})
}

func TestJoinWithNobodyToAskFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, mem.NewNetwork(), addr(0))
		for _, asked := range [][]string{nil, {addr(0)}, {"10.0.0.1"}, {"10.0.0.1:port"}, {"224.0.0.1:7946"}} {
			if err := n.Join(t.Context(), asked...); !errors.Is(err, ErrNoSeed) {
				t.Errorf("%q: got %v", asked, err)
			}
		}
	})
}

func TestBlockedWatcherDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		n := start(t, network, addr(0), func(c *Config) { c.EventBuffer = 4 })
		unblock, seen := make(chan struct{}), make(chan Event, 100)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for e := range n.Watch(ctx) {
				seen <- e
				<-unblock
			}
		}()
		synctest.Wait()
		if first := <-seen; first.Kind != EventSnapshot || len(first.Members) != 1 {
			t.Errorf("first %v with %d members", first.Kind, len(first.Members))
		}
		for i := 1; i < 20; i++ {
			start(t, network, addr(i), seeds(addr(0)))
		}
		time.Sleep(10 * time.Second)
		wantStates(t, n, Alive, 20)
		close(unblock)
		synctest.Wait()
		if second := <-seen; second.Kind != EventSnapshot || len(second.Members) != 20 {
			t.Errorf("after falling behind: %v with %d members", second.Kind, len(second.Members))
		}
		if n.Stats().EventsLost != 1 {
			t.Errorf("fell behind %d times, want 1", n.Stats().EventsLost)
		}
	})
}

func TestForgottenMembersDisappear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		var nodes []*Node
		for i := range 4 {
			nodes = append(nodes, start(t, network, addr(i), seeds(addr(0)), func(c *Config) {
				c.Protocol.ForgetAfter = time.Minute
			}))
		}
		time.Sleep(5 * time.Second)
		nodes[3].Close()
		time.Sleep(30 * time.Second)
		wantState(t, nodes[0], addr(3), Down)
		time.Sleep(2 * time.Minute)
		for _, n := range nodes[:3] {
			if m, ok := n.Member(netip.MustParseAddrPort(addr(3))); ok {
				t.Errorf("%v still knows %v", n.Self(), m)
			}
		}
	})
}

func TestWatchEndsWithItsContextAndWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, mem.NewNetwork(), addr(0))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan string, 2)
		go func() {
			for range n.Watch(ctx) {
			}
			ended <- "context"
		}()
		go func() {
			for range n.Watch(t.Context()) {
			}
			ended <- "node"
		}()
		synctest.Wait()
		cancel()
		if got := <-ended; got != "context" {
			t.Error("the wrong one ended")
		}
		n.Close()
		<-ended
	})
}

func TestBroadcastReachesEverybodyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 10
		network := mem.NewNetwork()
		got := make(chan string, 100)
		var nodes []*Node
		for i := range size {
			nodes = append(nodes, start(t, network, addr(i), seeds(addr(0)), func(c *Config) {
				c.OnBroadcast = func(from ID, key string, payload []byte) {
					got <- fmt.Sprintf("%v %s=%s", from.Addr(), key, payload)
				}
			}))
		}
		time.Sleep(5 * time.Second)
		if err := nodes[3].Broadcast("colour", []byte("green")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if len(got) != size-1 {
			t.Errorf("delivered %d times, want %d", len(got), size-1)
		}
		for range len(got) {
			if g, want := <-got, addr(3)+" colour=green"; g != want {
				t.Errorf("delivered %q, want %q", g, want)
			}
		}
	})
}

func TestBroadcastThatDoesNotFitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, mem.NewNetwork(), addr(0))
		if err := n.Broadcast("k", make([]byte, 1400)); !errors.Is(err, swim.ErrTooBig) {
			t.Errorf("payload: %v", err)
		}
		if err := n.Broadcast(strings.Repeat("k", MaxKey+1), nil); !errors.Is(err, swim.ErrTooBig) {
			t.Errorf("key: %v", err)
		}
	})
}

func TestClosedNodeSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := cluster(t, mem.NewNetwork(), 2)
		n := nodes[1]
		sent := n.Stats().PacketsSent
		n.Close()
		for name, err := range map[string]error{
			"Join":      n.Join(t.Context(), addr(0)),
			"Leave":     n.Leave(t.Context()),
			"Broadcast": n.Broadcast("k", nil),
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantStates(t, n, Alive, 2)
		if got := n.Stats().PacketsSent; got < sent || sent == 0 {
			t.Errorf("%d packets sent at the end, %d before", got, sent)
		}
	})
}

func TestBadConfigurationIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		for _, bad := range []struct {
			field  string
			change func(*Config)
		}{
			{"EventBuffer", func(c *Config) { c.EventBuffer = -1 }},
			{"Seeds", func(c *Config) { c.Seeds = []string{"no port"} }},
			{"Seeds", func(c *Config) { c.Seeds = []string{"10.0.0.1:0"} }},
			{"Seeds", func(c *Config) { c.Seeds = []string{":7946"} }},
			{"Advertise", func(c *Config) { c.Advertise = "10.0.0.1:no-such-service" }},
			{"Period", func(c *Config) { c.Protocol.Period = 1 }},
			{"Wire", func(c *Config) { c.Wire = numWires }},
		} {
			conn, err := network.Listen(netip.MustParseAddrPort(addr(0)))
			if err != nil {
				t.Fatal(err)
			}
			cfg := Config{Transport: conn}
			bad.change(&cfg)
			if n, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), bad.field) {
				t.Errorf("%s: %v, %v", bad.field, n, err)
			}
			if err := conn.WriteTo(nil, conn.LocalAddr()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: the transport was left open: %v", bad.field, err)
				conn.Close()
			}
		}
	})
}

func TestAdvertiseNamesWhereOthersReachUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for advertise, want := range map[string]string{"": addr(0), "10.9.9.9": "10.9.9.9:7946", "10.9.9.9:1": "10.9.9.9:1"} {
			n := start(t, mem.NewNetwork(), addr(0), func(c *Config) { c.Advertise = advertise })
			if got := n.Self().Addr().String(); got != want {
				t.Errorf("%q: %s, want %s", advertise, got, want)
			}
		}
	})
}
