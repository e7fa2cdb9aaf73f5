package swim

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// S16: a member that leaves and returns all the time makes us idle and active
// in turns. The events that this arms do not pile up.
func TestArmingAnewLeavesFewEventsBehind(t *testing.T) {
	now := Instant(0)
	out := NewOutbox[who](func() Instant { return now })
	core, err := New(who{"a", 1}, Config{}, names, newRand(1))
	if err != nil {
		t.Fatal(err)
	}
	hear := func(life int, state State) {
		data, err := names.Append(nil, 1400, &Packet[who]{Header: Header[who]{
			Src: who{"b", life}, SrcState: state, Dst: who{"a", 1}, Message: MessageGossip,
		}})
		if err != nil {
			t.Fatal(err)
		}
		_ = core.HandleData(data, out)
		out.Reset()
	}
	for life := 1; life < lastLife; life++ {
		for range 5 {
			now = now.Add(20 * time.Millisecond)
			hear(life, Alive)
			for event := range out.Due() {
				_ = core.HandleTimer(event, out)
			}
		}
		hear(life, Left)
	}
	if core.NumActive() != 0 {
		t.Fatal("somebody is active")
	}
	if n := out.Len(); n > 100 {
		t.Errorf("%d events wait for one core that knows nobody", n)
	}
}

// Rule 77, S16: those beyond the limit of tombstones are forgotten early, and
// what others still suspect of them does not bring them back.
func TestUnknownSuspectIsNoMemberWhenTombstonesAreFull(t *testing.T) {
	c := newCluster(t, Config{MaxTombstones: 1}, "a", "b")
	c.meet()
	c.run(time.Second)
	apply := func(m Member[who]) error {
		return c.do("a", func(core *Core[who, string], rt Runtime[who]) error {
			return core.Apply(func(yield func(Update[who]) bool) { yield(Update[who]{Member: m}) }, false, rt)
		})
	}
	if err := apply(Member[who]{ID: who{"c", 1}, State: Suspect}); err != nil {
		t.Errorf("with room: %v", err)
	}
	if err := apply(Member[who]{ID: who{"d", 1}, State: Left}); err != nil {
		t.Error(err)
	}
	if err := apply(Member[who]{ID: who{"e", 1}, State: Suspect}); err != ErrFull {
		t.Errorf("a suspect: %v", err)
	}
	if err := apply(Member[who]{ID: who{"f", 1}, State: Alive}); err != nil {
		t.Errorf("one that is alive: %v", err)
	}
}

// A spreader is a broadcast handler that spreads everything under a key of its
// own.
type spreader struct{ n uint64 }

func (k *spreader) Receive(item []byte, _ ID) (Key, bool, error) {
	k.n++
	return Key{Name: fmt.Sprint(k.n)}, true, nil
}
func (k *spreader) Wants(Member[ID]) bool { return true }

// D5: payloads and updates each have their share of every packet; a large
// payload finds its packet although small ones keep coming and the backlog is
// full.
func TestLargePayloadIsNotStarved(t *testing.T) {
	members := population(3000, newRand(3))
	rt := &packetLog{}
	core, err := NewWithHandler(testID4(11<<24|1, 7946, populationNow), Config{}, Compact(), newRand(1), BroadcastHandler[ID](&spreader{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := core.Apply(updatesOf(members), true, rt); err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), core.largestPayload())
	if ok, err := core.AddBroadcast(large, rt); !ok || err != nil {
		t.Fatal(ok, err)
	}
	updates := 0
	for range 10 {
		for range 20 {
			if _, err := core.AddBroadcast([]byte("a small payload of forty bytes or so ..."), rt); err != nil {
				t.Fatal(err)
			}
		}
		rt.packets = nil
		if err := core.Gossip(rt); err != nil {
			t.Fatal(err)
		}
		for _, data := range rt.packets {
			var p Packet[ID]
			if err := core.codec.Parse(data, &p); err != nil {
				t.Fatal(err)
			}
			updates += len(p.Updates)
			for _, item := range p.Payloads {
				if len(item) == len(large) {
					if updates == 0 {
						t.Error("the updates had to wait for it")
					}
					return
				}
			}
		}
	}
	t.Error("thirty packets, and none had room for it")
}

// A packetLog is a Runtime that keeps the packets.
type packetLog struct {
	silence
	packets [][]byte
}

func (r *packetLog) SendTo(_ ID, data []byte) { r.packets = append(r.packets, bytes.Clone(data)) }
