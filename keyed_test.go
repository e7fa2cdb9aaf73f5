package selkie

import (
	"bytes"
	"strconv"
	"testing"
)

func TestMessageSurvivesItsWay(t *testing.T) {
	self := someID(t, 1)
	for _, c := range []struct{ key, payload string }{{"", ""}, {"k", "v"}, {string(make([]byte, MaxKey)), "long key"}} {
		m, sequence, err := decompose(handlerFor(t, 1).composed(t, self, c.key, c.payload))
		if err != nil || m.from != self || m.key != c.key || string(m.payload) != c.payload || sequence == 0 {
			t.Errorf("%q: got %+v, %d, %v", c.key, m, sequence, err)
		}
	}
}

func TestMemoryOfMessagesIsBounded(t *testing.T) {
	origin := handlerFor(t, 1)
	for i := range 2*maxSeen + 10 {
		origin.Receive(origin.composed(t, someID(t, 1), strconv.Itoa(i), ""), someID(t, 1))
	}
	if k := origin.format.(*keyed); len(k.seen) != maxSeen || len(k.order) != maxSeen {
		t.Errorf("remembers %d names in %d places, want %d", len(k.seen), len(k.order), maxSeen)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(handlerFor(f, 1).composed(f, someID(f, 1), "key", "payload"))
	f.Add([]byte{messageVersion})
	f.Fuzz(func(t *testing.T, item []byte) {
		before := bytes.Clone(item)
		m, _, err := decompose(item)
		if err == nil && len(m.key)+len(m.payload) > len(item) {
			t.Errorf("%d bytes of key and payload out of %d", len(m.key)+len(m.payload), len(item))
		}
		if !bytes.Equal(before, item) {
			t.Error("the item changed")
		}
	})
}
