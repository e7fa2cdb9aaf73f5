package swim

import (
	"math/bits"
	"math/rand/v2"
)

// below draws a number from 0 to n-1. It is written out here because rand.Rand
// promises neither the same numbers on machines of 32 and of 64 bits nor in
// the next release of Go, and a seed is to mean the same everywhere. The bias
// is n in 2^64.
func below(rnd *rand.Rand, n uint64) uint64 {
	x := rnd.Uint64()
	if n&(n-1) == 0 {
		return x & (n - 1)
	}
	high, _ := bits.Mul64(x, n)
	return high
}
