package selkie

import (
	"bytes"
	"strconv"
	"testing"
)

func someID(t testing.TB, n int) ID {
	t.Helper()
	return memberAt(n).ID
}

func handlerFor(t testing.TB, n int) *messages {
	return newMessages(nil, someID(t, n), func(ID, string, []byte) {}, 2)
}

func TestMessageSurvivesItsWay(t *testing.T) {
	self := someID(t, 1)
	for _, c := range []struct{ key, payload string }{{"", ""}, {"k", "v"}, {string(make([]byte, MaxKey)), "long key"}} {
		m, sequence, err := decompose(handlerFor(t, 1).compose(self, c.key, []byte(c.payload)))
		if err != nil || m.from != self || m.key != c.key || string(m.payload) != c.payload || sequence == 0 {
			t.Errorf("%q: got %+v, %d, %v", c.key, m, sequence, err)
		}
	}
}

func TestMessageIsDeliveredOnce(t *testing.T) {
	origin, receiver := handlerFor(t, 1), handlerFor(t, 2)
	older := origin.compose(someID(t, 1), "k", []byte("older"))
	newer := origin.compose(someID(t, 1), "k", []byte("newer"))
	for _, step := range []struct {
		what   string
		item   []byte
		spread bool
	}{{"new", newer, true}, {"again", newer, false}, {"stale", older, false}} {
		_, spread, err := receiver.Receive(step.item, someID(t, 3))
		if spread != step.spread || err != nil {
			t.Errorf("%s: spread %v, %v, want %v", step.what, spread, err, step.spread)
		}
	}
	if got := <-receiver.queue; string(got.payload) != "newer" || got.from != someID(t, 1) || len(receiver.queue) != 0 {
		t.Errorf("delivered %+v and %d more", got, len(receiver.queue))
	}
}

func TestMessagesWithoutAKeyStandForThemselves(t *testing.T) {
	origin := handlerFor(t, 1)
	first, _, _ := origin.Receive(origin.compose(someID(t, 1), "", nil), someID(t, 1))
	second, _, _ := origin.Receive(origin.compose(someID(t, 1), "", nil), someID(t, 1))
	if first.Name == second.Name {
		t.Errorf("both have the name %q", first.Name)
	}
	if len(origin.queue) != 0 {
		t.Error("a message of ours was delivered to ourselves")
	}
}

func TestMessagesBeyondTheQueueAreCounted(t *testing.T) {
	origin, receiver := handlerFor(t, 1), handlerFor(t, 2)
	for range 5 {
		if _, spread, _ := receiver.Receive(origin.compose(someID(t, 1), "", nil), someID(t, 3)); !spread {
			t.Error("a slow owner must not keep others from hearing it")
		}
	}
	if got := receiver.lost.Load(); got != 3 {
		t.Errorf("%d lost, want 3", got)
	}
}

func TestMemoryOfMessagesIsBounded(t *testing.T) {
	origin := handlerFor(t, 1)
	for i := range 2*maxSeen + 10 {
		origin.Receive(origin.compose(someID(t, 1), strconv.Itoa(i), nil), someID(t, 1))
	}
	if len(origin.seen) != maxSeen || len(origin.order) != maxSeen {
		t.Errorf("remembers %d names in %d places, want %d", len(origin.seen), len(origin.order), maxSeen)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(handlerFor(f, 1).compose(someID(f, 1), "key", []byte("payload")))
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
