package selkie

import (
	"errors"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// TestOpaquePayloadIsDeliveredOnce: whoever passes a payload of others on says
// nothing of who began, so its content decides.
func TestOpaquePayloadIsDeliveredOnce(t *testing.T) {
	now := swim.Instant(time.Hour)
	format := &opaque{clock: func() swim.Instant { return now }}
	m := newMessages(nil, someID(t, 2), format, Config{EventBuffer: 4, OnBroadcast: func(ID, string, []byte) {}})
	for _, step := range []struct {
		after   time.Duration
		item    string
		from    int
		spread  bool
		waiting int
	}{
		{0, "theirs", 1, true, 1},
		{0, "theirs", 3, false, 1},
		{0, "ours", 2, true, 1},
		{0, "ours", 3, false, 1},
		{10 * time.Minute, "theirs", 3, true, 2},
	} {
		now += swim.Instant(step.after)
		key, spread, err := m.Receive([]byte(step.item), someID(t, step.from))
		if err != nil || spread != step.spread || spread != (key.Name != "") || len(m.queue) != step.waiting {
			t.Errorf("%q from %d: spread %v under %q, %d wait, %v", step.item, step.from, spread, key.Name, len(m.queue), err)
		}
	}
	if got := <-m.queue; got.from != someID(t, 1) || got.key != "" || string(got.payload) != "theirs" {
		t.Errorf("delivered %+v", got)
	}
}

func TestOpaquePayloadHasNoPlaceForAKey(t *testing.T) {
	format := &opaque{}
	if item, err := format.compose(someID(t, 1), "", []byte("as it is")); err != nil || string(item) != "as it is" {
		t.Errorf("composed %q, %v", item, err)
	}
	if _, err := format.compose(someID(t, 1), "key", []byte("as it is")); !errors.Is(err, swim.ErrEncode) {
		t.Errorf("a key: %v", err)
	}
}
