package sealed

import (
	"bytes"
	"errors"
	"testing"
)

func TestRecordingsCanBeReadWithTheKeyAlone(t *testing.T) {
	a := newPeer(t, alice, 1)
	for _, cookie := range [][]byte{nil, []byte("cookie 8")} {
		packet := a.seal(nil, 3, cookie, []byte("what was said"))
		c, err := ReadClear(packet)
		if err != nil || c.Challenge || c.Cookie != (cookie != nil) || c.Channel != 3 || c.Key != keyA.ID() || c.Session != a.session || c.Counter != a.counter-1 {
			t.Errorf("in clear: %+v, %v", c, err)
		}
		before := bytes.Clone(packet)
		for range 2 { // nothing is remembered
			payload, err := Read(packet, "blue", []Key{keyB, keyA})
			if err != nil || string(payload) != "what was said" || !bytes.Equal(packet, before) {
				t.Errorf("read %q, %v", payload, err)
			}
		}
		for _, test := range []struct {
			cluster string
			keys    []Key
			cut     int
			want    error
		}{
			{"red", []Key{keyA}, 0, FaultCluster},
			{"blue", []Key{keyB}, 0, FaultKey},
			{"blue", nil, 0, ErrKey},
			{"blue", []Key{keyA}, 1, FaultForged},
			{"blue", []Key{keyA}, len(packet) - 44, FaultShort},
			{"blue", []Key{keyA}, len(packet), FaultShort},
		} {
			if got, err := Read(packet[:len(packet)-test.cut], test.cluster, test.keys); got != nil || !errors.Is(err, test.want) {
				t.Errorf("%+v: %q, %v", test, got, err)
			}
		}
	}
	if c, err := ReadClear(bytes.Repeat([]byte{versionChallenge}, ChallengeSize)); err != nil || !c.Challenge {
		t.Errorf("a challenge: %+v, %v", c, err)
	}
	if _, err := Read(bytes.Repeat([]byte{versionChallenge}, ChallengeSize), "blue", []Key{keyA}); err != FaultChallenge {
		t.Errorf("a challenge: %v", err)
	}
	if _, err := ReadClear(make([]byte, 100)); err != FaultVersion {
		t.Errorf("something else: %v", err)
	}
}

// TestWhoNamesOurLifeIsLetInAtOnce: the packet can not have been recorded before
// this process began, whether we know its sender or not. Who asks an address is
// challenged, known or not.
func TestWhoNamesOurLifeIsLetInAtOnce(t *testing.T) {
	a, b := newPeer(t, alice, 1), newPeer(t, bob, 7)
	b.wantHeard(t, start, a.say(start, b.self, "a stranger"), alice, "a stranger")
	c := newPeer(t, carol, 1)
	b.knows[carol] = true
	o, err := b.hear(start, c.say(start, Party[byte]{bob, 0}, "to an address"), carol)
	if err != FaultUnknown || len(o.Reply) != ChallengeSize || o.Payload != nil {
		t.Errorf("who asks an address: %q, reply %x, %v", o.Payload, o.Reply, err)
	}
	b.wantHeard(t, start, c.say(start, b.self, "to a life"), carol, "to a life")
}
