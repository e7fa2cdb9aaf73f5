package swim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// inside does something as if it was part of an input.
func (c *testCore) inside(do func()) {
	c.enter(c.out)
	defer c.exit()
	do()
}

// digestNow returns the digest of what a core knows now.
func (c *testCore) digestNow() (d Digest) {
	c.inside(func() { d = c.digest() })
	return d
}

// digestAnew adds up the digest of what a core tells others, from nothing.
func (c *testCore) digestAnew() (d Digest) {
	for u := range c.State() {
		if u.State.Active() {
			d.Sum ^= c.partOf(u.ID, u.Metadata)
			d.Members++
		}
	}
	return d
}

// withMeta is a claim with a version of metadata.
func withMeta(u Update[who], version uint64) Update[who] {
	u.Metadata = version
	return u
}

// D18: two members that know the same have the same digest, however they came to
// know it.
func TestDigestDoesNotDependOnHowItCameAbout(t *testing.T) {
	cfg := calm()
	cfg.ForgetAfter = time.Hour
	other := newTestCore(t, cfg, "z", "a", "b")
	other.know(withMeta(claim("c", 2, Alive, 0), 3))
	want := other.digestNow()
	if want.Members != 4 {
		t.Fatalf("the digest is of %d members", want.Members)
	}
	type step struct {
		wait  time.Duration // or else
		heard bool          // from the network
		u     Update[who]
	}
	last := step{u: withMeta(claim("c", 2, Alive, 0), 3)}
	const verdict, oblivion = time.Minute, 2 * time.Hour
	for name, steps := range map[string][]step{
		"at once":                     {last},
		"from the network":            {{heard: true, u: last.u}},
		"metadata first":              {{u: withMeta(claim("c", 2, Alive, 0), 1)}, last},
		"metadata of a suspect":       {{u: withMeta(claim("c", 2, Suspect, 0, "b"), 3)}},
		"an earlier life":             {{u: withMeta(claim("c", 1, Alive, 9), 7)}, last},
		"down in an earlier life":     {{u: claim("c", 1, Down, 4, "b", "z")}, {heard: true, u: last.u}},
		"left in an earlier life":     {last, {u: claim("c", 1, Left, 0)}},
		"suspected":                   {last, {heard: true, u: claim("c", 2, Suspect, 0, "b")}},
		"suspected and refuted":       {last, {heard: true, u: claim("c", 2, Suspect, 0, "b")}, {heard: true, u: claim("c", 2, Alive, 1)}},
		"down and back":               {last, {u: claim("c", 2, Suspect, 0, "b", "z")}, {wait: verdict}, {u: claim("c", 2, Alive, 1)}},
		"a lone verdict":              {last, {u: claim("c", 2, Suspect, 0, "b")}, {wait: verdict}},
		"a tombstone":                 {last, {u: claim("t", 1, Left, 0)}},
		"somebody who left":           {{u: claim("t", 1, Alive, 0)}, last, {heard: true, u: claim("t", 1, Left, 0)}},
		"somebody who went down":      {{u: claim("t", 1, Suspect, 0, "b", "z")}, {wait: verdict}, last},
		"somebody who was forgotten":  {{u: claim("t", 1, Alive, 0)}, {heard: true, u: claim("t", 1, Left, 0)}, {wait: oblivion}, last},
		"another one at that place":   {{u: claim("t", 1, Left, 0)}, {wait: oblivion}, last},
		"old news of any kind":        {last, {u: claim("c", 1, Alive, 5)}, {u: withMeta(claim("c", 2, Alive, 0), 2)}, {u: claim("z", 1, Alive, 0)}},
		"the same once more, at last": {last, last},
	} {
		for _, often := range []bool{false, true} { // whether the digest is asked for all the time
			c := newTestCore(t, cfg, "a", "b", "z")
			c.noProbes()
			for _, s := range steps {
				switch {
				case s.wait > 0:
					c.run(s.wait)
				case s.heard:
					if err := c.hear("b", gossip, s.u); err != nil {
						t.Fatal(err)
					}
				default:
					c.know(s.u)
				}
				if often {
					c.digestNow()
				}
			}
			if got := c.digestNow(); !got.same(want) {
				t.Errorf("%s, asked often %v: %+v, want %+v", name, often, got, want)
			}
		}
	}
}

// D18: a digest differs by who takes part and by versions of metadata, and by
// nothing that gossip settles anyway. Lone members take part for others.
func TestDigestIsOfIdentitiesAndMetadata(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(c *testCore)
		differs bool
	}{
		{"somebody more", func(c *testCore) { c.know(claim("d", 1, Alive, 0)) }, true},
		{"a suspect more", func(c *testCore) { c.know(claim("d", 1, Suspect, 0, "b")) }, true},
		{"somebody less, who left", func(c *testCore) { c.know(claim("c", 1, Left, 0)) }, true},
		{"somebody less, who is down", func(c *testCore) {
			c.know(claim("c", 1, Suspect, 0, "b", "x"))
			c.run(time.Minute)
			c.wantMember("c", "c down 0 by b+x")
		}, true},
		{"a later life", func(c *testCore) { c.know(claim("c", 2, Alive, 0)) }, true},
		{"metadata", func(c *testCore) { c.know(withMeta(claim("c", 1, Alive, 0), 1)) }, true},
		{"our metadata", func(c *testCore) { c.SetMetadata(1, c.out) }, true},
		{"our identity", func(c *testCore) { c.ChangeIdentity(who{"a", 2}, c.out) }, true},
		{"an incarnation", func(c *testCore) { c.know(claim("c", 1, Alive, 7)) }, false},
		{"our incarnation", func(c *testCore) { c.hear("b", gossip, claim("a", 1, Suspect, 3, "b")) }, false},
		{"a suspicion", func(c *testCore) { c.know(claim("c", 1, Suspect, 0, "b")) }, false},
		{"a lone verdict", func(c *testCore) {
			c.know(claim("c", 1, Suspect, 0, "b"))
			c.run(time.Minute)
			if c.Stats().Lone != 1 {
				t.Error("there is no lone verdict")
			}
		}, false},
		{"a tombstone", func(c *testCore) { c.know(claim("d", 1, Down, 0, "b", "x")) }, false},
		{"time", func(c *testCore) { c.run(time.Hour) }, false},
	} {
		c := newTestCore(t, calm(), "a", "b", "c")
		c.noProbes()
		before := c.digestNow()
		test.change(c)
		after := c.digestNow()
		if after.same(before) == test.differs {
			t.Errorf("%s: %+v became %+v", test.name, before, after)
		}
		if fewer := int(before.Members) - int(after.Members); test.differs && after.Sum == before.Sum || fewer < -1 || fewer > 1 {
			t.Errorf("%s: %+v became %+v", test.name, before, after)
		}
	}
}

// D18: the digest that is kept up is the one that adding up everybody gives.
func TestDigestIsKeptUp(t *testing.T) {
	seeded(t, 60, func(t *testing.T, rnd *rand.Rand) {
		cfg := calm()
		cfg.ForgetAfter, cfg.MaxMembers, cfg.MaxTombstones = time.Minute, 12, 4
		c := newTestCore(t, cfg, "a")
		for range 200 {
			name := string(rune('a' + rnd.IntN(20)))
			u := claim(name, 1+rnd.IntN(3), State(rnd.IntN(numStates)), Incarnation(rnd.IntN(3)))
			if u.Metadata = rnd.Uint64N(3); accusable(u.State) {
				u.By = []who{{"x", 1}, {"y", 1}}[:rnd.IntN(3)]
			}
			switch rnd.IntN(8) {
			case 0:
				c.run(time.Duration(rnd.IntN(30)) * time.Second)
			case 1:
				c.SetMetadata(rnd.Uint64N(100), c.out)
			case 2:
				c.ChangeIdentity(who{"a", c.us.id.life + rnd.IntN(2)}, c.out)
			case 3:
				c.hear(name, Header[who]{Message: MessagePing, SrcMetadata: u.Metadata})
			case 4:
				c.hear("b", gossip, u)
			default:
				c.know(u)
			}
			if rnd.IntN(3) > 0 {
				continue // several changes at once
			}
			want := c.digestAnew()
			if got := c.digestNow(); !got.same(want) {
				t.Fatalf("the digest is %+v, and anew %+v", got, want)
			}
		}
		if n := c.Stats().Mended; n != 0 {
			t.Errorf("%d times it was mended", n)
		}
	})
}

// D18: a digest is settled when it has not changed for as long as gossip takes.
func TestDigestIsSettledAfterAsLongAsGossipTakes(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.noProbes()
	settled := func(why string, after time.Duration, want bool) {
		t.Helper()
		c.run(after)
		if c.digestNow().Settled != want {
			t.Errorf("%s: settled is %v", why, !want)
		}
	}
	settled("at first", 0, false)
	spread := c.size().spread
	if spread <= 0 {
		t.Fatalf("gossip takes %v", spread)
	}
	settled("too early", spread-1, false)
	settled("after that time", 1, true)
	c.know(claim("c", 1, Suspect, 0, "b"))
	settled("a suspicion changes nothing", 0, true)
	c.know(claim("d", 1, Left, 0))
	settled("nor does a tombstone", 0, true)
	c.know(withMeta(claim("c", 1, Alive, 1), 1))
	settled("metadata do", 0, false)
	settled("too early again", spread-1, false)
	settled("after that time again", 1, true)
	// Not by what comes and goes before anybody asks.
	c.know(claim("e", 1, Alive, 0))
	c.know(claim("e", 1, Left, 0))
	settled("nobody saw it", 0, true)
}

// digestBounds are digests at the ends of what can be said.
var digestBounds = []Digest{
	{Members: 1},
	{Members: 1, Settled: true},
	{Sum: 1, Members: 63},
	{Sum: math.MaxUint64, Members: 64, Settled: true},
	{Sum: 1 << 63, Members: 1 << 31},
	{Sum: math.MaxUint64, Members: math.MaxUint32},
	{Sum: math.MaxUint64, Members: math.MaxUint32, Settled: true},
}

// digestHeader is the header of a message that may carry a digest.
func digestHeader(m Message) Header[ID] {
	return Header[ID]{Message: m, Src: mustID("10.1.2.3:7946", populationNow), Dst: mustID("[fe80::1%9]:1", 7), SrcIncarnation: 200, Number: 1 << 31}
}

// Rule 104: a digest survives the wire, of pings and acks, beside metadata or
// alone, and nothing else carries one.
func TestDigestSurvivesTheWire(t *testing.T) {
	for name, c := range testCodecs() {
		for m := range Message(numMessages) {
			h := digestHeader(m)
			h.Digest = Digest{Sum: 5, Members: 5}
			if m.HasAbout() {
				h.About = h.Dst
			}
			if !m.HasNumber() {
				h.Number = 0
			}
			_, err := c.Append(nil, maxDatagram, &Packet[ID]{Header: h})
			if may := m == MessagePing || m == MessageAck; may != (err == nil) || !may && err != ErrEncode {
				t.Errorf("%s: a digest in a %v: %v", name, m, err)
			}
		}
		for _, d := range digestBounds {
			for _, meta := range []uint64{0, math.MaxUint64} {
				p := &Packet[ID]{Header: digestHeader(MessagePing), Payloads: [][]byte{{1}}}
				p.Header.Digest, p.Header.SrcMetadata = d, meta
				data, err := c.Append(nil, maxDatagram, p)
				if err != nil {
					t.Fatalf("%s: %+v: %v", name, d, err)
				}
				var got Packet[ID]
				if err := c.Parse(data, &got); err != nil || !samePacket(p, &got) {
					t.Errorf("%s: %+v came as %+v, %v", name, d, got.Header.Digest, err)
				}
			}
		}
		for _, d := range []Digest{{Sum: 1}, {Settled: true}} {
			h := digestHeader(MessageAck)
			h.Digest = d
			if _, err := c.Append(nil, maxDatagram, &Packet[ID]{Header: h}); err != ErrEncode {
				t.Errorf("%s: %+v of nobody: %v", name, d, err)
			}
		}
	}
}

// withFields returns a packet without options or updates whose header gets some.
func withFields(data []byte, fields ...[]byte) []byte {
	head := slices.Clone(data[:len(data)-lenCount])
	head[1] |= kindOptions
	options := bytes.Join(fields, nil)
	head = append(head, byte(len(options)))
	return append(append(head, options...), 0, 0)
}

// Rules 94 and 104: a digest has one form, and anything else is malformed.
func TestDigestHasOneForm(t *testing.T) {
	field := func(tag byte, value ...byte) []byte { return append([]byte{tag, byte(len(value))}, value...) }
	sum := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	members := func(rest uint64, more ...byte) []byte {
		return field(tagDigest, append(binary.AppendUvarint(slices.Clone(sum), rest), more...)...)
	}
	metadata := field(tagMetadata, 9)
	for _, test := range []struct {
		name   string
		fields [][]byte
		ok     bool
	}{
		{"one member", [][]byte{members(2)}, true},
		{"behind the metadata", [][]byte{metadata, members(2)}, true},
		{"most members", [][]byte{members(1<<33 - 1)}, true},
		{"before the metadata", [][]byte{members(2), metadata}, false},
		{"twice", [][]byte{members(2), members(2)}, false},
		{"too many members", [][]byte{members(1<<33 + 2)}, false},
		{"far too many members", [][]byte{members(1<<64 - 1)}, false},
		{"of nobody", [][]byte{members(0)}, false},
		{"of nobody, settled", [][]byte{members(1)}, false},
		{"with a byte behind it", [][]byte{members(2, 0)}, false},
		{"without members", [][]byte{field(tagDigest, sum...)}, false},
		{"half a sum", [][]byte{field(tagDigest, sum[:7]...)}, false},
		{"empty", [][]byte{field(tagDigest)}, false},
		{"longer than need be", [][]byte{field(tagDigest, append(slices.Clone(sum), 0x82, 0)...)}, false},
		{"members without an end", [][]byte{field(tagDigest, append(slices.Clone(sum), 0x82)...)}, false},
	} {
		for name, c := range testCodecs() {
			for _, m := range []Message{MessagePing, MessageAck} {
				data, err := c.Append(nil, maxDatagram, &Packet[ID]{Header: digestHeader(m)})
				if err != nil {
					t.Fatal(err)
				}
				if ok := checkParse(t, c, withFields(data, test.fields...)); ok != test.ok {
					t.Errorf("%s: %v with a digest that is %s: accepted %v", name, m, test.name, ok)
				}
			}
			h := digestHeader(MessageGossip)
			h.Number = 0
			data, err := c.Append(nil, maxDatagram, &Packet[ID]{Header: h})
			if err != nil {
				t.Fatal(err)
			}
			var p Packet[ID]
			if err := c.Parse(withFields(data, members(0)), &p); err != nil || p.Unknown != 1 || p.Header.Digest != (Digest{}) {
				t.Errorf("%s: in a gossip it is no digest, and skipped: %v, %d unknown", name, err, p.Unknown)
			}
		}
	}
}

// answered hands over a packet and returns the one that answers it.
func (c *testCore) answered(p *Packet[who]) (sent *Packet[who], size int) {
	c.t.Helper()
	if p.Header.Dst == (who{}) {
		p.Header.Dst = c.us.id
	}
	c.out.Reset()
	data := c.encode(p)
	if err := c.HandleData(data, c.out); err != nil {
		c.t.Fatal(err)
	}
	if len(c.out.Packets) != 1 {
		c.t.Fatalf("%v is answered by %q", p, c.sends())
	}
	sent, size = new(Packet[who]), len(data)
	if err := names.Parse(c.out.Packets[0].Data, sent); err != nil {
		c.t.Fatal(err)
	}
	if n := len(c.out.Packets[0].Data); c.roster.at(must(c.roster.find(p.Header.Src.name))).flags&isVerified == 0 && n > size {
		c.t.Errorf("%d bytes from %v, which never answered us, are answered by %d", size, p.Header.Src, n)
	}
	c.out.Reset()
	return sent, size
}

// D8 and D18: an ack carries a digest if the ping does and there is room. To one
// who never answered us there is as much as it sent, and a suspicion that concerns
// it goes first.
func TestDigestGivesWay(t *testing.T) {
	ofOne := Digest{Members: 1}
	for _, test := range []struct {
		name                string
		verified, suspected bool
		digest              Digest // of the ping
		more                int    // members than b and c
		want                string
		says                bool
	}{
		{"verified", true, false, ofOne, 0, "ack #5", true},
		{"verified, and many members", true, false, ofOne, 70, "ack #5", true},
		{"verified, and does not say", true, false, Digest{}, 0, "ack #5", false},
		{"verified suspect", true, true, ofOne, 0, "ack #5 [b suspect 0 by c]", true},
		{"not verified", false, false, ofOne, 0, "ack #5", true},
		{"not verified, and does not say", false, false, Digest{}, 0, "ack #5", false},
		{"not verified, and says less than we would", false, false, ofOne, 70, "ack #5", false},
		{"a suspect, not verified", false, true, ofOne, 0, "ack #5 [b suspect 0 by c]", false},
	} {
		c := newTestCore(t, calm(), "a", "b", "c")
		c.noProbes()
		for i := range test.more {
			c.know(claim(fmt.Sprintf("m%d", i), 1, Alive, 0))
		}
		if test.suspected {
			c.know(claim("b", 1, Suspect, 0, "c"))
		}
		if !test.verified {
			c.roster.at(must(c.roster.find("b"))).flags &^= isVerified
		}
		ack, _ := c.answered(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Message: MessagePing, Number: 5, Digest: test.digest}})
		want := Digest{}
		if test.says {
			want = c.digestNow()
		}
		if got := ack.String(); got != test.want || ack.Header.Digest != want {
			t.Errorf("%s: sent %q with %+v, want %q with %+v", test.name, got, ack.Header.Digest, test.want, want)
		}
	}
}

// D18: pings say a digest, and acks of those that do; nothing else does, and who
// leaves says none.
func TestDigestIsInPingsAndTheirAcks(t *testing.T) {
	const mute = 4 // the number of a ping without a digest
	c := newTestCore(t, Config{IndirectProbes: 1, MaxHealth: Off}, "a", "b", "c")
	c.queue(claim("d", 1, Alive, 0))
	c.run(3 * time.Second)
	ping := Header[who]{Message: MessagePing, Number: 5, Digest: Digest{Members: 1}}
	c.hear("b", Header[who]{Message: MessageIndirectPing, Number: 3, About: who{"c", 1}})
	c.hear("b", Header[who]{Message: MessagePingReq, Number: 4, About: who{"c", 1}})
	c.hear("b", ping)
	c.hear("b", Header[who]{Message: MessagePing, Number: mute})
	seen := map[Message]bool{}
	said := func(leaving bool) {
		t.Helper()
		for _, d := range c.out.Packets {
			var p Packet[who]
			if err := names.Parse(d.Data, &p); err != nil {
				t.Fatal(err)
			}
			m := p.Header.Message
			seen[m] = true
			want := !leaving && (m == MessagePing || m == MessageAck && p.Header.Number != mute)
			if says := p.Header.Digest.Members != 0; says != want {
				t.Errorf("leaving %v: %v says a digest: %v", leaving, &p, says)
			}
		}
		c.out.Packets = nil
	}
	said(false)
	for _, m := range []Message{MessagePing, MessageAck, MessagePingReq, MessageIndirectPing, MessageIndirectAck, MessageGossip} {
		if !seen[m] {
			t.Errorf("no %v was sent", m)
		}
	}
	if err := c.Leave(c.out); err != nil {
		t.Fatal(err)
	}
	c.hear("b", ping)
	said(true)
}

// D18: with SilentDigest, and in a format that has no place for one, no digest is
// said, and none compared.
func TestSilentDigestSaysAndComparesNothing(t *testing.T) {
	for _, test := range []struct {
		name     string
		rules    Rules
		unsynced bool
		says     bool
	}{
		{"said", Rules{}, false, true},
		{"silent", Rules{SilentDigest: true}, false, false},
		{"a narrow format", Rules{}, true, false},
	} {
		cfg := calm()
		cfg.Rules = test.rules
		limits := unlimited
		limits.Unsynced = test.unsynced
		c := newTight(t, cfg, limits)
		ack, _ := c.answered(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Message: MessagePing, Number: 5, Digest: Digest{Members: 1}}})
		if says := ack.Header.Digest.Members != 0; says != test.says {
			t.Errorf("%s: an ack with %+v", test.name, ack.Header.Digest)
		}
		for range 20 {
			c.now = c.now.Add(time.Minute)
			c.ackWith("b", Digest{Sum: 1, Members: 9, Settled: true})
		}
		if syncs := c.Stats().Sent[MessageSync]; syncs > 0 != test.says {
			t.Errorf("%s: %d times it was compared", test.name, syncs)
		}
	}
}

// ackWith lets a member answer our probe with a digest, and reports whether that
// began a reconciliation.
func (c *testCore) ackWith(with string, d Digest) (began bool) {
	c.t.Helper()
	before := c.Stats().Sent[MessageSync]
	c.probe = probe[who]{target: who{with, 1}, number: c.probe.number + 1, running: true}
	if err := c.hear(with, Header[who]{Message: MessageAck, Number: c.probe.number, Digest: d}); err != nil {
		c.t.Fatal(err)
	}
	switch n := c.Stats().Sent[MessageSync] - before; n {
	case 0, 1:
		return n == 1
	default:
		c.t.Fatalf("%d packets began it", n)
		return false
	}
}

// A view is kept up at a cost that does not grow with what came and went.
func TestDigestNotesChangesOnce(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	for i := range 100 {
		c.know(claim("c", 1, Alive, Incarnation(i)), withMeta(claim("c", 1, Alive, 0), uint64(i)))
		c.know(claim(fmt.Sprintf("m%d", i%10), 1+i, Alive, 0))
	}
	if n, most := len(c.view.stale), c.roster.len(); n > most {
		t.Errorf("%d changes of %d members", n, most)
	}
}

// D15: what changes takes no memory where no digest is asked for.
func TestChangesTakeNoMemoryWithoutDigests(t *testing.T) {
	cfg := calm()
	cfg.MaxTombstones = 5
	cfg.Rules.SilentDigest = true
	c := newTestCore(t, cfg, "a", "b")
	for i := range 10000 {
		c.hear(fmt.Sprintf("m%d", i), Header[who]{Message: MessageGossip, SrcState: Left})
		c.now = c.now.Add(time.Millisecond)
	}
	if n, slots := len(c.view.stale), int(c.roster.slots); n > 2*slots {
		t.Errorf("%d changes are noted, of %d slots", n, slots)
	}
}

// MaxHeader is the most bytes of a packet besides updates and a payload.
func TestMaxHeaderOfShortIdentities(t *testing.T) {
	short := Plain(
		func(b []byte, w who) []byte { return append(b, w.name[0], byte(w.life)) },
		func(d []byte) (who, int, error) {
			if len(d) < 2 || d[0] == 0 {
				return who{}, 0, ErrMalformed
			}
			return who{string(d[:1]), int(d[1])}, 2, nil
		}, 2)
	h := Header[who]{Message: MessagePing, Src: who{"a", 1}, Dst: who{"b", 1}, SrcIncarnation: math.MaxUint64,
		SrcMetadata: math.MaxUint64, Number: math.MaxUint32, Digest: Digest{Members: math.MaxUint32}}
	payload := make([]byte, 20_000)
	data, err := short.Append(nil, maxDatagram, &Packet[who]{Header: h, Payloads: [][]byte{payload}})
	if n := len(data) - len(payload); err != nil || n > short.MaxHeader() {
		t.Errorf("a header takes %d bytes, at most %d: %v", n, short.MaxHeader(), err)
	}
}
