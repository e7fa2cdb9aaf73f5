package swim

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// A sketchKey is what two members hash with for one exchange. Nobody else
// knows it, so nobody can choose identities whose symbols get into each
// other's way.
type sketchKey [2]uint64

// symbol returns what stands for data in a sketch: its SipHash-2-4.
func (k sketchKey) symbol(data []byte) uint64 {
	s := newSip(k)
	last := uint64(len(data)) << 56
	for ; len(data) >= 8; data = data[8:] {
		word := binary.LittleEndian.Uint64(data)
		s.v3 ^= word
		s.round()
		s.round()
		s.v0 ^= word
	}
	for i, b := range data {
		last |= uint64(b) << (8 * i)
	}
	s.v3 ^= last
	s.round()
	s.round()
	s.v0 ^= last
	s.v2 ^= 0xff
	for range 4 {
		s.round()
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// check returns a second hash of a symbol: SipHash-1-3 under another key. Cells
// of several symbols pass for those of one only if the checks, too, add up to
// that of the sum. That need only be improbable: the peer knows the key anyway.
func (k sketchKey) check(symbol uint64) uint64 {
	const last = 8 << 56 // its length, in bytes
	s := newSip(sketchKey{^k[0], ^k[1]})
	s.v3 ^= symbol
	s.round()
	s.v0 ^= symbol
	s.v3 ^= last
	s.round()
	s.v0 ^= last
	s.v2 ^= 0xff
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// A sip is the state of a SipHash, as Aumasson and Bernstein describe it.
type sip struct{ v0, v1, v2, v3 uint64 }

// newSip returns the state before the first word: the key, twice, and
// "somepseudorandomlygeneratedbytes".
func newSip(k sketchKey) sip {
	return sip{k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d, k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573}
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v2 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v2 += s.v1
	s.v0 = bits.RotateLeft64(s.v0, 32) + s.v3
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

// A cell is the sum of some of the symbols of a set, or the difference of two
// such sums, in which what both sets have cancels out.
type cell struct {
	sum   uint64 // of the symbols, by exclusive or
	check uint32 // of the lower halves of their checks, likewise
	// count is how many symbols, modulo 256, and negative if more were
	// subtracted. It only tells a single one from several, of which the check
	// has the last word.
	count int8
}

// put adds what counts for that many symbols.
func (c *cell) put(sum, check uint64, count int8) {
	c.sum ^= sum
	c.check ^= uint32(check)
	c.count += count
}

// single reports whether a cell may hold one symbol alone.
func (c *cell) single() bool { return c.count == 1 || c.count == -1 }

// A walk goes through the cells that a symbol is in: cell 0 and ever fewer of
// those that follow, cell i with probability 1/(1+i/2). Of d symbols about
// 1.4 d cells know enough, whatever d is, so that whoever does not know d sends
// cells until they suffice ("Practical Rateless Set Reconciliation", 2024).
type walk struct {
	at    uint64 // the cell
	state uint64 // of the random numbers to come; at cell 0 the symbol's check
}

// step goes on to the next cell.
func (w *walk) step() {
	// One word of state and two products are random enough (SplitMix64).
	w.state += 0x9e3779b97f4a7c15
	r := w.state
	r = (r ^ r>>30) * 0xbf58476d1ce4e5b9
	r = (r ^ r>>27) * 0x94d049bb133111eb
	w.at = after(w.at, r^r>>31)
}

// after returns the cell that follows cell i if chance is r, which is uniform.
//
// None of the cells from i+1 to n is next with probability (1-2/(i+3)) ...
// (1-2/(n+2)), which is (i+1)(i+2) / ((n+1)(n+2)). So the next one is the first
// n for which that is less than r/2^64: n+1 times n+2 exceeds q. All machines
// must agree on it, so the root, in floating point, is only a guess: right in 99
// of 100 cases, else too high, by more than it is rounded by.
func after(i, r uint64) uint64 {
	c := (i + 1) * (i + 2)
	if r>>2 <= c {
		return math.MaxUint64 // n is more than 2^30, behind the cells of all sketches
	}
	q, _ := bits.Div64(c, 0, r)
	n := uint64(int64(math.Sqrt(float64(int64(q))+0.25) - 0.49))
	for n*(n+1) > q {
		n--
	}
	return n
}

// A sketch is the beginning of the endless row of cells of a set. It is linear:
// symbols may come in any order, and the difference of the sketches of two sets is
// the sketch of what they do not share.
type sketch struct {
	key   sketchKey
	cells []cell // at most 2^30
}

// add puts a symbol into its cells. It must not be in them yet: a symbol that
// is in a sketch twice can not be found again.
func (s *sketch) add(symbol uint64) {
	check := s.key.check(symbol)
	for w := (walk{state: check}); w.at < uint64(len(s.cells)); w.step() {
		s.cells[w.at].put(symbol, check, 1)
	}
}

// subtract makes cells the difference to others of the same key and place, of
// which there are as many at least.
func subtract(cells, others []cell) {
	for i := range cells {
		c := &others[i]
		cells[i].put(c.sum, uint64(c.check), -c.count)
	}
}

// A peeler finds the symbols of a difference. It keeps its memory, of a size
// that depends on the number of cells alone, from one to the next.
type peeler struct {
	ours, theirs []uint64 // what was found, until the next peel

	key     sketchKey
	cells   []cell   // without what was found
	waiting []uint32 // the cells to look at, each once
	stages  []uint8  // of each cell, how far we are with it
}

const (
	peelIdle    = iota
	peelWaiting // it is to be looked at
	peelSpent   // a symbol was found in it, and it is empty for good
)

// peel looks for the symbols of a difference of which we have the cells from 0
// on, and reports whether it found all: nothing is left in any cell. Else what
// it found is right, too, and more cells find more, unless the peer sent
// nonsense. The cells stay as they are.
//
// Symbols come from cells that hold a single one, which is then taken out of
// its other cells, whereupon more of them hold a single one. A cell yields one
// symbol at most, so that this ends however the cells came about.
func (p *peeler) peel(key sketchKey, cells []cell) bool {
	p.key, p.cells, p.waiting = key, append(p.cells[:0], cells...), p.waiting[:0]
	p.stages = slices.Grow(p.stages[:0], len(cells))[:len(cells)]
	clear(p.stages)
	p.ours, p.theirs = p.ours[:0], p.theirs[:0]
	for i := range p.cells {
		p.wait(uint64(i))
	}
	for last := len(p.waiting) - 1; last >= 0; last = len(p.waiting) - 1 {
		i := p.waiting[last]
		p.waiting = p.waiting[:last]
		p.stages[i] = peelIdle
		if !p.find(i) {
			return false
		}
	}
	// No cells tell nothing.
	return len(cells) > 0 && !slices.ContainsFunc(p.cells, func(c cell) bool { return c != cell{} })
}

// wait makes a cell one to look at, if it may hold a single symbol.
func (p *peeler) wait(i uint64) {
	if p.cells[i].single() && p.stages[i] == peelIdle {
		p.stages[i] = peelWaiting
		p.waiting = append(p.waiting, uint32(i))
	}
}

// find takes the symbol of a cell that holds a single one out of all cells. It
// reports false if the cells can not be a difference.
func (p *peeler) find(i uint32) bool {
	c := p.cells[i]
	check := p.key.check(c.sum)
	if !c.single() || c.check != uint32(check) {
		return true // several symbols, at least for now
	}
	if !p.remove(c, check) || p.cells[i] != (cell{}) {
		return false // the symbol was found before, or does not belong here
	}
	p.stages[i] = peelSpent
	if c.count > 0 {
		p.ours = append(p.ours, c.sum)
	} else {
		p.theirs = append(p.theirs, c.sum)
	}
	return true
}

// remove takes a symbol out of its cells. It reports false if one of them is
// spent: whose symbol was found and taken out, and is all it ever held.
func (p *peeler) remove(c cell, check uint64) bool {
	for w := (walk{state: check}); w.at < uint64(len(p.cells)); w.step() {
		if p.stages[w.at] == peelSpent {
			return false
		}
		p.cells[w.at].put(c.sum, check, -c.count)
		p.wait(w.at)
	}
	return true
}
