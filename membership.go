package selkie

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// An ID is one life of a member: the address it is reached at, and the
// generation that tells this life from the ones before it at that address.
type ID = swim.ID

// A State is what is believed about a member.
type State = swim.State

// The states of a member.
const (
	Alive   = swim.Alive   // it answers
	Suspect = swim.Suspect // it does not answer, and may still refute that
	Down    = swim.Down    // it was declared dead
	Left    = swim.Left    // it said goodbye
)

// A Member is what is known of one member at one moment. It is a value:
// nothing that happens later changes it.
type Member struct {
	ID ID
	// Incarnation counts how often this life had to say that it is alive.
	Incarnation uint64
	State       State
	// Since is when we learnt that this life is in this state.
	Since time.Time
	// Self marks ourselves.
	Self bool

	described *description // nil if it is not known
}

// Addr returns where the member is reached. At most one member has an address.
func (m Member) Addr() netip.AddrPort { return m.ID.Addr().AddrPort() }

// String returns the address and the state.
func (m Member) String() string { return fmt.Sprintf("%v %v", m.Addr(), m.State) }

// same reports whether two records say the same; Since is ours, not theirs.
func (m Member) same(o Member) bool {
	return m.ID == o.ID && m.Incarnation == o.Incarnation && m.State == o.State && m.described == o.described
}

// Members returns everybody we know, ourselves included, sorted by address:
// down and left members too, until they are forgotten. It is a snapshot, the
// same for every range over it, and takes no lock.
func (n *Node) Members() iter.Seq[Member] { return n.events.view().all() }

// Member returns the member that has or last had an address. It takes no lock.
func (n *Node) Member(at netip.AddrPort) (Member, bool) {
	id, err := swim.NewID(at, 0)
	if err != nil {
		return Member{}, false
	}
	return n.events.view().find(id.Addr())
}

// Self returns ourselves as the others are told.
func (n *Node) Self() Member { return n.events.view().self }

// pageSize bounds the members of one page. A change copies a page and the
// list of pages, so at 10,000 members this size makes both about equal.
const pageSize = 128

// A view is an immutable list of members sorted by address. It is cut into
// pages that views share, so that a change costs the square root of the size
// and not the size.
type view struct {
	pages [][]Member // none is empty
	size  int
	self  Member
}

// all ranges over the members in order.
func (v *view) all() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, page := range v.pages {
			for _, m := range page {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// list returns the members in order, as a slice of the caller's.
func (v *view) list() []Member {
	return slices.AppendSeq(make([]Member, 0, v.size), v.all())
}

// find returns the member at an address.
func (v *view) find(at swim.Addr) (Member, bool) {
	p, i, found := v.search(at)
	if !found {
		return Member{}, false
	}
	return v.pages[p][i], true
}

// search returns where the member at an address is, or else belongs.
func (v *view) search(at swim.Addr) (page, index int, found bool) {
	// The page is the last one that starts at or before the address.
	page = sort.Search(len(v.pages), func(i int) bool {
		return v.pages[i][0].ID.Addr().Compare(at) > 0
	}) - 1
	if page < 0 {
		return 0, 0, false
	}
	index, found = slices.BinarySearchFunc(v.pages[page], at, func(m Member, at swim.Addr) int {
		return m.ID.Addr().Compare(at)
	})
	return page, index, found
}

// A draft is a view in the making. It copies what it changes, once.
type draft struct {
	view
	owned []bool // which pages are copies of ours; nil as long as nothing changed
}

func (v *view) edit() *draft { return &draft{view: *v} }

// done returns the result.
func (d *draft) done() *view {
	v := d.view
	return &v
}

// own makes the list of pages and one page ours to change.
func (d *draft) own(page int) {
	if d.owned == nil {
		d.pages = slices.Clone(d.pages)
		d.owned = make([]bool, len(d.pages))
	}
	if page < len(d.pages) && !d.owned[page] {
		d.pages[page] = slices.Clone(d.pages[page])
		d.owned[page] = true
	}
}

// set puts a member in the place of whoever had its address. Since stays what
// it was if identity and state did.
func (d *draft) set(m Member) {
	p, i, found := d.search(m.ID.Addr())
	if found {
		old := d.pages[p][i]
		if old.ID == m.ID && m.described == nil {
			m.described = old.described
		}
		if old.same(m) {
			return
		}
		if old.ID == m.ID && old.State == m.State {
			m.Since = old.Since
		}
		d.own(p)
		d.pages[p][i] = m
	} else {
		d.insert(p, i, m)
	}
	if m.Self {
		d.self, _ = d.find(m.ID.Addr())
	}
}

// describe gives the life that has an address a newer description.
func (d *draft) describe(id ID, next *description) bool {
	p, i, found := d.search(id.Addr())
	if !found || d.pages[p][i].ID != id || d.pages[p][i].version() >= next.version {
		return false
	}
	d.own(p)
	d.pages[p][i].described = next
	return true
}

func (d *draft) insert(p, i int, m Member) {
	d.size++
	if len(d.pages) == 0 {
		d.pages, d.owned = [][]Member{{m}}, []bool{true}
		return
	}
	d.own(p)
	d.pages[p] = slices.Insert(d.pages[p], i, m)
	if page := d.pages[p]; len(page) > pageSize {
		half := len(page) / 2
		d.pages[p] = page[:half:half]
		d.pages = slices.Insert(d.pages, p+1, slices.Clone(page[half:]))
		d.owned = slices.Insert(d.owned, p+1, true)
	}
}

// remove takes out the member at an address.
func (d *draft) remove(at swim.Addr) {
	p, i, found := d.search(at)
	if !found {
		return
	}
	d.own(p)
	d.size--
	d.pages[p] = slices.Delete(d.pages[p], i, i+1)
	if len(d.pages[p]) == 0 {
		d.pages = slices.Delete(d.pages, p, p+1)
		d.owned = slices.Delete(d.owned, p, p+1)
	}
}
