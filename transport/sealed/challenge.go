package sealed

import (
	"encoding/binary"
	"time"
)

// cookieLife is how long a cookie is good for at the least; at the most it is
// twice as long.
const cookieLife = 30 * time.Second

// cookies makes and checks cookies, and remembers none of them: a cookie is a
// hash of what it stands for, under a secret that is drawn anew now and then.
type cookies struct {
	random      func([]byte)
	now, before *sipKey // pointers for the sake of [secrets]
	since       int64
}

func newCookies(now int64, random func([]byte)) *cookies {
	c := &cookies{random: random, since: now}
	c.now, c.before = c.draw(), c.draw()
	return c
}

func (c *cookies) draw() *sipKey {
	var b [16]byte
	c.random(b[:])
	k := newSipKey(b)
	return &k
}

// turn draws secrets whose time has come.
func (c *cookies) turn(now int64) {
	switch age := now - c.since; {
	case age > 2*int64(cookieLife): // both
		c.before, c.now, c.since = c.draw(), c.draw(), now
	case age > int64(cookieLife):
		c.before, c.now, c.since = c.now, c.draw(), c.since+int64(cookieLife)
	}
}

// of returns the cookie of a session at a source.
func (c *cookies) of(now int64, from []byte, session [8]byte) uint64 {
	c.turn(now)
	return c.now.sum(session[:], from)
}

// valid reports whether a cookie is that of a session at a source.
func (c *cookies) valid(now int64, cookie, from []byte, session [8]byte) bool {
	c.turn(now)
	got := binary.BigEndian.Uint64(cookie)
	return got == c.now.sum(session[:], from) || got == c.before.sum(session[:], from)
}

// challenge returns the challenge to a packet:
//
//	0x31 | 0 | cluster | key id | session | counter | cookie | SipHash-2-4 of it all
//
// The key of the hash follows from the shared one as that of introductions does,
// with the info "selkie 1 challenge".
func (b *Box[A]) challenge(now int64, key *held, packet, from []byte) []byte {
	c := make([]byte, 0, ChallengeSize)
	c = append(c, versionChallenge, 0)
	c = append(c, packet[offCluster:offIntro]...)
	c = binary.BigEndian.AppendUint64(c, b.cookies.of(now, from, [8]byte(packet[offSession:])))
	c = binary.BigEndian.AppendUint64(c, key.challenge.sum(c))
	b.stats.Challenges++
	return c
}

// answer seals the packet that a challenge is about once more, with the cookie.
// It goes to whom the packet went to, wherever the challenge came from.
func (b *Box[A]) answer(key *held, c []byte) (o Opened[A], fault Fault) {
	if len(c) != ChallengeSize || c[1] != 0 {
		return o, FaultForged
	}
	signed := c[:ChallengeSize-8]
	if binary.BigEndian.Uint64(c[len(signed):]) != key.challenge.sum(signed) {
		return o, FaultForged
	}
	if [8]byte(c[offSession:]) != b.session {
		return o, FaultChallenge
	}
	s, payload, ok := b.recent.take(binary.BigEndian.Uint64(c[offCounter:]))
	if !ok {
		return o, FaultChallenge
	}
	b.stats.Again++
	return Opened[A]{Reply: b.seal(nil, s.channel, c[offIntro:offIntro+cookieSize], payload), Again: true, To: s.to}, accepted
}
