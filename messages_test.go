package selkie

import "testing"

func someID(t testing.TB, n int) ID {
	t.Helper()
	return memberAt(n).ID
}

func handlerFor(t testing.TB, n int) *messages {
	return newMessages(nil, someID(t, n), newKeyed(), Config{EventBuffer: 2, OnBroadcast: func(ID, string, []byte) {}})
}

// composed is what a broadcast travels as.
func (m *messages) composed(t testing.TB, self ID, key, payload string) []byte {
	t.Helper()
	item, err := m.format.compose(self, key, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func TestMessageIsDeliveredOnce(t *testing.T) {
	origin, receiver := handlerFor(t, 1), handlerFor(t, 2)
	older := origin.composed(t, someID(t, 1), "k", "older")
	newer := origin.composed(t, someID(t, 1), "k", "newer")
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
	first, _, _ := origin.Receive(origin.composed(t, someID(t, 1), "", ""), someID(t, 1))
	second, _, _ := origin.Receive(origin.composed(t, someID(t, 1), "", ""), someID(t, 1))
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
		if _, spread, _ := receiver.Receive(origin.composed(t, someID(t, 1), "", ""), someID(t, 3)); !spread {
			t.Error("a slow owner must not keep others from hearing it")
		}
	}
	if got := receiver.lost.Load(); got != 3 {
		t.Errorf("%d lost, want 3", got)
	}
}
