package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// credulous is a configuration without what keeps a process that stood still from
// accusing others, with word of failed probes.
func credulous() swim.Config {
	cfg := plain(swim.LAN(0))
	cfg.Notify.ProbeFailed = true
	return cfg
}

// counts returns how often the owner of a node is told something.
func (n *Node) counts(kind swim.NotificationKind) *int {
	count := 0
	n.OnNotify = func(note swim.Notification[ID]) {
		if note.Kind == kind {
			count++
		}
	}
	return &count
}

func TestBlockedProcessSendsAndReadsNothingUntilItIsOver(t *testing.T) {
	w := company(1, 8, credulous())
	n := w.Node(3)
	sent, read := 0, 0
	w.Trace = func(e Event) {
		switch {
		case e.Kind == EventSend && e.Node == 3:
			sent++
		case e.Kind == EventReceive && e.Node == 3:
			read++
		}
	}
	n.Block()
	w.Run(5 * time.Second)
	if sent+read > 0 {
		t.Errorf("sent %d and read %d packets", sent, read)
	}
	kept, waiting := len(n.gate.packets), len(n.gate.socket)
	if kept == 0 || waiting == 0 {
		t.Fatalf("%d packets wait to leave, %d to be read", kept, waiting)
	}
	n.Unblock()
	if sent < kept || read != waiting {
		t.Errorf("%d of %d packets left, %d of %d were read", sent, kept, read, waiting)
	}
	if len(n.gate.packets)+len(n.gate.socket)+len(n.gate.events) > 0 {
		t.Error("something is left")
	}
}

// What memberlist does: one false suspicion for each blockade of more than a
// period, when it is over, however long it lasts.
func TestBlockedProberSuspectsOneTarget(t *testing.T) {
	for _, lasts := range []time.Duration{300 * time.Millisecond, 3 * time.Second, 9 * time.Second} {
		for seed := range uint64(5) {
			w := company(seed, 8, credulous())
			n := w.Node(3)
			failed := n.counts(swim.NotifyProbeFailed)
			n.Block()
			w.Run(lasts)
			if *failed > 0 {
				t.Errorf("%v: %d probes failed while the prober stood still", lasts, *failed)
			}
			n.Unblock()
			w.Run(5 * time.Second)
			if want := min(1, int(lasts/(2*time.Second))); *failed != want {
				t.Errorf("%v: %d probes failed, want %d", lasts, *failed, want)
			}
		}
	}
}

// The deadlines of suspicions go on, whatever lies unread in the socket; what was
// told before the blockade is not forgotten.
func TestDeadlinesPassInABlockedProcess(t *testing.T) {
	w := company(1, 16, credulous())
	n := w.Node(3)
	down := n.counts(swim.NotifyDown)
	n.Block()
	w.Run(3 * time.Second)
	n.Unblock()
	n.Block() // before it hears of the refutation
	w.Run(12 * time.Second)
	if *down != 1 {
		t.Errorf("%d members are down, want the one that it suspected", *down)
	}
	n.Unblock()
	w.Run(2 * time.Second)
	if *down != 1 || n.core.NumActive() != 15 {
		t.Errorf("%d were down, %d are active", *down, n.core.NumActive())
	}
}

func TestSocketOfABlockedProcessHoldsSoManyPackets(t *testing.T) {
	w := company(1, 8, credulous())
	w.Backlog = 3
	n := w.Node(3)
	n.Block()
	w.Run(5 * time.Second)
	if len(n.gate.socket) != 3 {
		t.Errorf("%d packets wait, want 3", len(n.gate.socket))
	}
}

func TestBlockadesAddUpAndEndWithTheProcess(t *testing.T) {
	w := company(1, 8, credulous())
	n := w.Node(3)
	before := n.Traffic.Packets
	n.Block()
	n.Block()
	w.Run(2 * time.Second)
	n.Unblock()
	w.Run(2 * time.Second)
	if n.Traffic.Packets != before {
		t.Error("one of two ended both")
	}
	n.Start(Boot{})
	w.Run(2 * time.Second)
	if n.Traffic.Packets == before {
		t.Error("the next process is blocked too")
	}
	n.Unblock()
	if n.gate.depth != 0 {
		t.Errorf("%d blockades", n.gate.depth)
	}
}

// A process that is busy when the blockade is over does what waited when it has
// the time, and nothing of it gets lost.
func TestBusyProcessCatchesUpAfterABlockade(t *testing.T) {
	w := company(1, 8, credulous())
	n := w.Node(3)
	read := 0
	w.Trace = func(e Event) {
		if e.Kind == EventReceive && e.Node == 3 {
			read++
		}
	}
	n.Cost = 10 * time.Millisecond
	n.Block()
	w.Run(5 * time.Second)
	waiting := len(n.gate.socket)
	n.Unblock()
	if read >= waiting {
		t.Errorf("read %d of %d at once", read, waiting)
	}
	w.Run(10 * time.Millisecond * time.Duration(2*waiting+20))
	if read < waiting {
		t.Errorf("read %d of %d", read, waiting)
	}
}

// The ack of a ping that left before the blockade comes too late if it is read
// after the time-outs ran out, though it had arrived in time.
func TestTimeOutsThatRanOutComeBeforeWhatLiesInTheSocket(t *testing.T) {
	w := company(1, 8, credulous())
	n := w.Node(3)
	failed := n.counts(swim.NotifyProbeFailed)
	for pings := n.core.Stats().Sent[swim.MessagePing]; n.core.Stats().Sent[swim.MessagePing] == pings; {
		w.Step()
	}
	n.Block()
	w.Run(1500 * time.Millisecond)
	if len(n.gate.socket) == 0 {
		t.Fatal("no ack has arrived")
	}
	n.Unblock()
	w.Run(5 * time.Second)
	if *failed != 1 {
		t.Errorf("%d probes failed, want that one", *failed)
	}
}

// Members that listen to whom they hold down answer its pings and take its word
// for others; else it would suspect them in turn, and nobody would know.
func TestCredulousMembersListenToTheDown(t *testing.T) {
	for _, credulous := range []bool{true, false} {
		w := company(1, 8, plain(swim.LAN(8)))
		n, held := w.Node(3), w.Node(5)
		n.credulous = credulous
		n.Apply([]swim.Update[ID]{{Member: swim.Member[ID]{ID: held.core.Self().ID, State: swim.Down}}}, false)
		acks := held.core.Stats().Received[swim.MessageAck]
		about := swim.Update[ID]{Member: swim.Member[ID]{ID: w.Node(6).core.Self().ID, Incarnation: 7}}
		packet, err := codec.Append(nil, 1400, &swim.Packet[ID]{
			Header:  swim.Header[ID]{Message: swim.MessagePing, Src: held.core.Self().ID, Dst: n.core.Self().ID, Number: 1},
			Updates: []swim.Update[ID]{about},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.send(n.core.Self().ID, flight{from: held, data: packet})
		w.Run(10 * time.Millisecond)
		m, _ := n.core.Member(6)
		if believed := m.Incarnation == 7; believed != credulous {
			t.Errorf("credulous %v: believed %v", credulous, believed)
		}
		if acked := held.core.Stats().Received[swim.MessageAck] > acks; acked != credulous {
			t.Errorf("credulous %v: answered %v", credulous, acked)
		}
	}
}
