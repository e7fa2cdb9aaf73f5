package selkie

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// The tests of this file use real sockets and real time.

// await waits until a node reports an event of a kind about an address.
func await(t *testing.T, n *Node, kind EventKind, at netip.AddrPort, started func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for e := range n.Watch(ctx) {
		if e.Kind == EventSnapshot {
			started()
		}
		if e.Kind == kind && e.Member.Addr() == at {
			return
		}
	}
	t.Fatalf("no %v of %v", kind, at)
}

func startUDP(t *testing.T) *Node {
	t.Helper()
	n, err := Start(t.Context(), Config{Protocol: swim.Local()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func TestNodesOverUDPFindAndMissEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("uses real sockets and real time")
	}
	a, b, c := startUDP(t), startUDP(t), startUDP(t)
	for _, n := range []*Node{b, c} {
		if err := n.Join(t.Context(), a.Self().Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, a, EventDown, b.Self().Addr(), func() { b.Close() })
	await(t, a, EventLeft, c.Self().Addr(), func() {
		if err := c.Leave(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestUnspecifiedAddressMustBeAdvertised(t *testing.T) {
	if testing.Short() {
		t.Skip("uses real sockets")
	}
	cfg := Config{Bind: netip.MustParseAddrPort("0.0.0.0:0")}
	if n, err := Start(t.Context(), cfg); err == nil {
		t.Errorf("started as %v", n.Self())
	}
	cfg.Advertise = "127.0.0.1"
	n, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if self := n.Self().Addr(); self.Port() == 0 || self.Addr().String() != cfg.Advertise {
		t.Errorf("advertised as %v", self)
	}
}
