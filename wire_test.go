package selkie

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
)

// likeFoca makes a node speak foca's wire.
func likeFoca(c *Config) { c.Wire = WireFoca }

// focaCluster returns nodes that know each other and speak foca's wire.
func focaCluster(t *testing.T, network *mem.Network, size int) []*Node {
	t.Helper()
	var nodes []*Node
	for i := range size {
		nodes = append(nodes, start(t, network, addr(i), likeFoca, seeds(addr(0))))
	}
	time.Sleep(5 * time.Second)
	for _, n := range nodes {
		wantStates(t, n, Alive, size)
	}
	return nodes
}

func TestNodesOnFocasWireNoticeACrashAndAGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := focaCluster(t, network, 6)
		before := nodes[3].Self().ID
		if got := before.Generation(); got != uint64(time.Now().Unix())-5 {
			t.Errorf("generation %d at %v", got, time.Now())
		}
		nodes[5].Close()
		if err := nodes[4].Leave(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(30 * time.Second)
		for _, n := range nodes[:4] {
			wantState(t, n, addr(5), Down)
			if m, _ := n.Member(netip.MustParseAddrPort(addr(4))); m.State != Left && m.State != Down {
				t.Errorf("%v holds who left for %v", n.Self(), m.State)
			}
			wantStates(t, n, Alive, 4)
		}
		nodes[3].Close()
		again := start(t, network, addr(3), likeFoca, seeds(addr(0)))
		if err := nodes[4].Join(t.Context(), addr(0)); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		for _, n := range []*Node{nodes[0], nodes[1], nodes[2], nodes[4], again} {
			wantStates(t, n, Alive, 5)
			if m := wantState(t, n, addr(3), Alive); !m.ID.Supersedes(before) {
				t.Errorf("started again as %v, was %v", m.ID, before)
			}
		}
	})
}

// TestPartitionOnFocasWireHeals: on this wire a verdict is final, and those who
// were cut off come back by renewing.
func TestPartitionOnFocasWireHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		nodes := focaCluster(t, network, 6)
		cut := func(from, to netip.AddrPort) bool {
			return (from.Addr().As4()[3] <= 3) != (to.Addr().As4()[3] <= 3)
		}
		network.Change(func(n *mem.Network) { n.Lost = cut })
		time.Sleep(time.Minute)
		for _, n := range nodes {
			wantStates(t, n, Alive, 3)
		}
		network.Change(func(n *mem.Network) { n.Lost = nil })
		time.Sleep(3 * time.Minute)
		for _, n := range nodes {
			wantStates(t, n, Alive, 6)
		}
	})
}

func TestBroadcastOnFocasWireHasNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		got := make(chan string, 100)
		var nodes []*Node
		for i := range 5 {
			nodes = append(nodes, start(t, network, addr(i), likeFoca, seeds(addr(0)), func(c *Config) {
				c.OnBroadcast = func(_ ID, key string, payload []byte) { got <- fmt.Sprintf("%s=%s", key, payload) }
				c.Protocol.Transmissions = swim.Scale{Factor: 4, Least: 20} // so that gossip misses nobody by chance
			}))
		}
		time.Sleep(5 * time.Second)
		if err := nodes[1].Broadcast("colour", []byte("green")); !errors.Is(err, swim.ErrEncode) || !strings.Contains(err.Error(), "colour") {
			t.Errorf("with a key: %v", err)
		}
		for range 2 {
			if err := nodes[1].Broadcast("", []byte("green")); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
		}
		if len(got) != 4 {
			t.Errorf("delivered %d times, want 4", len(got))
		}
		for range len(got) {
			if g := <-got; g != "=green" {
				t.Errorf("delivered %q", g)
			}
		}
	})
}

func TestBroadcastThatFoundNoRoomOnFocasWireMayBeTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		got := make(chan string, 10)
		n := start(t, network, addr(0), likeFoca, func(c *Config) { c.Protocol.MaxBroadcasts = 1 })
		start(t, network, addr(1), likeFoca, seeds(addr(0)), func(c *Config) {
			c.OnBroadcast = func(_ ID, _ string, payload []byte) { got <- string(payload) }
		})
		time.Sleep(5 * time.Second)
		if err := n.Broadcast("", []byte("first")); err != nil {
			t.Fatal(err)
		}
		if err := n.Broadcast("", []byte("second")); !errors.Is(err, swim.ErrFull) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := n.Broadcast("", []byte("second")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if len(got) != 2 {
			t.Errorf("%d of 2 were delivered", len(got))
		}
		if err := n.Broadcast("", nil); !errors.Is(err, swim.ErrEmpty) {
			t.Errorf("an empty payload: %v", err)
		}
	})
}

// TestNodeAnswersBytesThatFocaWrote: the announce of the test vectors is answered
// by a feed that names who is there, though it is longer than the announce.
func TestNodeAnswersBytesThatFocaWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		start(t, network, "10.1.2.3:65535", likeFoca)
		start(t, network, addr(1), likeFoca, seeds("10.1.2.3:65535"))
		rust, err := network.Listen(netip.MustParseAddrPort("127.0.0.1:8001"))
		if err != nil {
			t.Fatal(err)
		}
		defer rust.Close()
		time.Sleep(5 * time.Second)
		announce, err := hex.DecodeString("007f000001fb411ffc00f1536500000a010203fbffff0706")
		if err != nil {
			t.Fatal(err)
		}
		if err := rust.WriteTo(announce, netip.MustParseAddrPort("10.1.2.3:65535")); err != nil {
			t.Fatal(err)
		}
		var feed swim.Packet[swim.ID]
		for b := make([]byte, 2000); feed.Header.Message != swim.MessageFeed; {
			n, from, err := rust.ReadFrom(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := foca.Bincode().Parse(b[:n], &feed); err != nil {
				t.Fatalf("%x from %v: %v", b[:n], from, err)
			}
		}
		if len(feed.Updates) != 1 || feed.Updates[0].ID.Addr().String() != addr(1) {
			t.Errorf("fed with %v", &feed)
		}
	})
}

func TestWiresHaveNames(t *testing.T) {
	for w, want := range map[Wire]string{WireCompact: "compact", WireFoca: "foca", numWires: "Wire(2)"} {
		if got := w.String(); got != want {
			t.Errorf("%d is %q, want %q", w, got, want)
		}
	}
}
