package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestARumourReachesAllAndIsToldAsOftenAsTheLimitSays(t *testing.T) {
	w := acquainted(1, gossipOnly(), 20)
	r := listen(w, 1)
	r.spread(5, time.Second, 10*time.Second)
	for i, rumour := range r.list {
		times := rumour.after(1)
		if len(times) != 20 || slices.Min(times) != 0 || slices.Max(times) > 3 {
			t.Errorf("rumour %d was heard after %v", i, times)
		}
		for node, told := range rumour.told {
			if told != 8 { // 4·ceil(log10(21))
				t.Errorf("rumour %d was told %d times by node %d", i, told, node)
			}
		}
		if rumour.average() != 8 {
			t.Errorf("rumour %d was told %g times on average", i, rumour.average())
		}
	}
}

func TestARumourTravelsWithWhatCarriesIt(t *testing.T) {
	w := acquainted(1, gossipOnly(), 20)
	w.carries = func(m swim.Message) bool { return m != swim.MessageGossip }
	r := listen(w, 1)
	r.spread(1, time.Second, 10*time.Second)
	if times := r.list[0].after(1); len(times) != 1 {
		t.Errorf("heard after %v", times)
	}
}
