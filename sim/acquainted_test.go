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
