package sealed

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestRecentGivesBackWhatWasAdded holds the ring to a model that keeps all, with
// packets of all sizes, empty ones too: what it gives back is what was added under
// that counter, and the last ones are there.
func TestRecentGivesBackWhatWasAdded(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		var r recent[byte]
		added := make(map[uint64][]byte)
		for counter := range uint64(500) {
			size := []int{0, 0, 1, 40, 100, 1350, random.IntN(recentBytes), recentBytes, recentBytes + 1}[random.IntN(5+round%5)]
			payload := bytes.Repeat(binary.BigEndian.AppendUint64(nil, counter), size/8+1)[:size]
			r.add(Party[byte]{Addr: byte(counter)}, uint8(counter%16), counter, payload)
			added[counter] = payload
			if random.IntN(3) == 0 {
				wantTaken(t, &r, added, counter-min(counter, random.Uint64N(70)))
			}
		}
		for counter := range uint64(500) {
			wantTaken(t, &r, added, counter)
		}
	}
}

func wantTaken(t *testing.T, r *recent[byte], added map[uint64][]byte, counter uint64) {
	t.Helper()
	s, payload, ok := r.take(counter)
	if !ok {
		return
	}
	if s.to.Addr != byte(counter) || s.channel != uint8(counter%16) || !bytes.Equal(payload, added[counter]) {
		t.Fatalf("packet %d is %d bytes to %d on channel %d; %d bytes were added", counter, len(payload), s.to.Addr, s.channel, len(added[counter]))
	}
	if _, _, ok := r.take(counter); ok {
		t.Fatalf("packet %d was taken twice", counter)
	}
}

func TestRecentKeepsTheLastPackets(t *testing.T) {
	for _, size := range []int{0, 1, 40, 100, 192, 193, 1350, recentBytes, recentBytes + 1} {
		want := min(recentPackets, recentBytes/max(size, 1))
		var r recent[byte]
		for counter := range uint64(300) {
			r.add(Party[byte]{}, 0, counter, make([]byte, size))
		}
		kept := 0
		for counter := range uint64(300) {
			if _, _, ok := r.take(counter); ok {
				kept++
			} else if counter >= uint64(300-want) {
				t.Errorf("of packets with %d bytes, number %d is gone", size, counter)
			}
		}
		if kept != want {
			t.Errorf("%d packets of %d bytes are kept, want %d", kept, size, want)
		}
	}
}

// TestEmptyPacketDoesNotHideTheNextOne: an empty packet at the beginning of the
// ring once kept the one behind it from being dropped, which was then overwritten,
// and would have been sealed again with bytes of another one.
func TestEmptyPacketDoesNotHideTheNextOne(t *testing.T) {
	var r recent[byte]
	r.add(Party[byte]{}, 0, 0, nil)
	r.add(Party[byte]{}, 0, 1, []byte("for bob"))
	r.add(Party[byte]{}, 0, 2, make([]byte, recentBytes-100))
	r.add(Party[byte]{}, 0, 3, bytes.Repeat([]byte("for carol"), 20))
	if _, payload, ok := r.take(1); ok {
		t.Errorf("the packet that was overwritten is %q", payload)
	}
}
