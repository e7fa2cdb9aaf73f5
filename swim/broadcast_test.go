package swim

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A picky handler does not want some members to get payloads.
type picky struct {
	testNode
	not string
}

func (p *picky) Wants(to Member[who]) bool { return to.ID.name != p.not }

func newPicky(not string) *picky { return &picky{testNode{values: map[string]uint64{}}, not} }

// Rule 68: without a handler payloads are refused, both ways.
func TestPayloadsNeedAHandler(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.wantError("adding", ErrNoHandler, func() error { _, err := c.AddBroadcast([]byte("x=1"), c.out); return err })
	data := c.encode(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Dst: who{"a", 1}, Message: MessageBroadcast}, Payloads: [][]byte{[]byte("x=1")}})
	if err := c.HandleData(data, c.out); err != DropNoHandler {
		t.Error(err)
	}
	c.wantQuiet("received")
	if err := c.Broadcast(c.out); err != nil {
		t.Error(err)
	}
	c.wantQuiet("nothing to send")
}

// Rules 69 and 70: one payload a name, the highest version.
func TestHigherVersionReplacesALowerOne(t *testing.T) {
	var q payloads
	for _, test := range []struct {
		key  Key
		took bool
		left int
	}{
		{Key{"x", 2}, true, 1}, {Key{"x", 2}, false, 1}, {Key{"x", 1}, false, 1},
		{Key{"y", 1}, true, 2}, {Key{"x", 3}, true, 2},
	} {
		took, err := q.offer([]byte("data"), test.key, 10)
		if err != nil || took != test.took || len(q.items) != test.left {
			t.Errorf("%v: took %v, %d queued, %v", test.key, took, len(q.items), err)
		}
	}
}

// Rule 70: the item is copied, and replaced whatever was sent of it, with a
// full budget.
func TestReplacedPayloadHasItsFullBudgetAgain(t *testing.T) {
	c := newTestCoreOf(t, calm(), who{"a", 1}, newPicky(""), "b")
	item := []byte("x=1")
	if ok, err := c.AddBroadcast(item, c.out); !ok || err != nil {
		t.Error(ok, err)
	}
	copy(item, "q=9")
	for range 3 {
		if err := c.Broadcast(c.out); err != nil {
			t.Error(err)
		}
	}
	if ok, err := c.AddBroadcast([]byte("x=2"), c.out); !ok || err != nil {
		t.Error(ok, err)
	}
	for range 9 {
		if err := c.Broadcast(c.out); err != nil {
			t.Error(err)
		}
	}
	said := ""
	for _, d := range c.out.Packets {
		var p Packet[who]
		if err := names.Parse(d.Data, &p); err != nil {
			t.Error(err)
		}
		for _, item := range p.Payloads {
			said += string(item) + " "
		}
	}
	if said != "x=1 x=1 x=1 x=2 x=2 x=2 x=2 " {
		t.Errorf("said %q", said)
	}
}

// Rules 71 and 75: each payload goes to the handler with its sender; an error
// about one keeps the others and the reply, and is returned.
func TestErrorAboutOnePayloadKeepsTheOthers(t *testing.T) {
	h := newPicky("")
	c := newTestCoreOf(t, calm(), who{"a", 1}, h, "b")
	data := c.encode(&Packet[who]{
		Header:   Header[who]{Src: who{"b", 1}, Dst: who{"a", 1}, Message: MessagePing, Number: 1},
		Payloads: [][]byte{[]byte("x=1"), []byte("bad"), []byte("y=2")},
		Updates:  []Update[who]{claim("n", 1, Alive, 0)},
	})
	err := c.HandleData(data, c.out)
	if err == nil || !strings.Contains(err.Error(), "bad") || errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
	if got := fmt.Sprint(h.values); got != "map[x:1 y:2]" {
		t.Errorf("the handler has %v", got)
	}
	if s := c.Stats(); s.HandlerErrors != 1 || s.Broadcasts != 2 {
		t.Errorf("%d errors, %d to spread", s.HandlerErrors, s.Broadcasts)
	}
	c.want("the rest counts", "up n", "-> b ack #1 [n alive 0] +2 payloads")
}

// Rule 72: a member that the handler excludes gets updates but no payloads, and
// Broadcast skips it.
func TestExcludedMemberGetsNoPayloads(t *testing.T) {
	c := newTestCoreOf(t, calm(), who{"a", 1}, newPicky("b"), "b", "c")
	if _, err := c.AddBroadcast([]byte("x=1"), c.out); err != nil {
		t.Error(err)
	}
	c.queue(claim("n", 1, Left, 0))
	ping := Header[who]{Message: MessagePing, Number: 1}
	if err := c.hear("b", ping); err != nil {
		t.Error(err)
	}
	c.want("excluded", "", "-> b ack #1 [n left]")
	if err := c.hear("c", ping); err != nil {
		t.Error(err)
	}
	c.want("not excluded", "", "-> c ack #1 [n left] +1 payloads")
	if err := c.Broadcast(c.out); err != nil {
		t.Error(err)
	}
	c.want("Broadcast", "", "-> c broadcast +1 payloads")
}

// Rule 73: Broadcast stops when the backlog is empty.
func TestBroadcastStopsWhenNothingIsLeft(t *testing.T) {
	c := newTestCoreOf(t, Config{Gossip: Task{Every: Off, Num: 4}}, who{"a", 1}, newPicky(""), "b", "c", "d", "e")
	if _, err := c.AddBroadcast([]byte("x=1"), c.out); err != nil {
		t.Error(err)
	}
	c.Core.queue.items[0].sent = 3 // of four
	if err := c.Broadcast(c.out); err != nil {
		t.Error(err)
	}
	if got := c.sends(); len(got) != 1 {
		t.Errorf("sent %q", got)
	}
	if err := c.Broadcast(c.out); err != nil {
		t.Error(err)
	}
	c.wantQuiet("nothing is left")
}

// D5: payloads have their share of packets that updates would fill, and the
// other way round.
func TestPayloadsAndUpdatesShareAPacket(t *testing.T) {
	c := newTestCoreOf(t, Config{MaxPacket: 300, Gossip: Task{Every: Off}}, who{"a", 1}, newPicky(""), "b")
	for i := range 40 {
		c.queue(claim(string([]byte{'m', byte('a' + i/10), byte('a' + i%10)}), 1, Left, 0))
	}
	for i := range 40 {
		if _, err := c.AddBroadcast(fmt.Appendf(nil, "%020d=1", i), c.out); err != nil {
			t.Error(err)
		}
	}
	updates, items := 0, 0
	for range 4 {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
	}
	for _, d := range c.out.Packets {
		var p Packet[who]
		if err := names.Parse(d.Data, &p); err != nil {
			t.Error(err)
		}
		updates += len(p.Updates)
		items += len(p.Payloads)
	}
	if updates < 20 || items < 5 {
		t.Errorf("%d updates and %d payloads in four packets", updates, items)
	}
}
