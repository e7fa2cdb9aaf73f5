package sim

import (
	"math/bits"
	"time"
)

// A Latency is a distribution of times: usually Typical, seldom Tail.
type Latency struct {
	Shape   Shape
	Typical time.Duration
	Tail    time.Duration // the 99th percentile, where the shape has one
}

// A Shape says how a [Latency] is distributed.
type Shape uint8

// The shapes.
const (
	Constant    Shape = iota // always Typical
	Exponential              // Typical is the mean; its tail follows from that
	Lognormal                // Typical is the median, Tail the 99th percentile
	Pareto                   // Typical is the least, Tail the 99th percentile; what lies beyond can be long
	Bimodal                  // Typical nine times in ten, else Tail
)

var shapeNames = [...]string{"constant", "exponential", "lognormal", "pareto", "bimodal"}

// String returns the shape in lower case.
func (s Shape) String() string {
	if int(s) < len(shapeNames) {
		return shapeNames[s]
	}
	return "unknown shape"
}

// longest bounds what a latency may draw: the tail of Pareto has no end.
const longest = time.Hour

// A sampler draws from a latency. Exponents and logarithms are whole numbers
// in units of 1/one, because those of the machine differ from one to the other.
type sampler struct {
	of    Latency
	ratio int64 // log2(Tail/Typical)
}

// one is the unit of logarithms.
const one = 1 << 16

// draw returns a time distributed like l.
func (s *sampler) draw(l Latency, d *dice) time.Duration {
	if s.of != l {
		s.of = l
		s.ratio = 0
		if l.Typical > 0 && l.Tail > l.Typical {
			s.ratio = log2(uint64(l.Tail)) - log2(uint64(l.Typical))
		}
	}
	switch l.Shape {
	case Exponential:
		const log2e = 94548 // log2(e)·one
		hi, lo := bits.Mul64(uint64(l.Typical), uint64(surprise(d)))
		times, _ := bits.Div64(hi, lo, log2e)
		return min(time.Duration(times), longest)
	case Lognormal:
		return s.stretch(normal(d))
	case Pareto:
		const log100 = 435412 // log2(100)·one
		return s.stretch(surprise(d) * one / log100)
	case Bimodal:
		if d.below(10) == 0 {
			return l.Tail
		}
	}
	return l.Typical
}

// stretch returns Typical·(Tail/Typical)^power.
func (s *sampler) stretch(power int64) time.Duration {
	return scale(s.of.Typical, s.ratio*power/one)
}

// surprise draws log2(1/u) for a uniform u.
func surprise(d *dice) int64 {
	return 64*one - log2(d.src.Uint64()|1)
}

// normal draws from the normal distribution, in units of its 99th percentile.
func normal(d *dice) int64 {
	u := d.src.Uint64()
	i := u >> (64 - 8) // which of the 256 steps between two quantiles
	part := int64(u >> 16 & (one - 1))
	half := quantiles[i] + (quantiles[i+1]-quantiles[i])*part/one
	if u&1 == 0 {
		return -half
	}
	return half
}

// scale returns t·2^power.
func scale(t time.Duration, power int64) time.Duration {
	whole, part := power>>16, power&(one-1)
	hi, lo := bits.Mul64(coarse[part>>8], fine[part&255])
	hi, lo = bits.Mul64(uint64(t), hi<<32|lo>>32)
	if hi>>31 != 0 {
		return longest
	}
	scaled := hi<<32 | lo>>32
	switch {
	case whole >= 0 && (whole > 40 || scaled > uint64(longest)>>min(whole, 40)):
		return longest
	case whole >= 0:
		return time.Duration(scaled << whole)
	case whole < -62:
		return 0
	default:
		return time.Duration(scaled >> -whole)
	}
}

// log2 returns the binary logarithm of x, which is not 0, in units of 1/one.
func log2(x uint64) int64 {
	whole := bits.Len64(x) - 1
	x <<= 63 - whole
	log := int64(whole)
	for range 16 {
		hi, lo := bits.Mul64(x, x)
		log <<= 1
		if hi>>63 != 0 {
			log++
			x = hi
		} else {
			x = hi<<1 | lo>>63
		}
	}
	return log
}

// quantiles of the half-normal distribution at 0/256, 1/256, …, in units of the
// 99th percentile of the normal one, and of 1/one. The last stands for the
// whole tail.
var quantiles = [257]int64{
	0, 138, 276, 414, 552, 690, 828, 966, 1104, 1242, 1380, 1518, 1656, 1794, 1932, 2071,
	2209, 2347, 2486, 2624, 2763, 2901, 3040, 3179, 3318, 3457, 3596, 3735, 3874, 4013, 4153, 4292,
	4432, 4571, 4711, 4851, 4991, 5131, 5272, 5412, 5553, 5693, 5834, 5975, 6116, 6257, 6399, 6540,
	6682, 6824, 6966, 7109, 7251, 7394, 7537, 7680, 7823, 7966, 8110, 8254, 8398, 8542, 8687, 8831,
	8976, 9122, 9267, 9413, 9559, 9705, 9852, 9998, 10145, 10293, 10440, 10588, 10736, 10885, 11033, 11182,
	11332, 11482, 11632, 11782, 11933, 12084, 12235, 12387, 12539, 12691, 12844, 12997, 13151, 13305, 13459, 13614,
	13769, 13925, 14081, 14238, 14395, 14552, 14710, 14868, 15027, 15186, 15346, 15506, 15667, 15828, 15990, 16152,
	16315, 16478, 16642, 16807, 16972, 17137, 17304, 17470, 17638, 17806, 17975, 18144, 18314, 18485, 18656, 18828,
	19001, 19175, 19349, 19524, 19700, 19876, 20053, 20232, 20410, 20590, 20771, 20952, 21134, 21318, 21502, 21687,
	21873, 22060, 22248, 22436, 22626, 22817, 23009, 23202, 23396, 23592, 23788, 23986, 24185, 24385, 24586, 24788,
	24992, 25197, 25403, 25611, 25820, 26031, 26243, 26457, 26672, 26889, 27107, 27327, 27549, 27772, 27997, 28224,
	28453, 28683, 28916, 29150, 29387, 29626, 29867, 30110, 30355, 30603, 30853, 31105, 31360, 31618, 31878, 32141,
	32407, 32675, 32947, 33222, 33500, 33782, 34066, 34355, 34647, 34942, 35242, 35546, 35853, 36166, 36482, 36804,
	37130, 37461, 37798, 38140, 38488, 38841, 39201, 39568, 39941, 40321, 40709, 41105, 41509, 41922, 42344, 42776,
	43218, 43671, 44135, 44612, 45102, 45606, 46125, 46661, 47213, 47785, 48376, 48990, 49628, 50293, 50987, 51713,
	52475, 53278, 54127, 55027, 55988, 57019, 58132, 59344, 60677, 62162, 63842, 65786, 68106, 71006, 74937, 81292,
	96854,
}

// coarse are 2^(i/256), fine 2^(i/65536), in units of 2^-32.
var coarse, fine = powers(roots[:8]), powers(roots[8:])

// powers returns the products of all choices of eight roots, the first for the
// highest bit of the index.
func powers(roots []uint64) (all [256]uint64) {
	for i := range all {
		all[i] = 1 << 32
		for bit, root := range roots {
			if i>>(7-bit)&1 != 0 {
				hi, lo := bits.Mul64(all[i], root)
				all[i] = hi<<32 | lo>>32
			}
		}
	}
	return all
}

// roots are 2^(1/2), 2^(1/4), 2^(1/8), …, in units of 2^-32.
var roots = [16]uint64{
	6074001000, 5107605667, 4683695048, 4485121744, 4389014833, 4341736423,
	4318288544, 4306612134, 4300785774, 4297875550, 4296421177, 4295694175,
	4295330720, 4295149004, 4295058149, 4295012722,
}
