package swim

import "slices"

// An entry of a [heap] refers to something that is wanted at an instant.
type entry struct {
	at   Instant
	rank uint64 // who comes first among those of one instant
	ref  uint32 // what it is about; the heap does not look at it
}

// before reports whether e comes out of a heap before f.
func (e entry) before(f entry) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	return e.rank < f.rank
}

// arity is the number of children of each place of a [heap]. Four of them
// share one or two cache lines, so a heap of four ways is half as deep as one
// of two at little more cost a level.
const arity = 4

// A heap hands out entries by instant, then rank. It is not container/heap,
// which allocates for every entry that goes in or out. The zero value is
// empty.
type heap struct {
	entries []entry
}

func (h *heap) len() int { return len(h.entries) }

// clone returns a heap of its own with the same entries.
func (h *heap) clone() heap { return heap{slices.Clone(h.entries)} }

// top returns the first entry, if there is any.
func (h *heap) top() (entry, bool) {
	if len(h.entries) == 0 {
		return entry{}, false
	}
	return h.entries[0], true
}

func (h *heap) push(at Instant, rank uint64, ref uint32) {
	e := entry{at, rank, ref}
	h.entries = append(h.entries, e)
	i := len(h.entries) - 1
	for i > 0 {
		parent := (i - 1) / arity
		if !e.before(h.entries[parent]) {
			break
		}
		h.entries[i] = h.entries[parent]
		i = parent
	}
	h.entries[i] = e
}

// pop removes the first entry and returns it. The heap must not be empty.
func (h *heap) pop() entry {
	first := h.entries[0]
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries = h.entries[:last]
	if last > 0 {
		h.sink(e)
	}
	return first
}

// sink puts e where it belongs, the first place being vacant.
func (h *heap) sink(e entry) {
	i := 0
	for {
		child := i*arity + 1
		if child >= len(h.entries) {
			break
		}
		least := child
		for c := child + 1; c < min(child+arity, len(h.entries)); c++ {
			if h.entries[c].before(h.entries[least]) {
				least = c
			}
		}
		if !h.entries[least].before(e) {
			break
		}
		h.entries[i] = h.entries[least]
		i = least
	}
	h.entries[i] = e
}
