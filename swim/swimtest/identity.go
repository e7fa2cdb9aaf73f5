// Package swimtest checks the laws that package swim relies on, for people
// who write an [swim.Identity] or a [swim.Codec] of their own. Each check is
// called from a test with some values to try, and reports what it finds broken
// as errors of that test.
package swimtest

import (
	"testing"

	"github.com/selkie-go/selkie/swim"
)

// Identity checks the laws of [swim.Identity] with the given identities and
// those that renewing them leads to. Several should share an address, and
// differ.
func Identity[ID swim.Identity[ID, Addr], Addr comparable](t testing.TB, ids ...ID) {
	t.Helper()
	if len(ids) == 0 {
		t.Fatal("Identity needs an identity to try")
	}
	ids = withRenewed(ids)
	for _, a := range ids {
		checkPure(t, a)
		checkRenew(t, a)
		for _, b := range ids {
			if a.Addr() == b.Addr() {
				checkOrder(t, a, b, ids)
			}
		}
	}
}

// withRenewed returns the identities, and two renewals of each.
func withRenewed[ID swim.Identity[ID, Addr], Addr comparable](ids []ID) []ID {
	var all []ID
	for _, id := range ids {
		all = append(all, id)
		for range 2 {
			next, ok := id.Renew()
			if !ok {
				break
			}
			all = append(all, next)
			id = next
		}
	}
	return all
}

func checkPure[ID swim.Identity[ID, Addr], Addr comparable](t testing.TB, id ID) {
	t.Helper()
	if id != id {
		t.Errorf("%v differs from itself", id)
	}
	if id.Addr() != id.Addr() {
		t.Errorf("%v.Addr() is not always the same", id)
	}
	next, ok := id.Renew()
	if again, okAgain := id.Renew(); next != again || ok != okAgain {
		t.Errorf("%v.Renew() is not always the same", id)
	}
}

func checkRenew[ID swim.Identity[ID, Addr], Addr comparable](t testing.TB, id ID) {
	t.Helper()
	next, ok := id.Renew()
	if !ok {
		return
	}
	if next.Addr() != id.Addr() {
		t.Errorf("%v.Renew() moves to another address: %v", id, next)
	}
	if !next.Supersedes(id) {
		t.Errorf("%v.Renew() does not supersede it: %v", id, next)
	}
}

// checkOrder checks that Supersedes is a strict total order among identities
// of one address.
func checkOrder[ID swim.Identity[ID, Addr], Addr comparable](t testing.TB, a, b ID, ids []ID) {
	t.Helper()
	switch ab, ba := a.Supersedes(b), b.Supersedes(a); {
	case a == b && ab:
		t.Errorf("%v supersedes itself", a)
	case a != b && ab && ba:
		t.Errorf("%v and %v supersede each other", a, b)
	case a != b && !ab && !ba:
		t.Errorf("neither of %v and %v supersedes the other", a, b)
	case ab:
		for _, c := range ids {
			if c.Addr() == a.Addr() && b.Supersedes(c) && !a.Supersedes(c) {
				t.Errorf("%v supersedes %v, that supersedes %v, but the first not the last", a, b, c)
			}
		}
	}
}
