package swim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A testCore is a single core, all of whose neighbours are the test.
type testCore struct {
	*Core[who, string]
	t   testing.TB
	now Instant
	out *Outbox[who]
}

// newTestCore returns a core that knows some members, who have answered it, and
// has nothing to tell.
func newTestCore(t testing.TB, cfg Config, self string, known ...string) *testCore {
	t.Helper()
	return newTestCoreOf(t, cfg, who{self, 1}, nil, known...)
}

func newTestCoreOf(t testing.TB, cfg Config, self who, handler BroadcastHandler[who], known ...string) *testCore {
	t.Helper()
	core, err := NewWithHandler(self, cfg, names, rand.New(rand.NewPCG(1, 2)), handler)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCore{Core: core, t: t, now: Instant(time.Hour)}
	c.out = NewOutbox[who](func() Instant { return c.now })
	c.know() // now it knows the time
	for _, name := range known {
		c.know(claim(name, 1, Alive, 0))
	}
	for _, r := range core.roster.each {
		r.flags |= isVerified
	}
	c.out.Reset()
	return c
}

// claim makes an update by hand.
func claim(name string, life int, s State, inc Incarnation, by ...string) Update[who] {
	u := Update[who]{Member: Member[who]{ID: who{name, life}, State: s, Incarnation: inc}}
	for _, name := range by {
		u.By = append(u.By, who{name, 1})
	}
	return u
}

// know applies records of the owner, which are not told to others.
func (c *testCore) know(updates ...Update[who]) error {
	return c.Apply(slices.Values(updates), false, c.out)
}

// hear hands over a packet from a member in its first life.
func (c *testCore) hear(from string, h Header[who], updates ...Update[who]) error {
	c.t.Helper()
	if h.Src == (who{}) {
		h.Src = who{from, 1}
	}
	if h.Dst == (who{}) {
		h.Dst = c.Self().ID
	}
	return c.HandleData(c.encode(&Packet[who]{Header: h, Updates: updates}), c.out)
}

func (c *testCore) encode(p *Packet[who]) []byte {
	c.t.Helper()
	data, err := names.Append(nil, maxDatagram, p)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, u := range p.Updates {
		if !u.Sent {
			c.t.Fatalf("%v found no room", u)
		}
	}
	return data
}

// gossip is the header of news.
var gossip = Header[who]{Message: MessageGossip}

// sends returns what was sent since the last call, one packet a line.
func (c *testCore) sends() (sent []string) {
	c.t.Helper()
	for _, d := range c.out.Packets {
		var p Packet[who]
		if err := names.Parse(d.Data, &p); err != nil {
			c.t.Fatal(err)
		}
		sent = append(sent, fmt.Sprintf("-> %v %v", d.To, &p))
	}
	c.out.Packets = c.out.Packets[:0]
	return sent
}

// told returns what the owner was told since the last call.
func (c *testCore) told() string {
	var lines []string
	for _, n := range c.out.Notifications {
		lines = append(lines, n.String())
	}
	c.out.Notifications = c.out.Notifications[:0]
	return strings.Join(lines, ", ")
}

// want checks what was sent and what the owner was told since the last call.
// What is not expected must not have happened.
func (c *testCore) want(why, told string, sent ...string) {
	c.t.Helper()
	if got := c.told(); got != told {
		c.t.Errorf("%s: the owner was told %q, want %q", why, got, told)
	}
	got := c.sends()
	slices.Sort(got)
	slices.Sort(sent)
	if !slices.Equal(got, sent) {
		c.t.Errorf("%s: sent %q, want %q", why, got, sent)
	}
}

func (c *testCore) wantQuiet(why string) { c.t.Helper(); c.want(why, "") }

// wantMember checks what is told to others about the member at an address.
func (c *testCore) wantMember(name, want string) {
	c.t.Helper()
	got := "unknown"
	for u := range c.State() {
		if u.ID.name == name {
			got = u.String()
		}
	}
	if got != want {
		c.t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// wantDrop checks that an input changes nothing but one counter, once, and
// sends and tells nothing.
func (c *testCore) wantDrop(why string, d Drop, input func() error) {
	c.t.Helper()
	before, hash := c.Stats(), c.Hash()
	err := input()
	if n := c.Stats().Drops[d] - before.Drops[d]; n != 1 {
		c.t.Errorf("%s: %v was counted %d times (error %v)", why, d, n, err)
	}
	if err != nil && !errors.Is(err, d) {
		c.t.Errorf("%s: error %v, want %v", why, err, d)
	}
	if c.Hash() != hash {
		c.t.Errorf("%s: the state has changed", why)
	}
	c.wantQuiet(why)
}

// wantError checks that an input returns an error and changes nothing.
func (c *testCore) wantError(why string, want error, input func() error) {
	c.t.Helper()
	hash := c.Hash()
	if err := input(); !errors.Is(err, want) {
		c.t.Errorf("%s: error %v, want %v", why, err, want)
	}
	if c.Hash() != hash {
		c.t.Errorf("%s: the state has changed", why)
	}
	c.wantQuiet(why)
}

// noProbes puts the next probe off, by so much that the test is over.
func (c *testCore) noProbes() {
	c.longest.tasks[TimerProbe] = 24 * time.Hour
	c.arm(TimerProbe, 24*time.Hour)
}

// run lets time pass, with nobody answering.
func (c *testCore) run(d time.Duration) {
	end := c.now.Add(d)
	for {
		wake := c.out.Wake()
		if wake == Never || c.now.Add(wake) > end {
			break
		}
		c.now = c.now.Add(wake)
		for event := range c.out.Due() {
			_ = c.HandleTimer(event, c.out)
		}
	}
	c.now = end
}
