package swim

import (
	"maps"
	"slices"
	"time"
)

// A ledger remembers a bounded number of addresses: when something was last
// done to each, and how often. The map is only ever looked up, so its order
// reaches no output.
type ledger[Addr comparable] struct {
	entries map[Addr]trace
	order   []Addr // a ring, the oldest to be replaced at next
	next    int
}

// ledgerSize bounds the addresses in a ledger.
const ledgerSize = 4096

// A trace is what is remembered of one address.
type trace struct {
	at    Instant
	count uint8
	open  bool

	page     uint32 // that it was fed last
	from, to int    // where in the list that page lies
}

// next reports whether a page is the one after that which was fed last.
func (e *trace) next(page uint32) bool { return page > firstPage && page == e.page+1 }

// has reports whether it is known where a page begins.
func (e *trace) has(page uint32) bool { return e.next(page) || page == e.page }

// begin is where in the list a page begins.
func (e *trace) begin(page uint32) int {
	switch {
	case e.next(page):
		return e.to
	case page == e.page && page > firstPage:
		return e.from
	default:
		return 0
	}
}

func newLedger[Addr comparable]() ledger[Addr] {
	return ledger[Addr]{entries: make(map[Addr]trace)}
}

// set enters or replaces what is remembered of an address.
func (l *ledger[Addr]) set(at Addr, e trace) {
	if _, known := l.entries[at]; !known {
		if len(l.order) < ledgerSize {
			l.order = append(l.order, at)
		} else {
			l.next = int(uint(l.next) % ledgerSize)
			delete(l.entries, l.order[l.next])
			l.order[l.next] = at
			l.next = (l.next + 1) % ledgerSize
		}
	}
	l.entries[at] = e
}

// recent reports whether something was done to an address less than so long
// ago.
func (l *ledger[Addr]) recent(at Addr, now Instant, within time.Duration) bool {
	e, known := l.entries[at]
	since := now.Sub(e.at)
	return known && since >= 0 && since < within
}

// note remembers that something was done to an address.
func (l *ledger[Addr]) note(at Addr, now Instant) { l.set(at, trace{at: now}) }

// ask remembers that a question was sent, and returns how many before it went
// unanswered.
func (l *ledger[Addr]) ask(at Addr, now Instant) uint8 {
	e := l.entries[at]
	if !e.open {
		e.count = 0
	}
	l.set(at, trace{at: now, count: e.count + 1, open: true})
	return e.count
}

// askedAt reports whether the last question to an address was sent at that
// instant and waits for its answer.
func (l *ledger[Addr]) askedAt(at Addr, when Instant) bool {
	e := l.entries[at]
	return e.open && e.at == when
}

// waits reports whether an address was asked lately: within a time that doubles
// with each question that went unanswered.
func (l *ledger[Addr]) waits(at Addr, now Instant, every time.Duration) bool {
	e := l.entries[at]
	since := now.Sub(e.at)
	return e.open && since >= 0 && since < every<<min(e.count, 10)
}

// take reports whether an answer was due from an address; another one is not.
func (l *ledger[Addr]) take(at Addr) bool {
	e := l.entries[at]
	if !e.open {
		return false
	}
	l.set(at, trace{at: e.at})
	return true
}

func (l *ledger[Addr]) clone() ledger[Addr] {
	return ledger[Addr]{entries: maps.Clone(l.entries), order: slices.Clone(l.order), next: l.next}
}
