package sealed

import (
	"math/rand/v2"
	"testing"
)

// A windowModel remembers every counter for ever.
type windowModel struct {
	came map[uint64]bool
	next uint64
}

// check compares a window with the model for one counter, and lets the counter in
// if it is new.
func (m *windowModel) check(t *testing.T, w *window, counter uint64) {
	t.Helper()
	seen := w.seen(counter)
	behind := m.next - min(m.next, counter)
	switch {
	case m.came[counter] && !seen:
		t.Fatalf("%d came before, but is new; the next one is %d", counter, m.next)
	case !m.came[counter] && seen && behind <= 1025:
		t.Fatalf("%d is new, but was seen; the next one is %d", counter, m.next)
	case !seen && behind > 1088:
		t.Fatalf("%d is remembered as new; the next one is %d", counter, m.next)
	}
	if !seen {
		w.mark(counter)
		m.came[counter] = true
		m.next = max(m.next, counter+1)
		if !w.seen(counter) {
			t.Fatalf("%d came just now, but is new", counter)
		}
	}
}

func TestWindowKnowsWhatASetKnows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	jumps := []uint64{0, 1, 2, 62, 63, 64, 65, 127, 128, 1023, 1024, 1025, 1026, 1087, 1088, 1089, 1152, 5000, 1 << 20, 1 << 40}
	for range 300 {
		w, m := &window{}, &windowModel{came: make(map[uint64]bool)}
		if random.IntN(2) == 0 {
			m.check(t, w, random.Uint64()>>1) // a first counter as a process draws it
		}
		for range 1000 {
			switch random.IntN(4) {
			case 0: // a jump
				m.check(t, w, m.next+jumps[random.IntN(len(jumps))])
			case 1: // the next one
				m.check(t, w, m.next)
			default: // one that is late, or comes again
				m.check(t, w, m.next-min(m.next, 1+random.Uint64N(1200)))
			}
			if m.next >= 1<<63 {
				break
			}
		}
	}
}

func TestWindowIsRightAtTheBordersOfItsWords(t *testing.T) {
	borders := []uint64{0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1087, 1088, 1089, 1151, 1152, 1<<32 - 1, 1 << 32, 1<<63 - 1088, 1<<63 - 1}
	for _, first := range borders {
		for _, then := range borders {
			w, m := &window{}, &windowModel{came: make(map[uint64]bool)}
			m.check(t, w, first)
			m.check(t, w, then)
			for counter := max(first, 1200) - 1200; counter < first+1200 && counter < 1<<63; counter++ {
				if counter <= then { // do not move it
					m.check(t, w, counter)
				}
			}
		}
	}
}

func TestWindowRemembersAtLeast1025Counters(t *testing.T) {
	for highest := uint64(1024); highest < 1024+200; highest++ {
		w := &window{}
		w.mark(highest)
		reach := 0
		for counter := highest; !w.seen(counter) || counter == highest; counter-- {
			reach++
			if counter == 0 {
				break
			}
		}
		if reach < 1025 || reach > 1088 {
			t.Errorf("with %d as the highest it remembers %d", highest, reach)
		}
	}
}
