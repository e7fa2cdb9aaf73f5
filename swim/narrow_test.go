package swim

import (
	"math"
	"testing"
	"time"
)

// A tight codec is one whose format has little room for numbers.
type tight struct {
	Codec[who]
	limits Limits
}

func (t tight) Limits() Limits { return t.limits }

// newTight returns a core with such a codec, which knows b and c.
func newTight(t *testing.T, cfg Config, limits Limits) *testCore {
	c := newTestCore(t, cfg, "a", "b", "c")
	c.codec, c.limits = tight{c.codec, limits}, limits
	return c
}

// Rule 114.
func TestCodecSaysWhatItCanExpress(t *testing.T) {
	if got := LimitsOf(names); got != (Limits{Incarnation: math.MaxUint64, Number: math.MaxUint32}) || got != unlimited {
		t.Errorf("a codec that says nothing: %v", got)
	}
	want := Limits{Incarnation: 9, Number: 3, Unpadded: true}
	c, err := New[who, string](who{"a", 1}, Config{}, tight{names, want}, newRand(1))
	if err != nil {
		t.Fatal(err)
	}
	if c.limits != want || c.Clone(newRand(1)).limits != want {
		t.Errorf("the core keeps to %v, want %v", c.limits, want)
	}
}

// Rules 15 and 114: who would have to go beyond the highest incarnation renews.
func TestHighestIncarnationIsThatOfTheFormat(t *testing.T) {
	c := newTight(t, Config{}, Limits{Incarnation: 3, Number: 255})
	for want := Incarnation(1); want <= 3; want++ {
		if err := c.hear("b", gossip, claim("a", 1, Suspect, want-1, "b")); err != nil {
			t.Fatal(err)
		}
		if got := c.Self(); got.Incarnation != want || got.ID.life != 1 {
			t.Errorf("suspected at %d we are %v", want-1, got)
		}
	}
	if err := c.hear("b", gossip, claim("a", 1, Suspect, 3, "b")); err != nil {
		t.Fatal(err)
	}
	if got := c.Self(); got.Incarnation != 0 || got.ID.life != 2 {
		t.Errorf("suspected at the highest we are %v", got)
	}
	if err := c.know(claim("b", 1, Alive, 4)); err != ErrMalformed {
		t.Errorf("an incarnation that can not be written: %v", err)
	}
}

// Rules 110 and 114: an incarnation that no packet can say would refute nothing.
func TestIncarnationBeyondTheFormatIsMended(t *testing.T) {
	c := newTight(t, Config{}, Limits{Incarnation: 3, Number: 255})
	c.us.inc = 4
	c.run(10 * time.Second)
	if got := c.Self(); got.ID.life != 2 || got.Incarnation > 3 || c.Stats().Mended != 1 {
		t.Errorf("we are %v, %d mended", got, c.Stats().Mended)
	}
}

// Rule 114: the numbers of probes begin anew, and an ack counts after that too.
func TestProbeNumbersBeginAnew(t *testing.T) {
	c := newTight(t, Config{MaxHealth: Off}, Limits{Incarnation: 9, Number: 3})
	seen := map[uint32]int{}
	for range 10 {
		c.run(c.tasks[TimerProbe].due.Sub(c.now))
		seen[c.probe.number]++
		if err := c.hear(c.probe.target.name, Header[who]{Message: MessageAck, Number: c.probe.number}); err != nil || !c.probe.acked {
			t.Fatalf("ack #%d: %v", c.probe.number, err)
		}
	}
	if len(seen) != 4 {
		t.Errorf("the numbers were %v", seen)
	}
}

// Rules 76 and 114: of a goodbye whose pings begin anew with their numbers, each ack counts.
func TestGoodbyeIsAckedAcrossTheLastNumber(t *testing.T) {
	c := newTight(t, Config{}, Limits{Incarnation: 9, Number: 3})
	c.probe.number = 2
	if err := c.Leave(c.out); err != nil {
		t.Fatal(err)
	}
	c.run(300 * time.Millisecond) // #3, #0
	for number, want := range map[uint32]error{2: DropStaleAck, 1: DropStaleAck} {
		if err := c.hear("b", Header[who]{Message: MessageAck, Number: number}); err != want {
			t.Errorf("ack #%d: %v", number, err)
		}
	}
	for _, from := range []string{"b", "c"} {
		if err := c.hear(from, Header[who]{Message: MessageAck, Number: map[string]uint32{"b": 3, "c": 0}[from]}); err != nil {
			t.Errorf("ack from %s: %v", from, err)
		}
	}
	if c.us.phase != gone {
		t.Errorf("the phase is %v, number %d", c.us.phase, c.probe.number)
	}
}

// T5: only in a format that has no padding is an announce answered by more than
// it sent.
func TestUnpaddedAnnounceIsAnsweredByAWholeFeed(t *testing.T) {
	for _, unpadded := range []bool{false, true} {
		c := newTight(t, Config{}, Limits{Incarnation: 9, Number: 3, Unpadded: unpadded})
		if err := c.hear("d", Header[who]{Message: MessageAnnounce}); err != nil && unpadded {
			t.Fatal(err)
		}
		fed := 0
		for _, d := range c.out.Packets {
			var p Packet[who]
			if c.codec.Parse(d.Data, &p) == nil && p.Header.Message == MessageFeed {
				fed = len(p.Updates)
			}
		}
		if want := map[bool]int{true: 2}[unpadded]; fed != want {
			t.Errorf("unpadded %v: the feed names %d", unpadded, fed)
		}
	}
}
