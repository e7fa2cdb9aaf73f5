package bench

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A silence is a runtime that carries out nothing.
type silence struct{ sent int }

func (s *silence) Now() swim.Instant                              { return 0 }
func (s *silence) SendTo(swim.ID, []byte)                         { s.sent++ }
func (s *silence) SubmitAfter(swim.Timer[swim.ID], time.Duration) {}
func (s *silence) Notify(swim.Notification[swim.ID])              {}

// newCore returns a core that knows everybody. What it learnt waits to be told
// if tell is set.
func newCore(tb testing.TB, members []swim.ID, tell bool, rt *silence) *swim.Core[swim.ID, swim.Addr] {
	tb.Helper()
	self, err := swim.NewID(netip.MustParseAddrPort("192.0.2.1:7946"), 1)
	if err != nil {
		tb.Fatal(err)
	}
	core, err := swim.New(self, swim.LAN(len(members)), swim.Compact(), rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		tb.Fatal(err)
	}
	known := func(yield func(swim.Update[swim.ID]) bool) {
		for _, id := range members {
			if !yield(swim.Update[swim.ID]{Member: swim.Member[swim.ID]{ID: id}}) {
				return
			}
		}
	}
	if err := core.Apply(known, tell, rt); err != nil {
		tb.Fatal(err)
	}
	return core
}

// gossip returns as many full packets as it takes to say that every member is
// alive with an incarnation, in random order.
func gossip(tb testing.TB, to swim.ID, members []swim.ID, incarnation swim.Incarnation) []packet {
	tb.Helper()
	var packets []packet
	p := &swim.Packet[swim.ID]{}
	for order := rand.Perm(len(members)); len(order) > 0; {
		p.Reset()
		p.Header = swim.Header[swim.ID]{Src: members[0], Dst: to, Message: swim.MessageGossip}
		for _, i := range order[:min(200, len(order))] {
			p.Updates = append(p.Updates, swim.Update[swim.ID]{Member: swim.Member[swim.ID]{ID: members[i], Incarnation: incarnation}})
		}
		data, err := swim.Compact().Append(nil, packetSize, p)
		if err != nil {
			tb.Fatal(err)
		}
		sent := slices.IndexFunc(p.Updates, func(u swim.Update[swim.ID]) bool { return !u.Sent })
		if sent < 0 {
			sent = len(p.Updates)
		}
		packets = append(packets, packet{data, sent})
		order = order[sent:]
	}
	return packets
}

func TestSelkieLearnsWhatWeTellIt(t *testing.T) {
	members, rt := population(t, 500), &silence{}
	core := newCore(t, members[:1], false, rt)
	for _, packet := range gossip(t, core.Self().ID, members, 1) {
		if err := core.HandleData(packet.data, rt); err != nil {
			t.Fatal(err)
		}
	}
	if core.NumActive() != len(members) {
		t.Errorf("selkie knows %d members, want %d", core.NumActive(), len(members))
	}
}

// BenchmarkSelkieHandleGossip is what BenchmarkMemberlistHandleGossip measures
// there: full packets of fresh news about known members.
func BenchmarkSelkieHandleGossip(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			members, rt := population(b, n), &silence{}
			core := newCore(b, members, false, rt)
			incarnation := swim.Incarnation(0)
			measure(b, func() []packet {
				incarnation++
				return gossip(b, core.Self().ID, members, incarnation)
			}, func(p packet) {
				if err := core.HandleData(p.data, rt); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkSelkieGossip is what BenchmarkMemberlistGossip measures there:
// filling three packets from a backlog. A backlog that was told is made anew.
func BenchmarkSelkieGossip(b *testing.B) {
	for _, backlog := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			members, rt := population(b, backlog), &silence{}
			core := newCore(b, members, true, rt)
			b.ReportAllocs()
			for b.Loop() {
				if core.Stats().Backlog < 500 {
					b.StopTimer()
					core = newCore(b, members, true, rt)
					b.StartTimer()
				}
				if err := core.Gossip(rt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
