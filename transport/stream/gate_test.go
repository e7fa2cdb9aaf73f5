package stream

import (
	"net/netip"
	"testing"
)

var hostA, hostB = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")

func newTestGate() *gate {
	return &gate{
		limits:  Limits{Conns: 3, PerSource: 2, Trusted: 2}.withDefaults(),
		sources: make(map[netip.Addr]int),
	}
}

func enter(t *testing.T, g *gate, source netip.Addr) *pass {
	t.Helper()
	p := g.enter(source)
	if p == nil {
		t.Fatalf("%v was refused", source)
	}
	return p
}

func wantRefused(t *testing.T, g *gate, source netip.Addr) {
	t.Helper()
	if p := g.enter(source); p != nil {
		t.Fatalf("%v was let in", source)
	}
}

func TestOneSourceCanNotTakeEveryPlace(t *testing.T) {
	g := newTestGate()
	enter(t, g, hostA)
	enter(t, g, hostA)
	wantRefused(t, g, hostA)
	enter(t, g, hostB)
	wantRefused(t, g, hostB)
	if want := (Stats{Accepted: 3, RefusedSource: 1, RefusedConns: 1}); g.stats != want {
		t.Errorf("counted %+v, want %+v", g.stats, want)
	}
}

func TestTheTrustedLeaveTheirPlaceToStrangers(t *testing.T) {
	g := newTestGate()
	first, second := enter(t, g, hostA), enter(t, g, hostA)
	for range 2 { // again changes nothing
		if !first.trust() || !second.trust() {
			t.Fatal("not trusted")
		}
	}
	third := enter(t, g, hostA)
	if third.trust() {
		t.Error("one more is trusted than there are places")
	}
	enter(t, g, hostA)
	wantRefused(t, g, hostA) // the third is still a stranger
	second.leave()
	if !third.trust() {
		t.Error("the place of the trusted was not given back")
	}
	if g.stats.RefusedTrusted != 1 {
		t.Errorf("counted %+v", g.stats)
	}
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	g := newTestGate()
	first, second := enter(t, g, hostA), enter(t, g, hostA)
	second.trust()
	for range 3 {
		first.leave()
		second.leave()
	}
	if g.strangers != 0 || g.trusted != 0 || len(g.sources) != 0 {
		t.Errorf("%d strangers, %d trusted, from %v", g.strangers, g.trusted, g.sources)
	}
	if first.trust() || second.trust() || first.isTrusted() || second.isTrusted() {
		t.Error("who is gone is trusted")
	}
	if g.strangers != 0 || g.trusted != 0 {
		t.Errorf("%d strangers, %d trusted", g.strangers, g.trusted)
	}
}
