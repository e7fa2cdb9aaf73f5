package selkie

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/mem"
)

// A rustMember is a member played by hand: it says what foca says, and keeps
// what it is told.
type rustMember struct {
	t    *testing.T
	conn *mem.Conn

	mu    sync.Mutex
	id    ID
	inc   swim.Incarnation
	mute  bool // it answers nothing
	heard []swim.Packet[ID]
}

func startRust(t *testing.T, network *mem.Network, at string) *rustMember {
	t.Helper()
	conn, err := network.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	id, err := swim.NewID(netip.MustParseAddrPort(at), uint64(time.Now().Unix()))
	if err != nil {
		t.Fatal(err)
	}
	r := &rustMember{t: t, conn: conn, id: id}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.read()
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return r
}

func (r *rustMember) read() {
	for b := make([]byte, 2000); ; {
		n, _, err := r.conn.ReadFrom(b)
		if err != nil {
			return
		}
		var p swim.Packet[ID]
		if err := foca.Bincode().Parse(slices.Clone(b[:n]), &p); err != nil {
			r.t.Errorf("%x: %v", b[:n], err)
			continue
		}
		r.mu.Lock()
		r.heard = append(r.heard, p)
		mute := r.mute
		r.mu.Unlock()
		if h := p.Header; h.Message == swim.MessagePing && !mute {
			r.say(h.Src, swim.Header[ID]{Message: swim.MessageAck, Number: h.Number})
		}
	}
}

// say sends a packet.
func (r *rustMember) say(to ID, h swim.Header[ID], updates ...swim.Update[ID]) {
	r.send(to, &swim.Packet[ID]{Header: h, Updates: updates})
}

func (r *rustMember) send(to ID, p *swim.Packet[ID]) {
	r.mu.Lock()
	p.Header.Src, p.Header.Dst, p.Header.SrcIncarnation = r.id, to, r.inc
	r.mu.Unlock()
	data, err := foca.Bincode().Append(nil, 1400, p)
	if err == nil {
		err = r.conn.WriteTo(data, to.Addr().AddrPort())
	}
	if err != nil {
		r.t.Error(err)
	}
}

// after passes over what came so far, does something, lets time pass, and returns
// the packets that came since and are wanted.
func (r *rustMember) after(do func(), wait time.Duration, wanted func(p *swim.Packet[ID]) bool) (found []swim.Packet[ID]) {
	synctest.Wait()
	r.mu.Lock()
	r.heard = nil
	r.mu.Unlock()
	do()
	time.Sleep(wait)
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.heard {
		if wanted(&p) {
			found = append(found, p)
		}
	}
	return found
}

// become changes what it is.
func (r *rustMember) become(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func nothing() {}

func is(m swim.Message) func(p *swim.Packet[ID]) bool {
	return func(p *swim.Packet[ID]) bool { return p.Header.Message == m }
}

// about finds an update about a member, in a state.
func about(id ID, s State) func(p *swim.Packet[ID]) bool {
	return func(p *swim.Packet[ID]) bool {
		return slices.ContainsFunc(p.Updates, func(u swim.Update[ID]) bool { return u.ID == id && u.State == s })
	}
}

// joined returns a node and a member played by hand, which joined it.
func joined(t *testing.T, network *mem.Network, configure ...func(*Config)) (*Node, *rustMember) {
	t.Helper()
	n := start(t, network, addr(0), append(configure, likeFoca)...)
	r := startRust(t, network, addr(1))
	toAnyLife, err := swim.NewID(netip.MustParseAddrPort(addr(0)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if unasked := r.after(nothing, time.Second, func(p *swim.Packet[ID]) bool { return true }); len(unasked) > 0 {
		t.Errorf("unasked: %v", unasked)
	}
	announce := func() { r.say(toAnyLife, swim.Header[ID]{Message: swim.MessageAnnounce}) }
	if feeds := r.after(announce, 3*time.Second, is(swim.MessageFeed)); len(feeds) != 1 {
		t.Errorf("fed %d times", len(feeds))
	}
	wantState(t, n, addr(1), Alive)
	return n, r
}

func TestFocaMemberIsProbedAndProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, r := joined(t, mem.NewNetwork())
		if pings := r.after(nothing, 10*time.Second, is(swim.MessagePing)); len(pings) < 8 || len(pings) > 12 {
			t.Errorf("%d pings in 10 s", len(pings))
		}
		ping := func() { r.say(n.Self().ID, swim.Header[ID]{Message: swim.MessagePing, Number: 255}) }
		if acks := r.after(ping, time.Second/2, is(swim.MessageAck)); len(acks) != 1 || acks[0].Header.Number != 255 {
			t.Errorf("acks of ping #255: %v", acks)
		}
		// 300 periods later its numbers have begun anew.
		time.Sleep(5 * time.Minute)
		wantState(t, n, addr(1), Alive)
		if s := n.Stats(); s.Protocol.ProbesFailed != 0 || s.Protocol.Probes < 300 {
			t.Errorf("%d of %d probes failed", s.Protocol.ProbesFailed, s.Protocol.Probes)
		}
	})
}

func TestFocaMemberIsSuspectedAndRefutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, r := joined(t, mem.NewNetwork())
		mute := func() { r.become(func() { r.mute = true }) }
		if told := r.after(mute, 3*time.Second, about(r.id, Suspect)); len(told) == 0 {
			t.Error("a suspect is not told")
		}
		wantState(t, n, addr(1), Suspect)
		r.become(func() { r.mute, r.inc = false, 1 })
		time.Sleep(10 * time.Second)
		if m := wantState(t, n, addr(1), Alive); m.Incarnation != 1 {
			t.Errorf("it is known as %v", m)
		}
	})
}

func TestNodeRefutesWhatFocaSuspects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, r := joined(t, mem.NewNetwork())
		self := n.Self()
		accuse := func() {
			r.say(self.ID, swim.Header[ID]{Message: swim.MessageGossip}, swim.Update[ID]{Member: swim.Member[ID]{ID: self.ID, State: Suspect}})
		}
		refuted := func(p *swim.Packet[ID]) bool { return uint64(p.Header.SrcIncarnation) == self.Incarnation+1 }
		if said := r.after(accuse, time.Second, refuted); len(said) == 0 {
			t.Error("it does not refute")
		}
		// A suspicion at the last incarnation that the wire has can not be refuted.
		r.say(self.ID, swim.Header[ID]{Message: swim.MessageGossip}, swim.Update[ID]{Member: swim.Member[ID]{ID: self.ID, Incarnation: 65535, State: Suspect}})
		time.Sleep(time.Second)
		if renewed := n.Self(); renewed.ID.Generation() != self.ID.Generation()+1 || renewed.Incarnation != 0 {
			t.Errorf("it goes on as %v", renewed)
		}
	})
}

func TestFocaMemberGoesDownAndRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, r := joined(t, mem.NewNetwork())
		events := record(t, n)
		mute := func() { r.become(func() { r.mute = true }) }
		if told := r.after(mute, time.Minute, is(swim.MessageTurnUndead)); len(told) == 0 {
			t.Error("who is down is not told")
		}
		wantState(t, n, addr(1), Down)
		// A verdict is final: no incarnation brings this identity back.
		r.become(func() { r.inc = 9 })
		ping := func() { r.say(n.Self().ID, swim.Header[ID]{Message: swim.MessagePing, Number: 1}) }
		if told := r.after(ping, 2*time.Second, is(swim.MessageTurnUndead)); len(told) == 0 {
			t.Error("who is down and speaks is not told")
		}
		wantState(t, n, addr(1), Down)
		r.become(func() {
			r.id, _ = r.id.Renew()
			r.inc, r.mute = 0, false
		})
		r.say(n.Self().ID, swim.Header[ID]{Message: swim.MessageAnnounce})
		time.Sleep(5 * time.Second)
		if m := wantState(t, n, addr(1), Alive); m.ID != r.id {
			t.Errorf("it is known as %v", m)
		}
		if got := events.kinds(addr(1)); !strings.HasSuffix(got, "down up") {
			t.Errorf("events: %q", got)
		}
	})
}

func TestNodeObeysTurnUndead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, r := joined(t, mem.NewNetwork())
		self := n.Self()
		demand := func() { r.say(self.ID, swim.Header[ID]{Message: swim.MessageTurnUndead}) }
		if said := r.after(demand, time.Second, is(swim.MessageAnnounce)); len(said) == 0 {
			t.Error("it does not tell that it renewed")
		}
		if renewed := n.Self(); !renewed.ID.Supersedes(self.ID) {
			t.Errorf("it goes on as %v", renewed)
		}
	})
}

func TestGoodbyesCrossFocasWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		n, r := joined(t, network)
		other := startRust(t, network, addr(2))
		other.say(n.Self().ID, swim.Header[ID]{Message: swim.MessageAnnounce})
		time.Sleep(5 * time.Second)
		// foca's goodbye is a gossip in which a member says that it is down itself.
		goodbye := func() {
			other.send(n.Self().ID, &swim.Packet[ID]{Header: swim.Header[ID]{Message: swim.MessageGossip, SrcState: Left}})
			other.conn.Close()
		}
		if told := r.after(goodbye, 5*time.Second, about(other.id, Down)); len(told) == 0 {
			t.Error("a goodbye is not passed on")
		}
		wantState(t, n, addr(2), Left)
		leave := func() {
			if err := n.Leave(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if said := r.after(leave, time.Second, func(p *swim.Packet[ID]) bool { return p.Header.SrcState == Left }); len(said) == 0 {
			t.Error("it says no goodbye")
		}
	})
}

func TestPayloadsCrossFocasWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := mem.NewNetwork()
		got := make(chan string, 10)
		n, r := joined(t, network, func(c *Config) {
			c.OnBroadcast = func(from ID, _ string, payload []byte) { got <- fmt.Sprintf("%v %s", from.Addr(), payload) }
		})
		other := startRust(t, network, addr(2))
		other.say(n.Self().ID, swim.Header[ID]{Message: swim.MessageAnnounce})
		time.Sleep(5 * time.Second)
		carries := func(payload string) func(*swim.Packet[ID]) bool {
			return func(p *swim.Packet[ID]) bool {
				return slices.ContainsFunc(p.Payloads, func(b []byte) bool { return string(b) == payload })
			}
		}
		broadcast := func() {
			for range 2 {
				r.send(n.Self().ID, &swim.Packet[ID]{Header: swim.Header[ID]{Message: swim.MessageBroadcast}, Payloads: [][]byte{[]byte("theirs")}})
			}
		}
		if told := other.after(broadcast, 5*time.Second, carries("theirs")); len(told) == 0 {
			t.Error("a payload is not passed on")
		}
		if g := <-got; g != addr(1)+" theirs" || len(got) > 0 {
			t.Errorf("delivered %q and %d more", g, len(got))
		}
		ours := func() {
			if err := n.Broadcast("", []byte("ours")); err != nil {
				t.Error(err)
			}
		}
		if told := r.after(ours, 5*time.Second, carries("ours")); len(told) == 0 {
			t.Error("a payload of ours does not arrive")
		}
	})
}
