package selkie

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/transport/mem"
	"github.com/selkie-go/selkie/transport/sealed"
)

// What an owner does in its own code is nobody else's trouble (S31).

// TestOwnersThatMisbehaveDelayNothing: watchers and callbacks that block for ever,
// call back into the node, or panic. While they do, the cluster finds a crash as
// quickly as ever, and the node that they belong to stays alive to all.
func TestOwnersThatMisbehaveDelayNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		block := make(chan struct{})
		var callbacks, called atomic.Int32
		troubled := func(c *Config) {
			c.OnBroadcast = func(ID, string, []byte) { callbacks.Add(1); <-block }
			c.OnMessage = func(ID, []byte) { callbacks.Add(1); <-block }
			c.EventBuffer = 4
		}
		nodes := sealedCluster(t, network, 5)
		n := start(t, network, addr(8), troubled, withKeys(keyA), seeds(addr(0)))
		t.Cleanup(func() { close(block) }) // before the node is closed, which waits for it
		time.Sleep(2 * time.Second)

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { // never takes the second event
			for range n.Watch(ctx) {
				<-block
			}
		}()
		go func() { // calls whatever there is
			for range n.Watch(ctx) {
				_ = n.SetTags(map[string]string{"again": "and again"})
				_ = n.Stats()
				_ = n.Broadcast("k", []byte("from a watcher"))
				_ = n.Send(ctx, nodes[0].Self().ID, []byte("from a watcher"))
				for range n.Members() {
					called.Add(1)
				}
			}
		}()
		panicked := make(chan any, 1)
		go func() {
			defer func() { panicked <- recover() }()
			for range n.Watch(ctx) {
				panic("the owner's own")
			}
		}()
		for range 20 {
			if err := nodes[1].Broadcast("", []byte("payload")); err != nil {
				t.Error(err)
			}
			if err := nodes[1].Send(ctx, n.Self().ID, []byte("payload")); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		nodes[4].Close()
		time.Sleep(20 * time.Second)
		for _, o := range append(nodes[:4:4], n) {
			wantStates(t, o, Alive, 5)
			wantState(t, o, addr(4), Down)
			if m := wantState(t, o, addr(8), Alive); m.Incarnation != 0 {
				t.Errorf("%v had to refute", m)
			}
		}
		if got := <-panicked; called.Load() == 0 || got != "the owner's own" || callbacks.Load() != 1 {
			t.Errorf("%d members seen, panic %v, %d callbacks", called.Load(), got, callbacks.Load())
		}
		if s := n.Stats(); s.MessagesLost == 0 || s.BroadcastsLost == 0 {
			t.Errorf("nothing was lost to the slow owner: %+v", s)
		}
	})
}

// ownersCallback is where a callback panics; its name is looked for in the stack.
func ownersCallback(ID, []byte) { panic("the owner's own mistake") }

// TestAPanicIsTheOwners: a callback that panics ends the process as any panic does,
// with the owner's function on the stack, and none of ours caught it.
func TestAPanicIsTheOwners(t *testing.T) {
	if os.Getenv("SELKIE_TEST_PANIC") != "" {
		network := mem.NewNetwork()
		n := start(t, network, addr(0), func(c *Config) { c.OnMessage = ownersCallback })
		o := start(t, network, addr(1))
		if err := o.Join(t.Context(), addr(0)); err != nil {
			t.Fatal(err)
		}
		for t.Context().Err() == nil {
			_ = o.Send(t.Context(), n.Self().ID, nil)
		}
	}
	c := exec.Command(os.Args[0], "-test.run=^TestAPanicIsTheOwners$", "-test.timeout=20s")
	c.Env = append(os.Environ(), "SELKIE_TEST_PANIC=1")
	out, err := c.CombinedOutput()
	for _, want := range []string{"panic: the owner's own mistake", "selkie.ownersCallback"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v, and %q is not in:\n%s", err, want, out)
		}
	}
}

// TestAFloodOfForgeriesChangesNothing: what a stranger without the key sends takes
// neither memory nor answers, and nobody is doubted for it.
func TestAFloodOfForgeriesChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := sealedCluster(t, network, 4)
		victim := netip.MustParseAddrPort(addr(1))
		stranger, err := network.Listen(netip.MustParseAddrPort("10.9.9.9:1"))
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		seen := record(t, nodes[0])
		before := network.Stats().Sent
		forged := make([]byte, 1200)
		if err := nodes[0].do(func() { copy(forged, nodes[0].wrapped) }); err != nil { // begins as something real
			t.Fatal(err)
		}
		for i := range 30_000 {
			forged[10], forged[11], forged[18+i%8] = byte(i), byte(i>>8), byte(i>>3)
			if err := stranger.WriteTo(forged, victim); err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
		time.Sleep(10 * time.Second)
		if got := seen.kinds(addr(1)); got != "" {
			t.Errorf("others saw: %s", got)
		}
		for _, n := range nodes {
			wantStates(t, n, Alive, 4)
		}
		s := nodes[1].Stats()
		if s.Refused["forged"] < 29_000 {
			t.Errorf("refused %v", s.Refused)
		}
		var got sealed.Stats
		if err := nodes[1].do(func() { got = nodes[1].box().Stats() }); err != nil {
			t.Fatal(err)
		}
		if got.Sessions > 3 || got.Derived > 10 {
			t.Errorf("%d sessions, %d keys derived", got.Sessions, got.Derived)
		}
		// Four members say little in 13 s; none of it is an answer to forgeries.
		if sent := network.Stats().Sent - before - 30_000; sent > 1000 {
			t.Errorf("%d datagrams were sent meanwhile", sent)
		}
		stranger.Close()
		if n := network.Stats().Nowhere; n != 0 {
			t.Errorf("%d datagrams went to nobody", n)
		}
	})
}
