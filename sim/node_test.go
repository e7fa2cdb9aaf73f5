package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// formed returns a cluster in which everybody knows everybody.
func formed(t testing.TB, nodes int) *World {
	t.Helper()
	w := New(1, LAN)
	w.Grow(nodes)
	if !w.RunUntil(time.Minute, func() bool { return w.everybodySees(nodes - 1) }) {
		t.Fatal("the cluster did not form")
	}
	w.Run(5 * time.Second)
	return w
}

// heard collects what the owner of a node is told.
func heard(n *Node) *[]string {
	var lines []string
	n.OnNotify = func(note swim.Notification[ID]) {
		lines = append(lines, note.Kind.String()+" "+note.Member.ID.String())
	}
	return &lines
}

// A process that stood still finds its packets and its timers when it goes on,
// and accuses nobody for its own silence.
func TestPausedNodeGoesOn(t *testing.T) {
	w := formed(t, 5)
	n := w.Node(2)
	events := heard(n)
	n.Pause()
	sent := n.Traffic.Packets
	w.Run(3 * time.Second)
	if n.Traffic.Packets != sent {
		t.Error("it sent something while it was paused")
	}
	if len(n.waiting) == 0 {
		t.Error("nothing waits for it")
	}
	n.Resume()
	w.Run(30 * time.Second)
	if len(*events) > 0 || n.core.Stats().Pauses == 0 || len(n.waiting) > 0 {
		t.Errorf("it told %v, counted %d pauses, %d wait", *events, n.core.Stats().Pauses, len(n.waiting))
	}
	if !w.everybodySees(4) {
		t.Error("the cluster lost somebody")
	}
}

// A clock that stood still with its process shows no pause.
func TestFrozenNodeDoesNotNotice(t *testing.T) {
	w := formed(t, 5)
	n := w.Node(2)
	before := n.clock.at(w.now)
	n.Freeze()
	w.Run(3 * time.Second)
	if got := n.clock.at(w.now); got != before {
		t.Errorf("its clock went on by %v", got.Sub(before))
	}
	n.Resume()
	w.Run(10 * time.Second)
	if n.core.Stats().Pauses > 0 {
		t.Error("it noticed a pause")
	}
}

// Pauses that overlap end when the last of them does.
func TestPausesAddUp(t *testing.T) {
	w := formed(t, 2)
	n := w.Node(1)
	n.Pause()
	n.Pause()
	n.Resume()
	sent := n.Traffic.Packets
	w.Run(2 * time.Second)
	if n.Traffic.Packets != sent {
		t.Error("it ran after the first had ended")
	}
	n.Resume()
	w.Run(2 * time.Second)
	if n.Traffic.Packets == sent {
		t.Error("it did not run after the last had ended")
	}
}

// A slow node does one thing after the other, and everything in the end.
func TestSlowNodeIsBusy(t *testing.T) {
	w := formed(t, 8)
	n := w.Node(3)
	n.Cost = 60 * time.Millisecond
	most := 0
	w.Run(0)
	for range 200 {
		w.Run(50 * time.Millisecond)
		most = max(most, len(n.waiting))
	}
	if most == 0 {
		t.Error("nothing ever waited for it")
	}
	n.Cost = 0
	w.Run(time.Second)
	if len(n.waiting) > 0 || !w.everybodySees(7) {
		t.Errorf("%d wait", len(n.waiting))
	}
}

// A socket holds so much and no more.
func TestSocketIsBounded(t *testing.T) {
	w := formed(t, 8)
	w.Backlog = 3
	n := w.Node(3)
	n.Pause()
	w.Run(5 * time.Second)
	packets := 0
	for _, h := range n.waiting {
		if h.kind == arrival {
			packets++
		}
	}
	if packets != 3 {
		t.Errorf("%d packets wait", packets)
	}
}

// Timer events that come late or early do no harm.
func TestTimersMayComeLateOrEarly(t *testing.T) {
	w := formed(t, 6)
	for _, n := range w.Nodes() {
		n.Lag, n.Early = 10*time.Millisecond, time.Millisecond
	}
	w.Run(time.Minute)
	probes := uint64(0)
	for _, n := range w.Nodes() {
		probes += n.core.Stats().Probes
		if s := n.core.Stats(); s.ProbesFailed > 0 || s.Suspect+s.Down > 0 {
			t.Errorf("node %d counted %+v", n.number, s)
		}
	}
	if probes < 6*55 {
		t.Errorf("%d probes in a minute", probes)
	}
}

// A process that starts again is another life, unless its clock went wrong.
func TestStartIsANewLife(t *testing.T) {
	w := formed(t, 3)
	n := w.Node(1)
	events := heard(w.Node(0))
	n.Start(Boot{})
	if got := n.core.Self().ID; got != (ID{1, 2}) {
		t.Errorf("it started as %v", got)
	}
	w.Run(10 * time.Second)
	if len(*events) != 1 || (*events)[0] != "rename 1.2" {
		t.Errorf("others were told %v", *events)
	}
	n.Start(Boot{Life: 1})
	w.Run(30 * time.Second)
	if got := n.core.Self().ID.Life; got <= 2 {
		t.Errorf("with an old generation it goes on as life %d", got)
	}
	if !w.everybodySees(2) {
		t.Error("the cluster lost somebody")
	}
}

// What arrives where no process runs is lost, and so is what comes from another
// cluster.
func TestPacketsNeedSomebodyOfTheCluster(t *testing.T) {
	w := formed(t, 3)
	lost := map[string]int{}
	w.Trace = func(e Event) {
		if e.Kind == EventLost {
			lost[e.Text]++
		}
	}
	w.Node(1).Crash()
	w.Node(2).Cluster = 1
	w.Run(10 * time.Second)
	if lost["nobody"] == 0 || lost["other-cluster"] == 0 {
		t.Errorf("lost %v", lost)
	}
}
