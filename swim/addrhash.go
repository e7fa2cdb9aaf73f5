package swim

import (
	"hash/maphash"
	"math/bits"
)

// newHash returns a hash of addresses for an index. It differs from process to
// process, so that nobody can choose addresses that collide. It can not reach
// an output: it decides the places of entries in the index, which is searched
// for one address at a time and never gone through.
func newHash[Addr comparable]() func(at Addr) uint32 {
	seed := maphash.MakeSeed()
	if own, ok := any(newAddrHash(seed)).(func(at Addr) uint32); ok {
		return own
	}
	if own, ok := any(newWordHash(seed)).(func(at Addr) uint32); ok {
		return own
	}
	return func(at Addr) uint32 { return uint32(maphash.Comparable(seed, at)) }
}

// newWordHash returns the hash of addresses that are numbers, as those of a
// simulated cluster are, in the way of newAddrHash.
func newWordHash(seed maphash.Seed) func(at uint32) uint32 {
	keys := [2]uint64{maphash.Comparable(seed, 0), maphash.Comparable(seed, 1) | 1}
	return func(at uint32) uint32 {
		hi, lo := bits.Mul64(uint64(at)^keys[0], keys[1])
		return uint32((hi ^ lo) * 0x9e3779b97f4a7c15 >> 32)
	}
}

// newAddrHash returns the hash of the ready-made addresses: two products of
// words that are hidden by random keys, each folded in half, and a third that
// spreads what differs in few bits, as ports do, whatever the keys. It takes
// less than a third of the time that a hash for any type does.
func newAddrHash(seed maphash.Seed) func(at Addr) uint32 {
	var keys [4]uint64
	for i := range keys {
		keys[i] = maphash.Comparable(seed, i) | 1
	}
	return func(at Addr) uint32 {
		hi, lo := bits.Mul64(at.hi^keys[0], at.lo^keys[1])
		rest := uint64(at.zone)<<32 | uint64(at.port)
		hi, lo = bits.Mul64(hi^lo^keys[2], rest^keys[3])
		return uint32((hi ^ lo) * 0x9e3779b97f4a7c15 >> 32)
	}
}
