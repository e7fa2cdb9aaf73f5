package sealed

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
)

func TestFloodOfForgedPacketsLeavesNothingBehind(t *testing.T) {
	_, b := pair(t)
	random := rand.New(rand.NewPCG(10, 11))
	packet := make([]byte, 1400)
	packet[0] = version
	copy(packet[offCluster:], b.cluster[:])
	id := keyA.ID()
	copy(packet[offKey:], id[:])
	from := []byte{carol}
	before, memory := stateOf(b.Box), memoryInUse()
	for range 1_000_000 {
		binary.BigEndian.PutUint64(packet[offSession:], random.Uint64())
		binary.BigEndian.PutUint64(packet[offCounter:], random.Uint64())
		binary.BigEndian.PutUint64(packet[offIntro:], random.Uint64())
		if o, err := b.Open(start, packet, from); err != FaultForged || o.Reply != nil {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if after := stateOf(b.Box); !equalStates(before, after) || b.Stats().Derived != 0 || b.Stats().Refused[FaultForged] != 1_000_000 {
		t.Errorf("%+v became %+v", before, after)
	}
	if more := memoryInUse() - memory; more > 64<<10 {
		t.Errorf("%d bytes more are in use", more)
	}
	runtime.KeepAlive(b)
}

func memoryInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFloodOfRecordingsDerivesFewKeys(t *testing.T) {
	a, b := pair(t)
	recorded := make([][]byte, 100_000)
	session := a.session
	for i := range recorded {
		a.rekey(start)
		recorded[i] = a.say(start, Party[byte]{bob, 9}, "recorded")
	}
	if a.session == session {
		t.Fatal("all are of one session")
	}
	in, out := 0, 0
	flood := func(now int64, packets [][]byte) {
		for _, packet := range packets {
			o, err := b.hear(now, packet, carol)
			if err != FaultUnknown && err != FaultLimited || o.Payload != nil {
				t.Fatalf("%+v, %v", o, err)
			}
			in, out = in+len(packet), out+len(o.Reply)
		}
	}
	flood(start, recorded[:50_000])
	if got := b.Stats().Derived; got != bucketSize {
		t.Errorf("%d keys were derived at once, want %d", got, bucketSize)
	}
	for i, packets := 0, recorded[50_000:]; len(packets) > 0; i++ {
		flood(start+int64(i)*millisecond, packets[:100])
		packets = packets[100:]
	}
	if got := b.Stats().Derived; got > bucketSize+500 {
		t.Errorf("%d keys were derived in half a second, want %d at the most", got, bucketSize+500)
	}
	if b.Stats().Sessions != 0 || out > in {
		t.Errorf("%d sessions, and %d bytes for %d", b.Stats().Sessions, out, in)
	}
	// Who comes with a cookie is let in all the same.
	now := start + 499*millisecond
	for b.fresh.take(now) {
	}
	c := newPeer(t, carol, 1)
	again := c.wantAnswer(t, now, b.wantChallenge(t, now, c.say(now, b.self, "hello"), carol, FaultLimited), bob)
	b.wantHeard(t, now, again, carol, "hello")
}

// TestFullBoxDoesNotLookForRoomAllTheTime: looking through all sessions for each
// packet would take longer than anything else that a packet can cause.
func TestFullBoxDoesNotLookForRoomAllTheTime(t *testing.T) {
	b := newPeer(t, bob, 1, func(c *Config[byte]) { c.MaxSessions = 100 })
	now := start
	for addr := range byte(100) {
		b.knows[addr] = true
		meet(t, now, newPeer(t, addr, 1), b)
	}
	now += int64(sweepSilence)
	for id := range b.sessions {
		b.sessions[id].heard = now // all but speak all the time
	}
	b.knows[alice] = true
	a := newPeer(t, alice, 2)
	sweeps := 0
	for range 1000 {
		at := b.sweepAt
		b.wantRefused(t, now, a.say(now, b.self, "let me in"), alice, FaultFull)
		if b.sweepAt != at {
			sweeps++
		}
		now += millisecond
	}
	if sweeps > 1 {
		t.Errorf("looked for room %d times in a second", sweeps)
	}
}
