package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestTheAcquaintedKnowEverybodyAndHaveNothingToTell(t *testing.T) {
	w := acquainted(1, Paper, 9)
	if !w.everybodySees(8) {
		t.Fatal("not everybody knows everybody")
	}
	w.Run(time.Minute)
	for _, n := range w.nodes {
		if s := n.core.Stats(); s.Backlog != 0 || s.Sent[swim.MessageAnnounce]+s.Sent[swim.MessageGossip] != 0 {
			t.Errorf("node %d: %+v", n.number, s)
		}
	}
}

// Who was never answered is refused relays; so the introduction shows in that
// none is.
func TestTheIntroducedRelayForEachOther(t *testing.T) {
	for _, introduced := range []bool{true, false} {
		w := acquainted(1, Paper, 30)
		if introduced {
			w.introduce()
		}
		w.Impair("loss", nil, nil, Link{Loss: 0.3})
		w.Run(20 * time.Second)
		refused := w.total().Drops[swim.DropRelayRefused]
		if asked := w.total().Sent[swim.MessageIndirectPing]; asked == 0 && introduced || (refused == 0) != introduced {
			t.Errorf("introduced %v: %d relays refused, %d carried out", introduced, refused, asked)
		}
	}
}

// traffic returns what each node has sent.
func (w *World) traffic() []Traffic {
	var all []Traffic
	for _, n := range w.nodes {
		all = append(all, n.Traffic)
	}
	return all
}

// What members do who know each other follows from the seed and the configuration
// alone.
func TestCompanyDependsOnItsSeedAlone(t *testing.T) {
	run := func(seed uint64) ([]Traffic, uint32) {
		w := company(seed, 12, swim.LAN(12))
		if !w.everybodySees(11) {
			t.Error("somebody is unknown to somebody")
		}
		w.Run(time.Minute)
		target := uint32(0)
		w.Trace = func(e Event) {
			if e.Kind == EventSend && target == 0 && e.Node == 3 {
				target = 1 + e.Peer
			}
		}
		w.Run(2 * time.Second)
		return w.traffic(), target
	}
	first, _ := run(1)
	again, _ := run(1)
	targets := map[uint32]bool{}
	for seed := range uint64(8) {
		_, target := run(seed)
		targets[target] = true
	}
	for i := range first {
		if first[i] != again[i] {
			t.Errorf("node %d sent %v, then %v", i, first[i], again[i])
		}
	}
	if len(targets) < 3 {
		t.Errorf("whatever the seed, the first packet of a node goes to %v", targets)
	}
}

// What a run does to its members stays with them.
func TestCompanyIsIntroducedAnew(t *testing.T) {
	w := company(1, 12, swim.LAN(12))
	w.Node(3).Crash()
	w.Run(time.Minute)
	if w.everybodySees(11) {
		t.Fatal("nobody noticed the crash")
	}
	if !company(2, 12, swim.LAN(12)).everybodySees(11) {
		t.Error("the next run begins with what became of the last")
	}
}

// A relay serves only who answered it, so each has to have been probed by all.
func TestCompanyRelaysForEachOther(t *testing.T) {
	w := company(1, 12, swim.LAN(12))
	w.Impair("cut", Nodes(3), Nodes(4), Link{Cut: true})
	w.Run(time.Minute)
	if n := w.Node(3).core.Stats(); n.ProbesFailed > 0 || n.Received[swim.MessageForwardedAck] == 0 {
		t.Errorf("%d probes failed, %d acks came through others", n.ProbesFailed, n.Received[swim.MessageForwardedAck])
	}
}
