package swim

import (
	"math/bits"
	"time"
)

// powersOfE are e^0, e^1, … rounded down. Whole numbers keep the result the
// same on every machine.
var powersOfE = [...]uint64{
	1, 2, 7, 20, 54, 148, 403, 1096, 2980, 8103, 22026, 59874, 162754, 442413, 1202604,
	3269017, 8886110, 24154952, 65659969, 178482300, 485165195, 1318815734, 3584912846,
}

// at returns the value of the scale for n members.
func (s Scale) at(n int) int {
	want := uint64(n) + 1
	power := 0
	switch s.Base {
	case BaseE:
		for power < len(powersOfE)-1 && powersOfE[power] < want {
			power++
		}
	default:
		for reach := uint64(1); reach < want; reach *= 10 {
			power++
		}
	}
	return min(max(s.Factor*power, s.Least), MaxTransmissions)
}

// logUnit is one in the fixed-point numbers of log10.
const logUnit = 1 << 16

// log10 returns the decimal logarithm of n in units of 1/logUnit, computed in
// whole numbers so that it is the same on every machine.
func log10(n int) int64 {
	if n <= 1 {
		return 0
	}
	// The integer part of the binary logarithm is a bit length. Squaring what
	// is left, a number from 1 to 2, gives one more bit each time.
	whole := bits.Len64(uint64(n)) - 1
	x := uint64(n) << (63 - whole) // in units of 2^-63
	log2 := int64(whole)
	for range 16 {
		hi, _ := bits.Mul64(x, x) // in units of 2^-62
		log2 <<= 1
		if hi>>63 != 0 {
			log2++
			x = hi
		} else {
			x = hi << 1
		}
	}
	const log10of2 = 1292913986 // log10(2) · 2^32
	hi, lo := bits.Mul64(uint64(log2), log10of2)
	return int64(hi<<32 | lo>>32)
}

// suspicionTime is how long a suspect may refute among n members:
// max(1, log10 n) · factor · period.
func suspicionTime(n, factor int, period time.Duration) time.Duration {
	base := uint64(factor) * uint64(period)
	hi, lo := bits.Mul64(base, uint64(max(logUnit, log10(n))))
	scaled, _ := bits.Div64(hi, lo, logUnit)
	return time.Duration(scaled)
}

// longestTime is the longest time that anything is put off.
const longestTime = time.Duration(1) << 62

// multiple returns so many times d, or the longest time there is.
func multiple(d time.Duration, n int) time.Duration {
	if hi, lo := bits.Mul64(uint64(d), uint64(n)); hi == 0 && lo < uint64(longestTime) {
		return time.Duration(lo)
	}
	return longestTime
}

// spreadTime is how long gossip takes to reach n members, at one round every
// so often: it doubles those who know in each.
func spreadTime(n int, round time.Duration) time.Duration {
	return time.Duration(bits.Len(uint(n))) * round
}
