package selkie

import "testing"

// eventAbout is the event number n of a test.
func eventAbout(n int) []Event { return []Event{{Kind: EventUp, Member: memberAt(n)}} }

func TestNewWatcherGetsASnapshotFirst(t *testing.T) {
	f := newFeed(4, viewOf(3))
	w := f.subscribe()
	f.publish(viewOf(4), eventAbout(3))
	got := f.take(w, nil)
	if len(got) != 1 || got[0].Kind != EventSnapshot || len(got[0].Members) != 4 {
		t.Errorf("got %v, want one snapshot of 4 that the event is part of", got)
	}
}

func TestWatcherGetsEveryEventInOrder(t *testing.T) {
	f := newFeed(4, viewOf(0))
	w := f.subscribe()
	memory := f.take(w, nil)
	next := 0
	for range 10 {
		for range 3 {
			f.publish(viewOf(0), eventAbout(next))
			next++
		}
		memory = f.take(w, memory)
		for i, e := range memory {
			if want := memberAt(next - 3 + i); e.Member != want || len(memory) != 3 {
				t.Fatalf("event %d of %d is about %v, want %v", i, len(memory), e.Member, want)
			}
		}
	}
}

func TestWatcherThatFellBehindGetsASnapshotInstead(t *testing.T) {
	f := newFeed(4, viewOf(0))
	w := f.subscribe()
	f.take(w, nil)
	for i := range 5 {
		f.publish(viewOf(i+1), eventAbout(i))
	}
	got := f.take(w, nil)
	if len(got) != 1 || got[0].Kind != EventSnapshot || len(got[0].Members) != 5 {
		t.Errorf("got %v, want one snapshot of 5", got)
	}
	f.publish(viewOf(6), eventAbout(5))
	if got := f.take(w, nil); len(got) != 1 || got[0].Kind != EventUp {
		t.Errorf("got %v, want the event after the snapshot", got)
	}
	if f.lost.Load() != 1 {
		t.Errorf("%d times behind, want 1", f.lost.Load())
	}
}

func TestEventKindsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := range numEventKinds {
		if name := k.String(); name == "" || seen[name] {
			t.Errorf("kind %d is called %q", uint8(k), name)
		}
		seen[k.String()] = true
	}
}
