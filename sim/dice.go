package sim

import (
	"math/bits"
	"math/rand/v2"
	"time"
)

// dice is a stream of randomness for one purpose. Purposes have streams of
// their own, so that what is taken away from a run does not change the luck of
// what remains. Draws are written out in whole numbers: a seed means the same on
// every machine and after every release of Go.
type dice struct{ src rand.PCG }

// roll returns the stream for a purpose, which a name and some numbers say.
func roll(seed uint64, purpose string, numbers ...uint64) *dice {
	a, b := label(seed, purpose, numbers...)
	d := &dice{}
	d.src.Seed(a, b)
	return d
}

// label mixes a seed and a purpose into the two words that seed a stream.
func label(seed uint64, purpose string, numbers ...uint64) (a, b uint64) {
	h := mix(seed, 0x5e1c1e)
	for i := range len(purpose) {
		h = mix(h, uint64(purpose[i]))
	}
	for _, n := range numbers {
		h = mix(h, n)
	}
	return h, mix(h, 1)
}

// mix folds a word into a hash.
func mix(h, word uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, word^0xd1342543de82ef95)
	return hi ^ lo ^ bits.RotateLeft64(h, 23)
}

// below draws a number from 0 to n-1; 0 if there is none.
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.src.Uint64(), uint64(max(n, 1)))
	return int(high)
}

// between draws a number from least to most.
func (d *dice) between(least, most int) int { return least + d.below(most-least+1) }

// hit reports whether something of that probability happens.
func (d *dice) hit(p float64) bool {
	return p > 0 && d.src.Uint64()>>11 < uint64(p*(1<<53))
}

// duration draws a time from least to most.
func (d *dice) duration(least, most time.Duration) time.Duration {
	high, _ := bits.Mul64(d.src.Uint64(), uint64(max(most-least, 0))+1)
	return least + time.Duration(high)
}

// shuffle puts n things into a random order.
func (d *dice) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, d.below(i+1))
	}
}
