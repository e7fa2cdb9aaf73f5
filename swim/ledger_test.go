package swim

import (
	"testing"
	"time"
)

// once reports whether something may be done to an address, and remembers that
// it was.
func (l *ledger[Addr]) once(at Addr, now Instant, every time.Duration) bool {
	if l.recent(at, now, every) {
		return false
	}
	l.note(at, now)
	return true
}

// D8: something is done to one address at most once in every so often.
func TestLedgerAllowsOnceInAWhile(t *testing.T) {
	l := newLedger[int]()
	for _, test := range []struct {
		at   int
		now  Instant
		want bool
	}{
		{1, 0, true}, {1, 9, false}, {2, 9, true}, {1, 10, true}, {1, 19, false}, {2, 19, true},
	} {
		if got := l.once(test.at, test.now, 10*time.Nanosecond); got != test.want {
			t.Errorf("address %d at %d: %v", test.at, test.now, got)
		}
	}
}

// D8: an answer is due once for any number of questions, which count until
// then.
func TestLedgerCountsQuestionsUntilTheAnswer(t *testing.T) {
	l := newLedger[int]()
	for i := range uint8(3) {
		if got := l.ask(1, 5); got != i {
			t.Errorf("question %d: %d before", i, got)
		}
	}
	if !l.askedAt(1, 5) || l.askedAt(1, 6) || l.askedAt(2, 5) {
		t.Error("forgot when it asked whom")
	}
	if l.take(2) || !l.take(1) || l.take(1) || l.askedAt(1, 5) {
		t.Error("an answer counts once, and from whom we asked")
	}
	if got := l.ask(1, 7); got != 0 {
		t.Errorf("after the answer %d questions count", got)
	}
}

func TestLedgerForgetsTheOldestBeyondItsSize(t *testing.T) {
	l := newLedger[int]()
	for i := range ledgerSize + 1 {
		l.once(i, 0, time.Second)
	}
	if len(l.entries) != ledgerSize || !l.once(0, 0, time.Second) || l.once(2, 0, time.Second) {
		t.Errorf("%d entries", len(l.entries))
	}
	c := l.clone()
	c.once(-1, 0, time.Second)
	if !l.once(-1, 0, time.Second) {
		t.Error("a clone shares its entries")
	}
}
