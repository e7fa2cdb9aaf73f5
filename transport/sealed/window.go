package sealed

// windowWords is how many words of 64 counters a window has. The last one is
// only partly used, so it remembers between 1,025 and 1,088 counters.
const windowWords = 17

// A window says which counters of a session came, as RFC 6479 does it: a ring
// of bits that moves on a word at a time. What is older than it reaches counts
// as seen.
type window struct {
	next  uint64 // one more than the highest that came
	words [windowWords]uint64
}

// seen reports whether a counter came before, or may have.
func (w *window) seen(counter uint64) bool {
	switch {
	case counter >= w.next:
		return false
	case counter/64+windowWords <= (w.next-1)/64:
		return true
	case planted == refuseLate && counter+4 < w.next:
		return true
	}
	return w.words[counter/64%windowWords]&(1<<(counter%64)) != 0
}

// mark notes that a counter came. It must not have been seen.
func (w *window) mark(counter uint64) {
	if counter >= w.next {
		now := uint64(0) // the word that the highest counter is in
		if w.next > 0 {
			now = (w.next - 1) / 64
		}
		for i := range min(counter/64-now, windowWords) {
			w.words[(now+1+i)%windowWords] = 0
		}
		w.next = counter + 1
	}
	w.words[counter/64%windowWords] |= 1 << (counter % 64)
}
