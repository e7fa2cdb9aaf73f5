package swim

import (
	"bytes"
	"math/bits"
)

// The accusers of one member are a set: of each address the latest life, cut to
// the smallest in the canonical order, so that all members end with the same.
type accusers[ID any] struct {
	by   [MaxAccusers]ID // in the order in which we learnt of them
	n    uint8
	told uint8 // bits of those of whom we know by gossip or by ourselves
}

// confirmed is how many members confirmed what the first accuser said. Those
// of whom a feed or our owner told do not count: synchronising repeats what
// somebody once heard, perhaps long ago.
func (a *accusers[ID]) confirmed() int {
	if planted == confirmAtOnce {
		return MaxAccusers
	}
	return max(0, bits.OnesCount8(a.told)-1)
}

// accuse adds accusers to those of a suspect or down member, and reports
// whether there are more of them. A member does not accuse itself; and whether
// we do is for us to say.
func (c *Core[ID, Addr]) accuse(d *doubt[ID, Addr], accused ID, by []ID, o origin) (more bool) {
	for _, id := range by {
		if id == c.us.id || id.Addr() == accused.Addr() {
			continue
		}
		more = c.addAccuser(d, id, o.confirms()) || more
	}
	return more
}

// addAccuser keeps the accusers a set. It reports whether that is worth telling:
// that there are more of them, as long as more can matter to anybody. Whether we
// were told of an accuser, which confirms the suspicion, or only synchronised,
// is beside that.
func (c *Core[ID, Addr]) addAccuser(d *doubt[ID, Addr], id ID, told bool) (more bool) {
	at, is := c.accuserPlace(d, id)
	if at < 0 {
		return false
	}
	if !is {
		d.by[at] = id
		if more = at == int(d.n); more {
			d.n++
		}
	}
	if told {
		d.told |= 1 << at
	}
	return more && at < c.accusersThatMatter()
}

// accusersThatMatter is how many accusers of a member can make a difference: as
// many as confirm a suspicion, and two where a verdict takes two.
func (c *Core[ID, Addr]) accusersThatMatter() int {
	matter := 1 + max(c.cfg.Confirmations, 0)
	if !c.cfg.Rules.SoleVerdict {
		matter = max(matter, 2)
	}
	return matter
}

// accuserPlace returns where an accuser is, or else where it has to be written;
// -1 if it has no place among the accusers.
func (c *Core[ID, Addr]) accuserPlace(d *doubt[ID, Addr], id ID) (at int, is bool) {
	for i, known := range d.by[:min(d.n, MaxAccusers)] {
		if known == id {
			return i, true
		}
		if known.Addr() == id.Addr() && planted != countLivesAsAccusers {
			return i, !id.Supersedes(known)
		}
	}
	if d.n < MaxAccusers {
		return int(d.n), false
	}
	// The last one in the canonical order makes way, if the new one comes before it.
	at, last := -1, id
	for i, known := range d.by {
		if c.canonicalLess(last, known) {
			at, last = i, known
		}
	}
	return at, false
}

// canonicalLess orders identities the same way at every member.
func (c *Core[ID, Addr]) canonicalLess(a, b ID) bool {
	c.key = c.codec.AppendID(c.key[:0], a)
	middle := len(c.key)
	c.key = c.codec.AppendID(c.key, b)
	return bytes.Compare(c.key[:middle], c.key[middle:]) < 0
}
