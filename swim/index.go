package swim

import "slices"

// An index finds the slots that are filed under a hash. Several may be filed
// under one, so whoever looks something up compares what the slots hold.
//
// An entry of its table is hash<<32 | slot+1, and 0 is none. The place of an
// entry follows from the hash in it, so growing never looks at what the slots
// hold; a built-in map takes four times the memory and stands still twenty
// times longer when it grows. Nothing ever goes through the table from one end
// to the other, so that hashes decide speed and nothing else.
type index struct {
	table []uint64 // a power of two, at most three quarters full
	used  int
}

// leastTable is the size of the first table.
const leastTable = 16

func (x *index) clone() index { return index{slices.Clone(x.table), x.used} }

// seek returns the next slot that is filed under the hash, from place i of the
// table on, and the place to go on from. A search starts with the hash as its
// place.
func (x *index) seek(hash, i uint32) (slot, next uint32, ok bool) {
	mask := uint32(len(x.table) - 1)
	if x.used == 0 {
		return 0, 0, false
	}
	for {
		i &= mask
		e := x.table[i]
		i++
		if e == 0 {
			return 0, i, false
		}
		if uint32(e>>32) == hash {
			return uint32(e) - 1, i, true
		}
	}
}

// first returns the slot at the hash's own place if it is filed under the hash,
// else [none]: a guess that is right more often than not, and cheap.
func (x *index) first(hash uint32) uint32 {
	if x.used == 0 {
		return none
	}
	if e := x.table[hash&uint32(len(x.table)-1)]; uint32(e>>32) == hash {
		return uint32(e) - 1
	}
	return none
}

// insert files a slot, which must not be filed yet, under a hash.
func (x *index) insert(hash, slot uint32) {
	if 4*(x.used+1) > 3*len(x.table) {
		x.grow()
	}
	x.used++
	place(x.table, uint64(hash)<<32|uint64(slot+1))
}

// place puts an entry into the first vacant place from its own on.
func place(table []uint64, e uint64) {
	mask := uint32(len(table) - 1)
	i := uint32(e>>32) & mask
	for table[i] != 0 {
		i = (i + 1) & mask
	}
	table[i] = e
}

func (x *index) grow() {
	larger := make([]uint64, max(leastTable, 2*len(x.table)))
	for _, e := range x.table {
		if e != 0 {
			place(larger, e)
		}
	}
	x.table = larger
}

// remove takes out a slot, which must be filed under the hash. What follows it
// closes up, so that no marks are left which later searches would pass.
func (x *index) remove(hash, slot uint32) {
	mask := uint32(len(x.table) - 1)
	hole := hash & mask
	for x.table[hole] != uint64(hash)<<32|uint64(slot+1) {
		hole = (hole + 1) & mask
	}
	for i := hole; ; {
		i = (i + 1) & mask
		e := x.table[i]
		if e == 0 {
			break
		}
		// An entry may move back to the hole, unless its own place lies behind
		// the hole.
		if home := uint32(e>>32) & mask; (i-home)&mask >= (i-hole)&mask {
			x.table[hole] = e
			hole = i
		}
	}
	x.table[hole] = 0
	x.used--
}
