package swim

import "encoding/binary"

// A Digest sums up whom a member knows: itself, and all whom it tells others are
// alive or suspect, with the versions of their metadata. Two members that know
// the same have the same digest, however they came to know it.
type Digest struct {
	Sum     uint64 // of hashes of identity and version, by exclusive or
	Members uint32 // how many these are; 0 if the sender does not say
	Settled bool   // none of it changed for as long as gossip takes
}

// same reports whether two digests are of the same members.
func (d Digest) same(other Digest) bool { return d.Sum == other.Sum && d.Members == other.Members }

// append appends a digest behind the byte that is its length.
func (d Digest) append(b []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint64(b, d.Sum)
	rest := uint64(d.Members) << 1
	if d.Settled {
		rest |= 1
	}
	b = binary.AppendUvarint(b, rest)
	b[at-1] = byte(len(b) - at)
	return b
}

// digest reads the field that holds a digest.
func (r *wireReader) digest() (d Digest) {
	if sum := r.take(8); sum != nil {
		d.Sum = binary.LittleEndian.Uint64(sum)
	}
	rest := r.uvarint(1<<33 - 1)
	d.Members, d.Settled = uint32(rest>>1), rest&1 != 0
	if d.Members == 0 || len(r.rest) > 0 {
		r.fail()
	}
	return d
}

// saysDigest reports whether a packet should carry our digest: each ping does, and
// its ack if the ping did.
func (c *Core[ID, Addr]) saysDigest(h *Header[ID]) bool {
	if !h.Message.hasDigest() || h.SrcState != Alive || !c.synchronises() {
		return false
	}
	return h.Message == MessagePing || c.in.Header.Digest.Members != 0
}

// A view is the digest of what we know as it is kept up: a member that changed
// is only noted, and what it adds to the sum is worked out when somebody asks.
// Each member's part in the sum lies beside its record, to be taken out again.
type view struct {
	sum     uint64
	members uint32
	again   uint64   // both, for comparison: if they differ, one is wrong
	stale   []uint32 // slots whose part may be wrong
	changed Instant  // when the sum did last
	ours    uint64   // our own part
	known   bool     // it is right
}

// mark follows from what there is only once in a view.
func (v *view) mark() uint64 { return ^v.sum + uint64(v.members) }

// stir notes that a member may count for something else than before.
func (c *Core[ID, Addr]) stir(slot uint32) {
	if !c.synchronises() {
		return
	}
	if len(c.view.stale) > int(c.roster.slots) {
		c.digest() // slots were used again while nobody asked
	}
	if r := c.roster.at(slot); r.flags&isStirred == 0 {
		r.flags |= isStirred
		c.view.stale = append(c.view.stale, slot)
	}
}

// stirAll notes that nothing is in the digest yet: it was switched off.
func (c *Core[ID, Addr]) stirAll() {
	for slot := range c.roster.each {
		c.stir(slot)
	}
	c.view.known = false
}

// unsee takes a member that is removed out of the digest.
func (c *Core[ID, Addr]) unsee(slot uint32) {
	if planted != keepInDigest {
		c.see(&c.roster.times(slot).part, 0)
	}
}

// digestKey is the key of the hashes in a digest, which all members have to
// share. Whoever finds members whose hashes cancel out can hide a difference
// from this, and from nothing else.
var digestKey sketchKey

// partOf is what a member adds to the sum; never 0.
func (c *Core[ID, Addr]) partOf(id ID, metadata uint64) uint64 {
	return max(c.symbol(digestKey, id, metadata), 1)
}

// due is what the record of a member should add to the sum.
func (c *Core[ID, Addr]) due(r *record[ID]) uint64 {
	if !r.counts() {
		return 0
	}
	return c.partOf(r.id, r.meta)
}

// symbol is what stands for a member in a digest or sketch.
func (c *Core[ID, Addr]) symbol(key sketchKey, id ID, metadata uint64) uint64 {
	c.key = c.codec.AppendID(c.key[:0], id)
	c.key = binary.LittleEndian.AppendUint64(c.key, metadata)
	return key.symbol(c.key)
}

// counts reports whether a member is in the digest: what we tell others of it is
// that it takes part.
func (r *record[ID]) counts() bool { return r.flags&isKnown != 0 && r.state.Active() }

// see replaces a part of the sum.
func (c *Core[ID, Addr]) see(part *uint64, by uint64) {
	if *part == by {
		return
	}
	v := &c.view
	if *part != 0 {
		v.members--
	}
	if by != 0 {
		v.members++
	}
	v.sum ^= *part ^ by
	v.again = v.mark()
	v.changed = c.now
	*part = by
}

// digest returns the digest of what we know now.
func (c *Core[ID, Addr]) digest() Digest {
	v := &c.view
	if v.again != v.mark() {
		c.recountView()
	}
	if !v.known {
		v.known = true
		c.see(&v.ours, c.partOf(c.us.id, c.us.meta))
	}
	for _, slot := range v.stale {
		r := c.roster.at(slot)
		r.flags &^= isStirred
		c.see(&c.roster.times(slot).part, c.due(r))
	}
	v.stale = v.stale[:0]
	return Digest{Sum: v.sum, Members: v.members, Settled: c.now.Sub(v.changed) >= c.size().spread}
}
