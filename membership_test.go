package selkie

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// memberAt returns the n-th of many members in some order that is not sorted.
func memberAt(n int) Member {
	scattered := uint32(n) * 2654435761
	ip := netip.AddrFrom4([4]byte{10, byte(scattered >> 16), byte(scattered >> 8), byte(scattered)})
	id, err := swim.NewID(netip.AddrPortFrom(ip, uint16(1+n%60_000)), 1)
	if err != nil {
		panic(err)
	}
	return Member{ID: id}
}

func byAddr(a, b Member) int { return a.ID.Addr().Compare(b.ID.Addr()) }

func TestViewIsASortedMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	model := make(map[swim.Addr]Member)
	v := &view{}
	for step := range 5000 {
		d := v.edit()
		for range 1 + rnd.IntN(4) {
			m := memberAt(rnd.IntN(1500))
			m.Incarnation = uint64(step)
			if rnd.IntN(5) == 0 {
				d.remove(m.ID.Addr())
				delete(model, m.ID.Addr())
			} else {
				d.set(m)
				model[m.ID.Addr()] = m
			}
		}
		v = d.done()
		if v.size != len(model) {
			t.Fatalf("step %d: size %d, want %d", step, v.size, len(model))
		}
		m := memberAt(rnd.IntN(1500))
		got, ok := v.find(m.ID.Addr())
		want, wantOK := model[m.ID.Addr()]
		if got != want || ok != wantOK {
			t.Fatalf("step %d: find(%v) = %v, %v, want %v, %v", step, m, got, ok, want, wantOK)
		}
		if step%250 == 0 {
			checkView(t, v, model)
		}
	}
	checkView(t, v, model)
}

func checkView(t *testing.T, v *view, model map[swim.Addr]Member) {
	t.Helper()
	if got, want := v.list(), slices.SortedFunc(maps.Values(model), byAddr); !slices.Equal(got, want) {
		t.Fatalf("the members differ from the model:\n got %v\nwant %v", got, want)
	}
	for _, page := range v.pages {
		if len(page) == 0 || len(page) > pageSize {
			t.Fatalf("a page of %d members", len(page))
		}
	}
}

func TestAChangeLeavesOlderViewsAlone(t *testing.T) {
	v := viewOf(1000)
	before := v.list()
	d := v.edit()
	for i := range 2000 {
		m := memberAt(i)
		m.State = Down
		d.set(m)
	}
	for i := range 500 {
		d.remove(memberAt(i).ID.Addr())
	}
	d.done()
	if after := v.list(); !slices.Equal(before, after) {
		t.Error("an older view changed")
	}
}

func viewOf(n int) *view {
	d := (&view{}).edit()
	for i := range n {
		d.set(memberAt(i))
	}
	return d.done()
}

func TestSinceIsKeptWhileIdentityAndStateAre(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	m := memberAt(1)
	m.Since = at(1)
	for _, step := range []struct {
		why    string
		change func(*Member)
		since  time.Time
	}{
		{"nothing changed", func(*Member) {}, at(1)},
		{"only the incarnation", func(m *Member) { m.Incarnation++ }, at(1)},
		{"the state", func(m *Member) { m.State = Down }, at(4)},
		{"the identity", func(m *Member) { m.ID, _ = m.ID.Renew() }, at(5)},
	} {
		d := (&view{}).edit()
		d.set(m)
		next := m
		next.Since = step.since
		if step.since == at(1) {
			next.Since = at(9)
		}
		step.change(&next)
		d.set(next)
		if got, _ := d.find(m.ID.Addr()); got.Since != step.since {
			t.Errorf("%s: since %v, want %v", step.why, got.Since, step.since)
		}
	}
}

// A change must not cost a copy of the whole list.
func BenchmarkViewChange(b *testing.B) {
	for _, size := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("N=%d", size), func(b *testing.B) {
			v := viewOf(size)
			for i := 0; b.Loop(); i++ {
				d := v.edit()
				m := memberAt(i % size)
				m.Incarnation = uint64(i + 1)
				d.set(m)
				v = d.done()
			}
		})
	}
}

// Ranging over the members copies nothing and takes no lock. Looking at each costs
// what it takes to fetch it from memory.
func BenchmarkMembers(b *testing.B) {
	n := &Node{events: newFeed(1, viewOf(10_000))}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // updates flow meanwhile
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
			}
			d := n.events.view().edit()
			m := memberAt(i % 10_000)
			m.Incarnation = uint64(i + 1)
			d.set(m)
			n.events.publish(d.done(), nil)
		}
	}()
	defer func() { close(stop); <-stopped }()
	b.Run("count", func(b *testing.B) {
		count := 0
		for range b.N { // b.Loop would keep the iterator from being inlined, as it is elsewhere
			for range n.Members() {
				count++
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(count), "ns/member")
	})
	b.Run("look", func(b *testing.B) {
		count, alive := 0, 0
		for range b.N {
			for m := range n.Members() {
				count++
				if m.State == Alive {
					alive++
				}
			}
		}
		if alive != count {
			b.Error("somebody is not alive")
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(count), "ns/member")
	})
}
