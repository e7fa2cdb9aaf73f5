package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Two live processes at one address (S26): each renews to come above the other,
// ever more seldom, and reports that somebody else is there.
func TestTwinsRenewEverMoreSeldomAndReportIt(t *testing.T) {
	r := stage(t, 5)
	n := r.World.Node(3)
	conflicts := 0
	n.OnNotify = func(note swim.Notification[ID]) {
		if note.Kind == swim.NotifyConflict {
			conflicts++
		}
	}
	r.begin(Fault{Name: "a", Kind: FaultTwin, Nodes: Nodes(3)})
	r.World.Run(10 * time.Minute)
	if n.twin == nil || !n.twin.Running() {
		t.Fatal("nobody else has the address")
	}
	renewals := n.Core().Stats().Renewals + n.twin.Core().Stats().Renewals
	if renewals < 2 || renewals > 24 {
		t.Errorf("%d renewals in 10 minutes", renewals)
	}
	if conflicts == 0 {
		t.Error("no conflict was reported")
	}
	r.heal(nil)
	if n.twin.Running() {
		t.Error("the twin is still there after healing")
	}
	if !r.World.RunUntil(20*time.Minute, func() bool { return disagreement(r.World.nodes) == "" }) {
		t.Error(disagreement(r.World.nodes))
	}
	for _, v := range r.World.Violations {
		t.Error(v)
	}
}

// Luck decides which of two processes at an address gets a packet.
func TestTwinsGetPacketsBoth(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultTwin, Nodes: Nodes(2)})
	n := r.World.Node(2)
	got := map[*Node]int{}
	for range 100 {
		got[n.receiver()]++
	}
	if got[n] < 20 || got[n.twin] < 20 {
		t.Errorf("%d and %d of 100 packets", got[n], got[n.twin])
	}
	n.twin.Crash()
	if n.receiver() != n {
		t.Error("a packet goes to a process that ended")
	}
}
