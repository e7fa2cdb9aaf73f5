package sim

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A Change is what one input changed about one record of a node, its own
// included.
type Change struct {
	Before, After       swim.Update[ID] // as told to others
	Knew, Knows         bool            // whether there was, and is, a record
	LoneBefore, LoneNow bool            // down for the owner alone
}

// About returns the address of the member.
func (c *Change) About() uint32 {
	if c.Knows {
		return c.After.ID.Node
	}
	return c.Before.ID.Node
}

// corroborates reports whether nothing changed but who accuses, or what the
// member says about itself.
func (c *Change) corroborates() bool {
	before, after := c.Before.Member, c.After.Member
	before.Metadata = after.Metadata
	return c.Knew && c.Knows && before == after && c.LoneBefore == c.LoneNow
}

// String returns the record before and after.
func (c Change) String() string {
	before, after := "unknown", "forgotten"
	if c.Knew {
		before = version(c.Before, c.LoneBefore)
	}
	if c.Knows {
		after = version(c.After, c.LoneNow)
	}
	if c.Knew && c.Knows && c.Before.Metadata != c.After.Metadata {
		after += fmt.Sprintf(" metadata %d", c.After.Metadata)
	}
	return before + " => " + after
}

func version(u swim.Update[ID], lone bool) string {
	if lone {
		return u.String() + ", lone"
	}
	return u.String()
}

// A diary notes how the records of a node change while somebody reads along.
// It compares all of them after every input, which nobody does who is in a
// hurry.
type diary struct {
	open        bool // the records before are known
	before, now []entered
}

// entered is a record in a diary.
type entered struct {
	member swim.Member[ID]
	by     [swim.MaxAccusers]ID
	n      int
	lone   bool
}

// begin opens the diary of a process that knows nobody yet.
func (d *diary) begin(open bool) { d.open, d.before = open, d.before[:0] }

// compare emits what changed since the last time. Somebody who begins to read
// in the middle is not told everything that was known before.
func (d *diary) compare(n *Node) {
	d.now = d.now[:0]
	for u := range n.core.State() {
		e := entered{member: u.Member}
		e.n = copy(e.by[:], u.By)
		if u.State == swim.Suspect {
			m, known := n.core.Member(u.ID.Node)
			e.lone = known && m.State == swim.Down
		}
		d.now = append(d.now, e)
	}
	if d.open && !slices.Equal(d.before, d.now) {
		d.emit(n, byAddress(d.before), byAddress(d.now))
	}
	d.open = true
	d.before, d.now = d.now, d.before
}

func byAddress(list []entered) []entered {
	return slices.SortedFunc(slices.Values(list), func(a, b entered) int { return cmp.Compare(a.member.ID.Node, b.member.ID.Node) })
}

// emit walks both lists at once, which are in the order of addresses.
func (d *diary) emit(n *Node, before, now []entered) {
	for len(before) > 0 || len(now) > 0 {
		var c Change
		first := func(a, b []entered) bool {
			return len(a) > 0 && (len(b) == 0 || a[0].member.ID.Node <= b[0].member.ID.Node)
		}
		old, young := first(before, now), first(now, before)
		if old {
			c.Before, c.LoneBefore, c.Knew = before[0].update(), before[0].lone, true
		}
		if young {
			c.After, c.LoneNow, c.Knows = now[0].update(), now[0].lone, true
		}
		if !old || !young || before[0] != now[0] {
			n.world.emit(Event{Node: n.number, Kind: EventChange, Cause: n.world.step, Change: c})
		}
		if old {
			before = before[1:]
		}
		if young {
			now = now[1:]
		}
	}
}

func (e *entered) update() swim.Update[ID] {
	return swim.Update[ID]{Member: e.member, By: e.by[:e.n]}
}
