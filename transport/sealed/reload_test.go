package sealed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func reload(t testing.TB, p *peer, keys ...Key) {
	t.Helper()
	if err := p.Reload(keys); err != nil {
		t.Fatal(err)
	}
}

func TestKeysAreReplacedWithoutALoss(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	flight := a.say(start, b.self, "in flight")
	for i, step := range []func(){
		func() { reload(t, a, keyA, keyB) },
		func() { reload(t, b, keyA, keyB) },
		func() { reload(t, a, keyB, keyA) },
		func() { reload(t, b, keyB, keyA) },
		func() { b.wantHeard(t, start, flight, alice, "in flight") },
		func() { reload(t, b, keyB) },
		func() { reload(t, a, keyB) },
	} {
		step()
		b.wantHeard(t, start, a.say(start, b.self, fmt.Sprint(i)), alice, fmt.Sprint(i))
	}
	if got := b.Stats().Sessions; got != 1 {
		t.Errorf("%d sessions, want the one that there was", got)
	}
}

func TestKeyThatIsGoneOpensNothing(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	flight := a.say(start, b.self, "in flight")
	reload(t, b, keyB)
	b.wantRefused(t, start, flight, alice, FaultKey)
	b.wantRefused(t, start, a.say(start, b.self, "later"), alice, FaultKey)
	reload(t, b, keyB, keyA)
	b.wantHeard(t, start, flight, alice, "in flight")
	b.wantRefused(t, start, flight, alice, FaultReplay)
}

func TestWindowsSurviveOtherKeys(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	packet := a.say(start, b.self, "once")
	b.wantHeard(t, start, packet, alice, "once")
	for _, keys := range [][]Key{{keyA, keyB}, {keyB, keyA}, {keyA}} {
		reload(t, b, keys...)
		b.wantRefused(t, start, packet, alice, FaultReplay)
	}
	// One counter is one packet, whatever the key is.
	reload(t, b, keyA, keyB)
	other := plainPacket(keyB[:], "blue", a.session[:], a.counter-1, 0, nil, a.says(b.self, "twice"))
	b.wantRefused(t, start, other, alice, FaultReplay)
}

func TestKeysThatCanNotBeUsedChangeNothing(t *testing.T) {
	a, b := pair(t)
	meet(t, start, a, b)
	for _, keys := range [][]Key{nil, {keyB, keyB}, {keyB, {}}, make([]Key, MaxKeys+1)} {
		before, own := stateOf(a.Box), a.own
		if err := a.Reload(keys); !errors.Is(err, ErrKey) {
			t.Errorf("%v: %v", keys, err)
		}
		if after := stateOf(a.Box); !equalStates(before, after) || a.own != own {
			t.Errorf("%+v became %+v", before, after)
		}
	}
	b.wantHeard(t, start, a.say(start, b.self, "still here"), alice, "still here")
}

func TestKeysSayWhenTheyWereHeard(t *testing.T) {
	a, b := pair(t, keys(keyA, keyB))
	want := func(uses ...KeyUse) {
		t.Helper()
		if got := b.Keys(); !slices.Equal(got, uses) {
			t.Errorf("%v, want %v", got, uses)
		}
	}
	want(KeyUse{keyA.ID(), 0}, KeyUse{keyB.ID(), 0})
	meet(t, start+1, a, b)
	want(KeyUse{keyA.ID(), start + 1}, KeyUse{keyB.ID(), 0})
	reload(t, a, keyB)
	b.wantHeard(t, start+2, a.say(start, b.self, "hello"), alice, "hello")
	reload(t, b, keyB, Key{3}, keyA)
	want(KeyUse{keyB.ID(), start + 2}, KeyUse{Key{3}.ID(), 0}, KeyUse{keyA.ID(), start + 1})
	b.hear(start+3, flipped(a.say(start, b.self, "forged"), 400), alice)
	want(KeyUse{keyB.ID(), start + 2}, KeyUse{Key{3}.ID(), 0}, KeyUse{keyA.ID(), start + 1})
}

// TestReloadDoesNotUseANonceTwice: neither after the same key comes back.
func TestReloadDoesNotUseANonceTwice(t *testing.T) {
	a, b := pair(t)
	type nonce struct {
		key     KeyID
		session [8]byte
		counter uint64
	}
	used := make(map[nonce]bool)
	for i := range 100 {
		reload(t, a, [][]Key{{keyA}, {keyB}, {keyB, keyA}}[i%3]...)
		packet := a.say(start, b.self, fmt.Sprint(i))
		n := nonce{KeyID(packet[offKey:]), [8]byte(packet[offSession:]), uint64(packet[offCounter+7]) | uint64(packet[offCounter+6])<<8}
		if used[n] {
			t.Fatalf("%v was used twice", n)
		}
		used[n] = true
	}
}

// A rotation is a cluster in which keys are replaced, in the order that keeps
// everybody in touch: a key is used once all accept it, and retired once nobody
// uses it and nothing under it is under way.
type rotation struct {
	random *rand.Rand
	peers  []*peer
	keys   [][]Key
	next   byte // of keys
	flight []flying
}

type flying struct {
	packet   []byte
	from, to int
}

func TestNobodyIsCutOffWhileKeysAreReplaced(t *testing.T) {
	for seed := range uint64(20) {
		r := &rotation{random: rand.New(rand.NewPCG(seed, 12)), next: 10}
		for i := range 5 {
			r.peers = append(r.peers, newPeer(t, byte(i), 1))
			r.keys = append(r.keys, []Key{keyA})
			for j := range byte(5) {
				r.peers[i].knows[j] = seed%2 == 0
			}
		}
		heard, replaced := 0, 0
		for step := range 2000 {
			now := start + int64(step)*10*millisecond
			switch i := r.random.IntN(5); r.random.IntN(8) {
			case 0:
				r.add(i)
			case 1:
				r.use(i)
			case 2:
				if r.retire(i) {
					replaced++
				}
			case 3, 4:
				to := r.random.IntN(5)
				r.flight = append(r.flight, flying{r.peers[i].say(now, r.peers[to].self, "hello"), i, to})
				continue
			default:
				heard += r.arrive(t, now)
				continue
			}
			for i, p := range r.peers {
				reload(t, p, r.keys[i]...)
			}
		}
		if heard < 300 || replaced < 20 {
			t.Errorf("seed %d: %d packets were heard, %d keys retired", seed, heard, replaced)
		}
	}
}

// accept returns how many peers accept a key.
func (r *rotation) accept(k Key) (n int) {
	for _, keys := range r.keys {
		if slices.Contains(keys, k) {
			n++
		}
	}
	return n
}

// add has a peer accept a key that another one accepts, or a new one.
func (r *rotation) add(i int) {
	k := Key{r.next}
	if other := r.keys[r.random.IntN(5)]; r.random.IntN(6) > 0 {
		k = other[r.random.IntN(len(other))]
	} else {
		r.next++
	}
	if !slices.Contains(r.keys[i], k) && len(r.keys[i]) < MaxKeys {
		r.keys[i] = append(r.keys[i], k)
	}
}

// use has a peer seal with a key that all accept.
func (r *rotation) use(i int) {
	at := r.random.IntN(len(r.keys[i]))
	if r.accept(r.keys[i][at]) == 5 {
		r.keys[i][0], r.keys[i][at] = r.keys[i][at], r.keys[i][0]
	}
}

// retire has a peer no longer accept a key that nobody uses.
func (r *rotation) retire(i int) bool {
	at := r.random.IntN(len(r.keys[i]))
	k := r.keys[i][at]
	uses := func(keys []Key) bool { return keys[0] == k }
	under := func(f flying) bool { return KeyID(f.packet[offKey:]) == k.ID() }
	if slices.ContainsFunc(r.keys, uses) || slices.ContainsFunc(r.flight, under) {
		return false
	}
	r.keys[i] = slices.Delete(r.keys[i], at, at+1)
	return true
}

// arrive opens a packet that is under way, or loses it.
func (r *rotation) arrive(t *testing.T, now int64) (heard int) {
	if len(r.flight) == 0 {
		return 0
	}
	at := r.random.IntN(len(r.flight))
	f := r.flight[at]
	r.flight = slices.Delete(r.flight, at, at+1)
	if r.random.IntN(10) == 0 {
		return 0
	}
	o, err := r.peers[f.to].hear(now, f.packet, byte(f.from))
	if err == FaultKey || err == FaultForged {
		t.Fatalf("%v", err)
	}
	if o.Reply != nil {
		to := f.from
		if o.Again {
			to = int(o.To.Addr)
		}
		r.flight = append(r.flight, flying{o.Reply, f.to, to})
	}
	if o.Payload != nil {
		return 1
	}
	return 0
}
