package selkie

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/frame"
	"github.com/selkie-go/selkie/transport/mem"
)

// What members that lie, strangers, and owners at the wrong moment can do to a
// node: each of these was a bug once.

// pair returns two nodes that know each other.
func pair(t *testing.T, network *mem.Network, configure ...func(*Config)) (a, b *Node) {
	t.Helper()
	a = start(t, network, addr(0), configure...)
	b = start(t, network, addr(1), append([]func(*Config){seeds(addr(0))}, configure...)...)
	time.Sleep(3 * time.Second)
	wantStates(t, a, Alive, 2)
	return a, b
}

// in has something done by the goroutine that owns the protocol of a node.
func in(t *testing.T, n *Node, f func()) {
	t.Helper()
	if err := n.do(f); err != nil {
		t.Fatal(err)
	}
}

// described returns a description as it is read.
func describedAs(t *testing.T, version uint64, name string) *description {
	t.Helper()
	d, ok := readDescription(version, (&description{name: name}).append(nil))
	if !ok {
		t.Fatal("not a description")
	}
	return d
}

func TestWhoHasNothingToSayIsAskedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, mem.NewNetwork())
		in(t, b, func() {
			b.post(letterAsk, a.Self().ID, binary.AppendUvarint(appendID(nil, a.Self().ID), 0))
			// Somebody says that a says something about itself: it is asked, and
			// has an answer, or it would be asked for ever.
			u := swim.Update[ID]{Member: swim.Member[ID]{ID: a.Self().ID, Metadata: 5}}
			if err := b.core.Apply(func(yield func(swim.Update[ID]) bool) { yield(u) }, true, b.out); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute)
		in(t, b, func() {
			if len(b.wants) != 0 {
				t.Errorf("%d descriptions are still wanted", len(b.wants))
			}
		})
		wantStates(t, a, Alive, 2)
	})
}

// TestNobodyDescribesOthers beyond what they announced, and nobody us.
func TestNobodyDescribesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		a := start(t, network, addr(0))
		b := start(t, network, addr(1), seeds(addr(0)), func(c *Config) { c.Name = "b" })
		liar := start(t, network, addr(2), seeds(addr(0)))
		time.Sleep(5 * time.Second)
		lie := describedAs(t, math.MaxUint64, "a lie")
		at := netip.MustParseAddrPort(addr(1))
		in(t, liar, func() {
			liar.messages.describe = func([]byte) (swim.Key, bool, error) { return swim.Key{Name: "lie", Version: 1}, true, nil }
			for _, n := range []*Node{a, b} {
				item := binary.AppendUvarint(appendID([]byte{descriptionVersion}, n.Self().ID), 7)
				if _, err := liar.core.AddBroadcast(append(item, lie.append(nil)...), liar.out); err != nil {
					t.Error(err)
				}
				for _, to := range []*Node{a, b} {
					liar.post(letterTell, to.Self().ID, appendTold(nil, Member{ID: n.Self().ID, described: lie}))
				}
			}
		})
		time.Sleep(5 * time.Second)
		for _, n := range []*Node{a, b} {
			for m := range n.Members() {
				if m.Self && m.Name() != n.Self().Name() || m.Name() == "a lie" && n == b {
					t.Errorf("%v holds %v for %q", n.Self(), m, m.Name())
				}
			}
		}
		if err := b.SetTags(map[string]string{"k": "v"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		m, _ := a.Member(at)
		if v, _ := m.Tag("k"); v != "v" || m.Name() != "b" {
			t.Errorf("after a change it is still %q with %q", m.Name(), v)
		}
	})
}

// TestAQuestionIsAnsweredOnceForEach: one that names somebody many times makes no
// more work than one that does once.
func TestAQuestionIsAnsweredOnceForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := map[string]string{"k": strings.Repeat("x", 60_000)}
		a, b := pair(t, mem.NewNetwork(), func(c *Config) { c.Tags = large })
		var question []byte
		for range 20_000 {
			question = binary.AppendUvarint(appendID(question, a.Self().ID), 1)
		}
		question = append(appendLetter(nil, letterAsk, b.Self().ID, a.Self().ID), question...)
		bytes := 0
		err := b.overStream(t.Context(), a.Self().ID, question, func(l letter) error {
			bytes += len(l.body)
			return nil
		})
		if err != nil || bytes < 60_000 || bytes > 61_000 {
			t.Errorf("%d bytes came, %v", bytes, err)
		}
	})
}

// TestAnswersAreNoLargerThanQuestionsWithoutAKey: who asks may be somebody else,
// in whose name a stranger speaks.
func TestAnswersAreNoLargerThanQuestionsWithoutAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		a := start(t, network, addr(0), func(c *Config) { c.Tags = map[string]string{"k": strings.Repeat("x", 1200)} })
		victim, err := swim.NewID(netip.MustParseAddrPort("10.7.7.7:53"), 1)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		network.Change(func(n *mem.Network) {
			n.Lost = func(_, to netip.AddrPort) bool { return to == victim.Addr().AddrPort() }
		})
		stranger, err := network.Listen(netip.MustParseAddrPort("10.9.9.9:1"))
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		sent := 0
		write := func(channel uint8, payload []byte) {
			d := frame.Append(nil, frame.ClusterOf(""), channel, payload)
			sent += len(d)
			if err := stranger.WriteTo(d, netip.MustParseAddrPort(addr(0))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		before := a.Stats().BytesSent
		packet, err := swim.Compact().Append(nil, 1400, &swim.Packet[ID]{Header: swim.Header[ID]{Src: victim, Dst: a.Self().ID, Message: swim.MessageGossip}})
		if err != nil {
			t.Fatal(err)
		}
		write(channelProtocol, packet)
		for _, size := range []int{0, 100, 1200} {
			entry := binary.AppendUvarint(appendID(nil, a.Self().ID), 1)
			write(channelLetters, append(append(appendLetter(nil, letterAsk, victim, a.Self().ID), entry...), make([]byte, size)...))
		}
		if got = int(a.Stats().BytesSent - before); got > sent {
			t.Errorf("%d bytes were sent in the name of somebody who got %d", sent, got)
		}
	})
}

// TestALatePongBlocksNobody: both of two pings are answered, and nobody listens.
func TestALatePongBlocksNobody(t *testing.T) {
	var p pings
	id := memberAt(1).ID
	answer := make(chan time.Time, 1)
	for range 2 {
		number, err := p.expect(id, answer)
		if err != nil {
			t.Fatal(err)
		}
		p.answered(letter{from: id, body: binary.BigEndian.AppendUint64(nil, number)})
	}
	if len(p.waiting) != 0 || len(answer) != 1 {
		t.Errorf("%d pings wait, %d answers", len(p.waiting), len(answer))
	}
}

func TestCloseEndsWhatTheOwnerSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		var a *Node
		sent := make(chan error, 1)
		a, b := pair(t, network, func(c *Config) {
			c.OnMessage = func(from ID, _ []byte) { sent <- a.Send(context.Background(), from, make([]byte, 10_000)) }
		})
		network.Change(func(n *mem.Network) { n.CutStream = func(_, _ netip.AddrPort) bool { return true } })
		if err := b.Send(t.Context(), a.Self().ID, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		began := time.Now()
		a.Close()
		if err := <-sent; !errors.Is(err, ErrClosed) || time.Since(began) > 0 {
			t.Errorf("what was sent ended after %v with %v", time.Since(began), err)
		}
	})
}

// TestWhoLeftStaysAwayThoughItsNameMoves, and is told that it left.
func TestWhoLeftStaysAwayThoughItsNameMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		a, b := pair(t, network)
		moved := &names{advertise: "127.0.0.1:7946", bound: netip.MustParseAddrPort(addr(0))}
		network.Change(func(n *mem.Network) { n.Latency = time.Millisecond })
		left := make(chan error, 1)
		go func() { left <- a.Leave(t.Context()) }()
		synctest.Wait()
		a.follow(moved) // in the middle of it
		if err := <-left; err != nil {
			t.Error(err)
		}
		a.follow(moved)
		time.Sleep(3 * time.Second)
		wantState(t, b, addr(0), Left)
		if self := a.Self(); self.State != Left || self.Addr().String() != addr(0) {
			t.Errorf("who left is %v", self)
		}
	})
}

// TestWhoMovesToTheAddressOfAMemberIsStillThere: it takes the place of that member.
func TestWhoMovesToTheAddressOfAMemberIsStillThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		a := start(t, network, addr(0))
		start(t, network, "127.0.0.1:7946", seeds(addr(0)))
		time.Sleep(3 * time.Second)
		wantStates(t, a, Alive, 2)
		a.follow(&names{advertise: "127.0.0.1:7946", bound: netip.MustParseAddrPort(addr(0))})
		selves := 0
		for m := range a.Members() {
			if m.Self {
				selves++
			}
		}
		if selves != 1 || a.Self().Addr().String() != "127.0.0.1:7946" {
			t.Errorf("%d of us among the members, at %v", selves, a.Self().Addr())
		}
	})
}

// TestStrangersOnAStreamHaveTenSeconds where the transport sets no bounds.
func TestStrangersOnAStreamHaveTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		start(t, network, addr(0))
		stranger, err := network.Listen(netip.MustParseAddrPort("10.9.9.9:1"))
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		before := runtime.NumGoroutine()
		for range 50 {
			c, err := stranger.Dial(t.Context(), netip.MustParseAddrPort(addr(0)))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			synctest.Wait()
		}
		time.Sleep(11 * time.Second)
		if more := runtime.NumGoroutine() - before; more > 5 {
			t.Errorf("%d goroutines more", more)
		}
	})
}

func TestStatsOfTheEndAreTheReadersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, mem.NewNetwork(), addr(0))
		a.Close()
		a.Stats().Refused["mine"] = 7
		if a.Stats().Refused["mine"] != 0 {
			t.Error("what one reader changes another one sees")
		}
	})
}
