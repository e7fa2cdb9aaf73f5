package swim

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The compiler checks that an Outbox is a Runtime.
var _ Runtime[ID] = (*Outbox[ID])(nil)

// A clockwork is a clock that stands until it is moved.
type clockwork struct{ now Instant }

func (c *clockwork) read() Instant { return c.now }

func tokens(o *Outbox[ID]) (got []uint32) {
	for event := range o.Due() {
		got = append(got, event.Token)
	}
	return got
}

func TestDueEventsComeByInstantThenKindThenSubmission(t *testing.T) {
	type waiting struct {
		at    Instant
		event Timer[ID]
	}
	seeded(t, 200, func(t *testing.T, rnd *rand.Rand) {
		var c clockwork
		o := NewOutbox[ID](c.read)
		var model []waiting
		token := uint32(0)
		submit := func() {
			token++
			w := waiting{event: Timer[ID]{Kind: TimerKind(rnd.IntN(numTimerKinds)), Token: token}}
			after := time.Duration(rnd.IntN(20) - 2)
			w.at = c.now.Add(max(0, after))
			o.SubmitAfter(w.event, after)
			place, _ := slices.BinarySearchFunc(model, w, func(a, b waiting) int {
				if a.at != b.at {
					return int(a.at - b.at)
				}
				if by := a.event.Compare(b.event); by != 0 {
					return by
				}
				return -1 // a was submitted before b
			})
			model = slices.Insert(model, place, w)
		}
		for range 100 {
			for range rnd.IntN(5) {
				submit()
			}
			c.now += Instant(rnd.IntN(8))
			for event := range o.Due() {
				if len(model) == 0 || model[0].at > c.now || event != model[0].event {
					t.Fatalf("at %d: got %v, want the first of %v", c.now, event, model)
				}
				model = model[1:]
				switch rnd.IntN(4) {
				case 0:
					submit() // it may be due at once
				case 1:
					c.now += Instant(rnd.IntN(2)) // others may become due
				}
				if rnd.IntN(10) == 0 {
					break // what is left comes with the next loop
				}
			}
			if o.Len() != len(model) {
				t.Fatalf("%d events wait, want %d", o.Len(), len(model))
			}
			want := Never
			if len(model) > 0 {
				want = max(0, model[0].at.Sub(c.now))
			}
			if got := o.Wake(); got != want {
				t.Fatalf("Wake is %v, want %v", got, want)
			}
		}
	})
}

func TestDueReadsTheClockForEachEvent(t *testing.T) {
	var c clockwork
	o := NewOutbox[ID](c.read)
	o.SubmitAfter(Timer[ID]{Token: 1}, 1)
	o.SubmitAfter(Timer[ID]{Token: 2}, 2)
	c.now = 1
	var got []uint32
	for event := range o.Due() {
		got = append(got, event.Token)
		c.now = 2
	}
	if !slices.Equal(got, []uint32{1, 2}) {
		t.Errorf("got events %v", got)
	}
}

func TestEventOfNoTimeIsDueInTheSameLoop(t *testing.T) {
	var c clockwork
	o := NewOutbox[ID](c.read)
	o.SubmitAfter(Timer[ID]{Token: 1}, 0)
	var got []uint32
	for event := range o.Due() {
		got = append(got, event.Token)
		if event.Token < 3 {
			o.SubmitAfter(Timer[ID]{Token: event.Token + 1}, 0)
		}
	}
	if !slices.Equal(got, []uint32{1, 2, 3}) {
		t.Errorf("got events %v", got)
	}
}

func TestDueLoopThatEndsEarlyLosesNothing(t *testing.T) {
	var c clockwork
	o := NewOutbox[ID](c.read)
	for token := range uint32(3) {
		o.SubmitAfter(Timer[ID]{Token: token}, 0)
	}
	for range o.Due() {
		break
	}
	if got := tokens(o); !slices.Equal(got, []uint32{1, 2}) {
		t.Errorf("got events %v", got)
	}
}

func TestWakeSaysZeroWhenDueAndNeverWhenNothingWaits(t *testing.T) {
	c := clockwork{now: 100}
	o := NewOutbox[ID](c.read)
	if d := o.Wake(); d != Never {
		t.Errorf("empty: %v", d)
	}
	o.SubmitAfter(Timer[ID]{}, 5)
	if d := o.Wake(); d != 5 {
		t.Errorf("early: %v", d)
	}
	c.now = 1000
	if d := o.Wake(); d != 0 {
		t.Errorf("late: %v", d)
	}
}

func TestEndsOfTimeDoNotOverflow(t *testing.T) {
	c := clockwork{now: math.MaxInt64 - 5}
	o := NewOutbox[ID](c.read)
	o.SubmitAfter(Timer[ID]{}, math.MaxInt64)
	if d := o.Wake(); d != 5 {
		t.Errorf("event at the end of time: %v", d)
	}
	c.now = math.MinInt64
	if d := o.Wake(); d != Never {
		t.Errorf("seen from the beginning of time: %v", d)
	}
}

func TestPacketsStayValidUntilReset(t *testing.T) {
	o := NewOutbox[ID](new(clockwork).read)
	for round := range 5 {
		scratch := make([]byte, 1400)
		for i := range 100 {
			for j := range scratch {
				scratch[j] = byte(round + i)
			}
			o.SendTo(ID{gen: uint64(i)}, scratch[:1+13*i])
		}
		clear(scratch)
		for i, p := range o.Packets {
			want := bytes.Repeat([]byte{byte(round + i)}, 1+13*i)
			if p.To.gen != uint64(i) || !bytes.Equal(p.Data, want) {
				t.Fatalf("round %d: packet %d to %d was overwritten", round, i, p.To.gen)
			}
		}
		o.Reset()
		if len(o.Packets) != 0 {
			t.Fatal("Reset left packets")
		}
	}
}

func TestAppendingToAPacketLeavesTheNextAlone(t *testing.T) {
	o := NewOutbox[ID](new(clockwork).read)
	o.SendTo(ID{}, []byte("first"))
	o.SendTo(ID{}, []byte("second"))
	_ = append(o.Packets[0].Data, "spoilt"...)
	if got := string(o.Packets[1].Data); got != "second" {
		t.Errorf("the second packet is %q", got)
	}
}

func TestResetKeepsEvents(t *testing.T) {
	o := NewOutbox[ID](new(clockwork).read)
	o.SubmitAfter(Timer[ID]{Token: 7}, 0)
	o.Notify(Notification[ID]{Kind: NotifyIdle})
	o.Reset()
	if len(o.Notifications) != 0 || o.Len() != 1 {
		t.Fatalf("%d notifications, %d events", len(o.Notifications), o.Len())
	}
	if got := tokens(o); !slices.Equal(got, []uint32{7}) {
		t.Errorf("got events %v", got)
	}
}

func TestOutboxInSteadyStateAllocatesNothing(t *testing.T) {
	var c clockwork
	o := NewOutbox[ID](c.read)
	packet := make([]byte, 1400)
	round := func() {
		c.now++
		for range 10 {
			o.SendTo(ID{}, packet)
			o.SubmitAfter(Timer[ID]{Kind: TimerGossip}, 3)
		}
		o.Notify(Notification[ID]{Kind: NotifyIdle})
		for range o.Due() {
		}
		o.Reset()
	}
	for range 20 {
		round()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}

func ExampleOutbox() {
	now := Instant(0)
	out := NewOutbox[string](func() Instant { return now })
	out.SendTo("b", []byte("ping"))
	out.Notify(Notification[string]{Kind: NotifyActive})
	out.SubmitAfter(Timer[string]{Kind: TimerProbe}, time.Second)
	out.SubmitAfter(Timer[string]{Kind: TimerIndirect}, time.Second/2)
	fmt.Print(out)

	out.Reset()
	now = now.Add(out.Wake())
	for event := range out.Due() {
		fmt.Println("due:", event)
	}
	// Output:
	// send 4 bytes to b
	// notify active
	// submit indirect at 0.500s
	// submit probe at 1.000s
	// due: indirect
}
