package sealed

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Keys of tests; nobody else may use them.
var keyA, keyB = Key{1}, Key{2}

const (
	second      = int64(time.Second)
	millisecond = int64(time.Millisecond)
	start       = 1000 * second // when tests begin
)

// A peer is a box with what an owner adds. Its payloads begin with who sent them
// and to whom, one byte each; shorter ones are from alice to bob.
type peer struct {
	*Box[byte]
	self  Party[byte]
	knows map[byte]bool
}

const (
	alice byte = 'a'
	bob   byte = 'b'
	carol byte = 'c'
)

// newPeer returns a peer with keyA, which knows nobody. Its randomness follows
// from its address and life.
func newPeer(t testing.TB, addr byte, life uint64, configure ...func(*Config[byte])) *peer {
	t.Helper()
	p := &peer{self: Party[byte]{addr, life}, knows: make(map[byte]bool)}
	cfg := Config[byte]{
		Cluster: "blue",
		Keys:    []Key{keyA},
		Random:  randomness(addr, byte(life)),
		Parties: parties,
		Ours: func(to Party[byte]) (addr, life bool) {
			return to.Addr == p.self.Addr, to == p.self
		},
		Knows: func(addr byte) bool { return p.knows[addr] },
	}
	for _, c := range configure {
		c(&cfg)
	}
	box, err := New(start, cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.Box = box
	return p
}

// randomness returns bytes that the same seed draws again.
func randomness(seed ...byte) func([]byte) {
	source := rand.NewChaCha8([32]byte(append(seed, make([]byte, 32-len(seed))...)))
	return func(b []byte) { source.Read(b) }
}

// wary has every session challenged.
func wary(c *Config[byte]) { c.Wary = true }

func keys(keys ...Key) func(*Config[byte]) { return func(c *Config[byte]) { c.Keys = keys } }

// parties reads who sent a payload, and to whom. Channel 15 carries nothing.
func parties(channel uint8, p []byte) (from, to Party[byte], ok bool) {
	if len(p) < 4 {
		return Party[byte]{alice, 1}, Party[byte]{bob, 1}, channel != 15
	}
	return Party[byte]{p[0], uint64(p[1])}, Party[byte]{p[2], uint64(p[3])}, channel != 15
}

// says returns the payload with which a peer says something.
func (p *peer) says(to Party[byte], text string) []byte {
	return append([]byte{p.self.Addr, byte(p.self.Life), to.Addr, byte(to.Life)}, text...)
}

// say seals that something.
func (p *peer) say(now int64, to Party[byte], text string) []byte {
	return p.Seal(nil, now, to, 0, p.says(to, text))
}

// hear opens a copy of a packet that comes from an address.
func (p *peer) hear(now int64, packet []byte, from byte) (Opened[byte], error) {
	return p.Open(now, bytes.Clone(packet), []byte{from})
}

// wantHeard opens a packet that must be accepted, with a text unless that is empty.
func (p *peer) wantHeard(t testing.TB, now int64, packet []byte, from byte, text string) {
	t.Helper()
	o, err := p.hear(now, packet, from)
	if err != nil || o.Payload == nil || o.Reply != nil || text != "" && string(o.Payload[4:]) != text {
		t.Fatalf("%q, reply %x, %v; want %q", o.Payload, o.Reply, err, text)
	}
}

// wantRefused opens a packet that must be refused, for a reason, without a reply
// and without any change.
func (p *peer) wantRefused(t testing.TB, now int64, packet []byte, from byte, want Fault) {
	t.Helper()
	before := stateOf(p.Box)
	o, err := p.hear(now, packet, from)
	if !errors.Is(err, want) || o.Payload != nil || o.Reply != nil {
		t.Fatalf("%q, reply %x, %v; want %v", o.Payload, o.Reply, err, want)
	}
	if after := stateOf(p.Box); !equalStates(before, after) {
		t.Fatalf("refused as %v, but that changed\n%+v into\n%+v", err, before, after)
	}
}

// wantChallenge opens a packet that must be challenged, and returns the challenge.
func (p *peer) wantChallenge(t testing.TB, now int64, packet []byte, from byte, want Fault) []byte {
	t.Helper()
	before := p.Stats()
	o, err := p.hear(now, packet, from)
	if !errors.Is(err, want) || o.Payload != nil || len(o.Reply) != ChallengeSize || o.Again {
		t.Fatalf("%q, reply %x, %v; want a challenge and %v", o.Payload, o.Reply, err, want)
	}
	if after := p.Stats(); after.Challenges != before.Challenges+1 || after.Sessions != before.Sessions {
		t.Fatalf("a challenge made %+v of %+v", after, before)
	}
	return o.Reply
}

// wantAnswer opens a challenge that must be answered, to an address.
func (p *peer) wantAnswer(t testing.TB, now int64, challenge []byte, to byte) []byte {
	t.Helper()
	o, err := p.hear(now, challenge, to)
	if err != nil || o.Payload != nil || o.Reply == nil || !o.Again || o.To.Addr != to {
		t.Fatalf("%+v, %v; want an answer to %c", o, err, to)
	}
	return o.Reply
}

// meet lets a session of one into the other, with a challenge if need be.
func meet(t testing.TB, now int64, from, to *peer) {
	t.Helper()
	packet := from.say(now, to.self, "hello")
	o, err := to.hear(now, packet, from.self.Addr)
	if o.Reply != nil {
		again := from.wantAnswer(t, now, o.Reply, to.self.Addr)
		o, err = to.hear(now, again, from.self.Addr)
	}
	if err != nil || string(o.Payload[4:]) != "hello" {
		t.Fatalf("%q, %v", o.Payload, err)
	}
}

// A state is all of a box that may not change for a packet that is refused.
type state struct {
	stats          Stats
	keys           []KeyUse
	session        [8]byte
	first, counter uint64
	again          int // how many packets can be sealed again
	sessions       map[[8]byte]session[byte]
	wary           bool
}

// stateOf leaves out how much was refused and derived, and which keys are kept.
func stateOf(b *Box[byte]) state {
	s := state{b.Stats(), b.Keys(), b.session, b.first, b.counter, 0, make(map[[8]byte]session[byte]), b.wary}
	s.stats.Refused, s.stats.Derived = [NumFaults]uint64{}, 0
	for i := range b.recent.count {
		if b.recent.entries[(b.recent.first+i)%recentPackets].channel != taken {
			s.again++
		}
	}
	for id, of := range b.sessions {
		s.sessions[id] = *of
	}
	for id, of := range s.sessions {
		of.slot = 0
		s.sessions[id] = of
	}
	return s
}

// flipped returns a copy in which one bit is another.
func flipped(data []byte, bit int) []byte {
	bad := bytes.Clone(data)
	bad[bit/8] ^= 1 << (bit % 8)
	return bad
}

// equalStates reports whether nothing changed.
func equalStates(a, b state) bool {
	return a.stats == b.stats && slices.Equal(a.keys, b.keys) && a.session == b.session && a.first == b.first &&
		a.counter == b.counter && a.again == b.again && maps.Equal(a.sessions, b.sessions) && a.wary == b.wary
}
