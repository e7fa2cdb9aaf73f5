package sealed

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

func TestNothingIsLostOnFirstContact(t *testing.T) {
	for seed := range uint64(50) {
		a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
		random := rand.New(rand.NewPCG(seed, 7))
		n := 1 + random.IntN(recentPackets)
		var toBob, toAlice [][]byte
		want, got := make(map[string]int), make(map[string]int)
		for i := range n {
			text := fmt.Sprint(i)
			toBob = append(toBob, a.say(start, b.self, text))
			want[text] = 1
		}
		take := func(from *[][]byte) []byte {
			i := random.IntN(len(*from))
			packet := (*from)[i]
			if random.IntN(4) > 0 { // else it comes again
				*from = append((*from)[:i:i], (*from)[i+1:]...)
			}
			return packet
		}
		for len(toBob)+len(toAlice) > 0 {
			if len(toAlice) > 0 && random.IntN(2) == 0 {
				if o, err := a.hear(start, take(&toAlice), bob); err == nil {
					toBob = append(toBob, o.Reply)
				}
			} else if len(toBob) > 0 {
				o, _ := b.hear(start, take(&toBob), alice)
				if o.Payload != nil {
					got[string(o.Payload[4:])]++
				}
				if o.Reply != nil {
					toAlice = append(toAlice, o.Reply)
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("of %d packets these came, so often: %v", n, got)
		}
	}
}

// TestPacketsThatOvertakeAreNotLost: what comes after a packet that was let in, but was
// sealed before it, is sealed again.
func TestPacketsThatOvertakeAreNotLost(t *testing.T) {
	a, b := pair(t)
	slow := a.say(start, b.self, "slow")
	b.wantHeard(t, start, a.say(start, b.self, "fast"), alice, "fast")
	again := a.wantAnswer(t, start, b.wantChallenge(t, start, slow, alice, FaultUnknown), bob)
	b.wantHeard(t, start, again, alice, "slow")
	b.wantRefused(t, start, again, alice, FaultReplay)
	a.wantRefused(t, start, b.wantChallenge(t, start, slow, alice, FaultUnknown), bob, FaultChallenge)
}

func TestCookieIsForOneSessionAtOneSource(t *testing.T) {
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
	packet := a.say(start, b.self, "hello")
	again := a.wantAnswer(t, start, b.wantChallenge(t, start, packet, alice, FaultUnknown), bob)
	b.wantRefused(t, start, again, carol, FaultChallenge)
	cookie := again[header : header+cookieSize]
	payload := a.says(b.self, "hello")
	other := []byte("another!")
	b.wantRefused(t, start, plainPacket(keyA[:], "blue", other, 1, 0, cookie, payload), alice, FaultChallenge)
	for _, packet := range [][]byte{again, plainPacket(keyA[:], "blue", a.session[:], a.counter, 0, cookie, payload)} {
		b.wantHeard(t, start, packet, alice, "hello") // for as many packets as it likes
		b.wantRefused(t, start, packet, alice, FaultReplay)
	}
	// Also where the session is known, or a copy could be had from elsewhere.
	wrong := plainPacket(keyA[:], "blue", a.session[:], a.counter+1, 0, []byte("invented"), payload)
	b.wantRefused(t, start, wrong, alice, FaultChallenge)
	// The next process draws other secrets.
	after := newPeer(t, bob, 2, wary)
	after.wantRefused(t, start, again, alice, FaultChallenge)
}

func TestCookieIsGoodFor30To60Seconds(t *testing.T) {
	shortest, longest := int64(1<<62), int64(0)
	for drawn := int64(0); drawn <= 100; drawn++ {
		// A box that hears nothing in between, and one that is busy.
		for _, busy := range []bool{false, true} {
			for age := int64(0); age <= 200; age++ {
				c := newCookies(start, randomness(1))
				cookie := make([]byte, 8)
				at := start + drawn*second
				putCookie(cookie, c.of(at, []byte{alice}, [8]byte{1}))
				for now := at; busy && now < at+age*second; now += second {
					c.turn(now)
				}
				good := c.valid(at+age*second, cookie, []byte{alice}, [8]byte{1})
				switch {
				case !good && age <= 30:
					t.Fatalf("drawn after %d s, bad after %d s, busy %t", drawn, age, busy)
				case good && age > 60:
					t.Fatalf("drawn after %d s, still good after %d s, busy %t", drawn, age, busy)
				case good:
					longest = max(longest, age)
				default:
					shortest = min(shortest, age)
				}
			}
		}
	}
	if shortest > 32 || longest < 59 {
		t.Errorf("bad after %d s at the least, good for %d s at the most", shortest, longest)
	}
}

func putCookie(b []byte, cookie uint64) {
	for i := range b {
		b[i] = byte(cookie >> (56 - 8*i))
	}
}

// TestOldCookieIsRefusedByAQuietBox: one that was not asked for a cookie for long
// once took the old ones for ever.
func TestOldCookieIsRefusedByAQuietBox(t *testing.T) {
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
	again := a.wantAnswer(t, start, b.wantChallenge(t, start, a.say(start, b.self, "hello"), alice, FaultUnknown), bob)
	b.wantRefused(t, start+3600*second, again, alice, FaultChallenge)
}

// S23: what is changed on its way is refused.
func TestEveryChangeOfAChallengeIsRefused(t *testing.T) {
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
	a.say(start, b.self, "another one")
	challenge := b.wantChallenge(t, start, a.say(start, b.self, "hello"), alice, FaultUnknown)
	refuse := func(bad []byte) {
		t.Helper()
		before := stateOf(a.Box)
		o, err := a.hear(start, bad, bob)
		if err == nil || o.Payload != nil || o.Reply != nil || !equalStates(before, stateOf(a.Box)) {
			t.Fatalf("%x: %+v, %v", bad, o, err)
		}
	}
	for bit := range len(challenge) * 8 {
		refuse(flipped(challenge, bit))
	}
	for n := range challenge {
		refuse(challenge[:n])
		refuse(challenge[n+1:])
	}
	for c := range 256 {
		refuse(append(bytes.Clone(challenge), byte(c)))
	}
	for name, other := range map[string]struct {
		p    *peer
		want Fault
	}{
		"another cluster": {newPeer(t, alice, 1, func(c *Config[byte]) { c.Cluster = "red" }), FaultCluster},
		"another key":     {newPeer(t, alice, 1, keys(keyB)), FaultKey},
		"another process": {newPeer(t, alice, 2), FaultChallenge},
		"who challenges":  {b, FaultChallenge},
	} {
		t.Run(name, func(t *testing.T) { other.p.wantRefused(t, start, challenge, bob, other.want) })
	}
	b.wantHeard(t, start, a.wantAnswer(t, start, challenge, bob), alice, "hello")
	a.wantRefused(t, start, challenge, bob, FaultChallenge)
}

func TestChallengeCausesOnePacketToWhomItWasFor(t *testing.T) {
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
	challenge := b.wantChallenge(t, start, a.say(start, b.self, "hello"), alice, FaultUnknown)
	o, err := a.hear(start, challenge, carol) // wherever it comes from
	if err != nil || !o.Again || o.To != b.self {
		t.Fatalf("%+v, %v", o, err)
	}
	// Nor does one for another session, though the counter is one of ours.
	packet := a.say(start, b.self, "another one")
	copy(packet[offSession:], "another!")
	a.wantRefused(t, start, plainChallenge(keyA[:], packet, []byte("a cookie")), bob, FaultChallenge)
	for _, from := range []byte{alice, bob, carol} {
		a.wantRefused(t, start, challenge, from, FaultChallenge)
	}
	if got := a.Stats().Again; got != 1 {
		t.Errorf("sealed again %d times", got)
	}
}

// TestCopyMadeForAnotherIsNotAcceptedTwice: somebody shows a packet for bob to carol,
// who challenges it, and so there are two of it.
func TestCopyMadeForAnotherIsNotAcceptedTwice(t *testing.T) {
	a, b := pair(t)
	c := newPeer(t, carol, 1)
	packet := a.say(start, b.self, "once")
	b.wantHeard(t, start, packet, alice, "once")
	for c.fresh.take(start) { // then carol does not look for whom it is
	}
	challenge := c.wantChallenge(t, start, packet, alice, FaultLimited)
	again := a.wantAnswer(t, start, challenge, bob)
	b.wantRefused(t, start, again, alice, FaultChallenge)
}

func TestChallengeIsSmallerThanWhatCausesIt(t *testing.T) {
	if ChallengeSize >= Usual {
		t.Fatalf("a challenge is %d bytes, the smallest packet %d", ChallengeSize, Usual)
	}
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 1, wary)
	random := rand.New(rand.NewPCG(8, 9))
	in, out := 0, 0
	for i := range 20_000 {
		now := start + int64(i)*millisecond/10
		if random.IntN(20) == 0 {
			a.rekey(now)
		}
		packet := a.Seal(nil, now, b.self, 0, make([]byte, random.IntN(4)))
		switch random.IntN(4) {
		case 0:
			packet = flipped(packet, random.IntN(len(packet)*8))
		case 1:
			packet = packet[:random.IntN(len(packet))]
		}
		for range 1 + random.IntN(2) {
			o, _ := b.hear(now, packet, alice)
			if len(o.Reply) >= len(packet) && o.Reply != nil {
				t.Fatalf("%d bytes cause %d", len(packet), len(o.Reply))
			}
			in, out = in+len(packet), out+len(o.Reply)
		}
	}
	if out == 0 || out > in {
		t.Errorf("%d bytes caused %d", in, out)
	}
	t.Logf("%d bytes caused %d", in, out)
}
